"""How perception is stored: QD scores and consents."""

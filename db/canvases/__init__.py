"""How canvases are stored, read and written."""

"""How the audit chain and the activity feed are stored, read and verified."""

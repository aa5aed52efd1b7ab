"""How inference is stored: providers as tenants switch them, and the items of inference jobs."""

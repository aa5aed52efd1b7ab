"""How assets are stored: uploads, from their announcement until they are in use."""

"""How properties are stored: Projects, properties and their media."""

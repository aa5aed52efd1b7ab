"""How properties are stored: projects, properties and their media."""

"""How people are stored: with households, relationships, facts and tags."""

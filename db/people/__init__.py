"""How people are stored: People, households, relationships, facts and tags."""

"""The fleet: tables of machines, what they said, and the mode they work in."""

"""How threads are stored: with their messages and read markers."""

"""Events in PostgreSQL: their tables, how they are read after a position, and how one process wakes another."""

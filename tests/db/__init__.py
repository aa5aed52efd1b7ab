"""Against a real PostgreSQL: tables, stores, the read engine, units."""

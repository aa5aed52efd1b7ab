"""How everything is stored: PostgreSQL tables, stores, the read engine, the unit of work and the migrations."""

"""The read engine: sources say how declared fields map to SQL; statements print rows as JSON text in PostgreSQL."""

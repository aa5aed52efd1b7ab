"""What Alembic runs around the revisions. The connection is handed in by `migrate`."""

from alembic import context
from sqlalchemy import Connection

from db.migrations.declared import metadata

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("Revisions are run by db.migrations.migrate, or `velocity migrate`.")
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()

"""People are found while a name is being typed."""

from alembic import op

revision = "people_by_name_prefix"
down_revision = "foundation"


def upgrade() -> None:
    # Concurrently, and so outside a transaction: writing goes on while the index is built. An attempt that was cut
    # short leaves an invalid index of this name, which goes first. The lock timeout is the connection's.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_people_tenant_id_search_name")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_people_tenant_id_search_name"
            " ON people (tenant_id, search_name text_pattern_ops, id)"
        )

"""Until when a machine, and what serves work, is expected to be heard of again: by the database's clock."""

from alembic import op

revision = "fleet_silence"
down_revision = "render_files"

STATEMENTS = (
    "ALTER TABLE hosts ADD COLUMN expected_by TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE fleet_workers ADD COLUMN expected_by TIMESTAMP WITH TIME ZONE",
    """
    CREATE OR REPLACE VIEW seen_hosts WITH (security_invoker = true) AS
    SELECT nullif(current_setting('app.tenant_id', true), '')::uuid AS tenant_id, id, hostname, source, driver, problem,
           sampled_at, expected_by
    FROM hosts
    """,
    """
    CREATE OR REPLACE VIEW seen_workers WITH (security_invoker = true) AS
    SELECT nullif(current_setting('app.tenant_id', true), '')::uuid AS tenant_id, id, kind, name, url, gpu, answers,
           queue_depth, seen_at, expected_by
    FROM fleet_workers
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)

"""Sessions that nobody ended are found, by a function that tells ids of all tenants and nothing else."""

from alembic import op

revision = "left_sessions"
down_revision = "leads_counted_by_stage"

NAME = "ix_perception_sessions_running"
# The last batch is the one that the session names, whatever came before it.
FIND = """
CREATE FUNCTION public.left_sessions(before timestamptz, most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.tenant_id, s.id FROM public.perception_sessions s
    WHERE s.status = 'RUNNING' AND s.started_at <= before AND NOT EXISTS (
        SELECT FROM public.perception_batches b
        WHERE b.tenant_id = s.tenant_id AND b.session_id = s.id AND b.sequence = s.last_sequence AND b.at > before
    )
    ORDER BY s.started_at, s.id LIMIT most
$$
"""
STATEMENTS = (
    "GRANT SELECT (id, status, last_sequence) ON perception_sessions TO velocity_lookup",
    "GRANT SELECT (tenant_id, session_id, sequence, at) ON perception_batches TO velocity_lookup",
    "CREATE POLICY lookup ON perception_batches FOR SELECT TO velocity_lookup USING (true)",
    "GRANT CREATE ON SCHEMA public TO velocity_lookup",
    "SET LOCAL ROLE velocity_lookup",
    FIND,
    "REVOKE ALL ON FUNCTION public.left_sessions(timestamptz, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION public.left_sessions(timestamptz, integer) TO velocity_app",
    "RESET ROLE",
    "REVOKE CREATE ON SCHEMA public FROM velocity_lookup",
)


def upgrade() -> None:
    # An attempt that was cut short leaves an invalid index of this name, which goes first.
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON perception_sessions (started_at) WHERE status = 'RUNNING'")
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)

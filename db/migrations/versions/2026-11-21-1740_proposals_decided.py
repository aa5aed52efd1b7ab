"""Proposals are listed by kind from an index, those that wait too long are found, and a prompt's hash is kept."""

from alembic import op

revision = "proposals_decided"
down_revision = "renders"

INDEXES = {
    "ix_proposals_tenant_id_kind_created_at_id": "(tenant_id, kind, created_at, id)",
    "ix_proposals_tenant_id_job_id": "(tenant_id, job_id)",
    "ix_proposals_pending": "(created_at) WHERE status = 'PENDING'",
}
FIND = """
CREATE FUNCTION public.left_proposals(before timestamptz, most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.tenant_id, p.id FROM public.proposals p
    WHERE p.status = 'PENDING' AND p.created_at <= before
    ORDER BY p.created_at, p.id LIMIT most
$$
"""
ADD_HASH = """
ALTER TABLE proposals ADD COLUMN prompt_hash TEXT
    CONSTRAINT ck_proposals_prompt_hash_length CHECK (char_length(prompt_hash) BETWEEN 0 AND 64)
"""
STATEMENTS = (
    ADD_HASH,
    "GRANT SELECT (tenant_id, id, status, created_at) ON proposals TO velocity_lookup",
    "CREATE POLICY lookup ON proposals FOR SELECT TO velocity_lookup USING (true)",
    "GRANT CREATE ON SCHEMA public TO velocity_lookup",
    "SET LOCAL ROLE velocity_lookup",
    FIND,
    "REVOKE ALL ON FUNCTION public.left_proposals(timestamptz, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION public.left_proposals(timestamptz, integer) TO velocity_app",
    "RESET ROLE",
    "REVOKE CREATE ON SCHEMA public FROM velocity_lookup",
)


def upgrade() -> None:
    # An attempt that was cut short leaves an invalid index of this name, which goes first.
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON proposals {columns}")
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)

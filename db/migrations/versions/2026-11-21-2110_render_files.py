"""What attempts at renders put into the asset store is announced first, so that what a killed one left is found."""

from alembic import op

revision = "render_files"
down_revision = "slots_retire"

TENANT = "(tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))"
TABLE = """
CREATE TABLE render_files (
    tenant_id UUID NOT NULL,
    job_id UUID NOT NULL,
    attempt INTEGER NOT NULL CONSTRAINT ck_render_files_attempt_least CHECK ("attempt" >= 1),
    object_key TEXT NOT NULL
        CONSTRAINT ck_render_files_object_key_length CHECK (char_length("object_key") BETWEEN 1 AND 500),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_render_files PRIMARY KEY (tenant_id, job_id, attempt, object_key),
    CONSTRAINT fk_render_files_tenant_id_job_id FOREIGN KEY(tenant_id, job_id) REFERENCES jobs (tenant_id, id)
)
"""
# An attempt is under way while its lease lasts; after that it names no file any more.
FIND = """
CREATE FUNCTION public.left_render_files(before timestamptz, most integer)
RETURNS TABLE (tenant_id uuid, job_id uuid, attempt integer, object_key text) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.tenant_id, f.job_id, f.attempt, f.object_key FROM public.render_files f
    WHERE f.created_at < before AND NOT EXISTS (
        SELECT FROM public.jobs j
        WHERE j.tenant_id = f.tenant_id AND j.id = f.job_id AND j.attempt = f.attempt
          AND j.status = 'RUNNING' AND j.leased_until > now()
    )
    ORDER BY f.created_at, f.object_key LIMIT most
$$
"""
ADD_PROMPT = """
ALTER TABLE jobs
    ADD COLUMN prompt_version TEXT
        CONSTRAINT ck_jobs_prompt_version_length CHECK (char_length(prompt_version) BETWEEN 0 AND 100),
    ADD COLUMN prompt_hash TEXT
        CONSTRAINT ck_jobs_prompt_hash_length CHECK (char_length(prompt_hash) BETWEEN 0 AND 64),
    ADD CONSTRAINT ck_jobs_prompt_known_whole CHECK ((prompt_version IS NULL) = (prompt_hash IS NULL)) NOT VALID
"""
STATEMENTS = (
    ADD_PROMPT,
    "ALTER TABLE jobs VALIDATE CONSTRAINT ck_jobs_prompt_known_whole",
    TABLE,
    "CREATE INDEX ix_render_files_created_at ON render_files (created_at)",
    "ALTER TABLE render_files ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE render_files FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON render_files USING {TENANT} WITH CHECK {TENANT}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON render_files TO velocity_app",
    "GRANT SELECT (tenant_id, job_id, attempt, object_key, created_at) ON render_files TO velocity_lookup",
    "CREATE POLICY lookup ON render_files FOR SELECT TO velocity_lookup USING (true)",
    "GRANT SELECT (attempt) ON jobs TO velocity_lookup",
    "GRANT CREATE ON SCHEMA public TO velocity_lookup",
    "SET LOCAL ROLE velocity_lookup",
    FIND,
    "REVOKE ALL ON FUNCTION public.left_render_files(timestamptz, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION public.left_render_files(timestamptz, integer) TO velocity_app",
    "RESET ROLE",
    "REVOKE CREATE ON SCHEMA public FROM velocity_lookup",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)

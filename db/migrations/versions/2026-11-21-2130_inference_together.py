"""Answers name their prompt; processes share the limits of providers and tell what they see; old jobs are found."""

from alembic import op

revision = "inference_together"
down_revision = "fleet_silence"

ITEMS = """
ALTER TABLE inference_items
    ADD COLUMN prompt_version TEXT
        CONSTRAINT ck_inference_items_prompt_version_length CHECK (char_length("prompt_version") BETWEEN 1 AND 100),
    ADD COLUMN prompt_hash TEXT
        CONSTRAINT ck_inference_items_prompt_hash_length CHECK (char_length("prompt_hash") BETWEEN 64 AND 64),
    ADD CONSTRAINT ck_inference_items_prompt_whole CHECK ((prompt_version IS NULL) = (prompt_hash IS NULL))
"""
SESSIONS = """
ALTER TABLE perception_sessions
    ADD COLUMN refined_model TEXT
        CONSTRAINT ck_perception_sessions_refined_model_length CHECK (char_length("refined_model") BETWEEN 1 AND 200),
    ADD COLUMN refined_prompt_version TEXT CONSTRAINT ck_perception_sessions_refined_prompt_version_length
        CHECK (char_length("refined_prompt_version") BETWEEN 1 AND 100),
    ADD COLUMN refined_prompt_hash TEXT CONSTRAINT ck_perception_sessions_refined_prompt_hash_length
        CHECK (char_length("refined_prompt_hash") BETWEEN 64 AND 64),
    ADD CONSTRAINT ck_perception_sessions_refined_by_whole CHECK ((refined_prompt_version IS NULL)
        = (refined_prompt_hash IS NULL) AND (refined_model IS NULL) = (refined_prompt_hash IS NULL))
"""
PACES = """
CREATE TABLE provider_paces (
    provider TEXT NOT NULL CONSTRAINT ck_provider_paces_provider_length
        CHECK (char_length("provider") BETWEEN 1 AND 40),
    per_minute DOUBLE PRECISION CONSTRAINT ck_provider_paces_per_minute_finite
        CHECK (0 <= "per_minute" AND "per_minute" < 'Infinity'::double precision),
    found DOUBLE PRECISION CONSTRAINT ck_provider_paces_found_finite
        CHECK (0 <= "found" AND "found" < 'Infinity'::double precision),
    tokens DOUBLE PRECISION NOT NULL CONSTRAINT ck_provider_paces_tokens_finite
        CHECK ('-Infinity'::double precision < "tokens" AND "tokens" < 'Infinity'::double precision),
    recent DOUBLE PRECISION NOT NULL CONSTRAINT ck_provider_paces_recent_finite
        CHECK (0 <= "recent" AND "recent" < 'Infinity'::double precision),
    counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    slowed_at TIMESTAMP WITH TIME ZONE,
    blocked_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_provider_paces PRIMARY KEY (provider),
    CONSTRAINT ck_provider_paces_limit_whole CHECK ((per_minute IS NULL) = (found IS NULL))
)
"""
SIGHTINGS = """
CREATE TABLE provider_sightings (
    process UUID NOT NULL,
    provider TEXT NOT NULL CONSTRAINT ck_provider_sightings_provider_length
        CHECK (char_length("provider") BETWEEN 1 AND 40),
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    circuit TEXT NOT NULL CONSTRAINT ck_provider_sightings_circuit_known
        CHECK ("circuit" IN ('CLOSED', 'OPEN', 'HALF_OPEN')),
    opens_at TIMESTAMP WITH TIME ZONE,
    latency_ms DOUBLE PRECISION CONSTRAINT ck_provider_sightings_latency_ms_finite
        CHECK (0 <= "latency_ms" AND "latency_ms" < 'Infinity'::double precision),
    answered INTEGER NOT NULL CONSTRAINT ck_provider_sightings_answered_least CHECK ("answered" >= 0),
    failed INTEGER NOT NULL CONSTRAINT ck_provider_sightings_failed_least CHECK ("failed" >= 0),
    in_flight INTEGER NOT NULL CONSTRAINT ck_provider_sightings_in_flight_least CHECK ("in_flight" >= 0),
    waiting INTEGER NOT NULL CONSTRAINT ck_provider_sightings_waiting_least CHECK ("waiting" >= 0),
    CONSTRAINT pk_provider_sightings PRIMARY KEY (process, provider)
)
"""
# Tenants that keep work for models that ended long ago, in no order, so that each has its turn where there are more.
FIND = """
CREATE FUNCTION public.tenants_with_old_jobs(before timestamptz, most integer)
RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id, t.id FROM public.tenants t
    WHERE EXISTS (
        SELECT FROM public.jobs j WHERE j.tenant_id = t.id AND j.kind = 'INFERENCE' AND j.finished_at < before
    )
    ORDER BY random() LIMIT most
$$
"""
STATEMENTS = (
    ITEMS,
    SESSIONS,
    PACES,
    SIGHTINGS,
    "CREATE INDEX ix_provider_sightings_told_at ON provider_sightings (told_at)",
    # Providers are the installation's, as machines are.
    "GRANT SELECT, INSERT, UPDATE, DELETE ON provider_paces, provider_sightings TO velocity_app",
    "GRANT CREATE ON SCHEMA public TO velocity_lookup",
    "SET LOCAL ROLE velocity_lookup",
    FIND,
    "REVOKE ALL ON FUNCTION public.tenants_with_old_jobs(timestamptz, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION public.tenants_with_old_jobs(timestamptz, integer) TO velocity_app",
    "RESET ROLE",
    "REVOKE CREATE ON SCHEMA public FROM velocity_lookup",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)

"""A batch of packets and its history are written by one function, and so committed by the statement that calls it."""

from alembic import op

revision = "batches_in_one_statement"
down_revision = "left_sessions"

MEASURED = "score, engagement, valence, attention, confidence"
GIVEN = "unnest($16, $17, $18, $19, $20, $21, $22)"
TYPES = (
    "uuid, uuid, uuid, integer, timestamptz, integer, uuid, timestamptz, float8, float8, float8, float8, float8, text,"
    " text, uuid[], timestamptz[], float8[], float8[], float8[], float8[], float8[], uuid, integer, text, uuid, json"
)

# It runs as its caller, whom row-level security and the grants of each table bind, and writes what
# `db/perception/store.py: ingest` and the unit write. Whoever read the session, its consent and its memory did so
# without a lock: $23 and $24 are its person and its last batch as they were read. Where they are no longer so, or where
# the session was ended, nothing is written and nothing is answered.
WRITE = f"""
CREATE FUNCTION public.ingest_batch({TYPES})
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.perception_sessions
    WHERE tenant_id = $1 AND id = $2 AND status = 'RUNNING' AND last_sequence = $24
      AND person_id IS NOT DISTINCT FROM $23
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF $23 IS NULL THEN
        INSERT INTO public.visitor_scores (tenant_id, session_id, kind, source, id, at, {MEASURED})
        SELECT $1, $2, 'LIVE', 'RULES', g.* FROM {GIVEN} AS g;
    ELSIF cardinality($16) > 0 THEN
        INSERT INTO public.qd_scores (tenant_id, person_id, session_id, kind, source, id, at, {MEASURED})
        SELECT $1, $23, $2, 'LIVE', 'RULES', g.* FROM {GIVEN} AS g;
        UPDATE public.people p
        SET rules_qd_at = g.at, rules_qd_score = g.score, rules_qd_engagement = g.engagement,
            rules_qd_valence = g.valence, rules_qd_attention = g.attention, rules_qd_confidence = g.confidence,
            rules_qd_kind = 'LIVE'
        FROM {GIVEN} AS g (id, at, {MEASURED})
        WHERE p.tenant_id = $1 AND p.id = $23 AND coalesce(p.rules_qd_at <= g.at, true)
          AND g.at = $17[cardinality($17)];
    END IF;
    INSERT INTO public.perception_batches (
        tenant_id, id, session_id, sequence, at, accepted_count, scene_id, qd_at, qd_score, qd_engagement, qd_valence,
        qd_attention, qd_confidence, face_form
    ) VALUES ($1, $3, $2, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $15);
    UPDATE public.perception_sessions
    SET last_sequence = $4, packet_count = packet_count + $6, memory = $14::json, measured = true
    WHERE tenant_id = $1 AND id = $2;
    RETURN public.write_history($1, $5, $25, $26, $27);
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.get_bind().exec_driver_sql(WRITE)
    op.execute(f"REVOKE ALL ON FUNCTION public.ingest_batch({TYPES}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.ingest_batch({TYPES}) TO velocity_app")

"""Batches of several sessions that wait for the same connection are written by one function, each whole or not."""

from alembic import op

revision = "batches_together"
down_revision = "fleet"

MEASURED = "score, engagement, valence, attention, confidence"
READINGS = (
    f"unnest(whose, score_ids, score_ats, score_0, score_1, score_2, score_3, score_4) AS r (n, id, at, {MEASURED})"
)
TYPES = (
    "uuid, integer[], uuid[], uuid[], integer[], timestamptz[], integer[], uuid[], timestamptz[], float8[], float8[],"
    " float8[], float8[], float8[], text[], text[], uuid[], integer[], text[],"
    " integer[], uuid[], timestamptz[], float8[], float8[], float8[], float8[], float8[]"
)

# As `ingest_batch` did for one, which this replaces. The entries of all arrays but the last eight are one batch each,
# and these eight are one reading each, `whose` being the number of its batch. `passed` are the numbers of the batches
# that whoever calls has found to be allowed. `persons` and `lasts` are as they were read without a lock: where they are
# no longer so, or the session was ended, nothing of that batch is written. Sessions are locked in one order, the
# tenant's head last. `kept` are the numbers of the batches that were written, `last` is the tenant's last event.
WRITE = f"""
CREATE FUNCTION public.ingest_batches(
    tenant uuid, passed integer[], sessions uuid[], batches uuid[], numbers integer[], moments timestamptz[],
    counts integer[], shown uuid[], ats timestamptz[], qd_0 float8[], qd_1 float8[], qd_2 float8[], qd_3 float8[],
    qd_4 float8[], memories text[], forms text[], persons uuid[], lasts integer[], changes text[],
    whose integer[], score_ids uuid[], score_ats timestamptz[], score_0 float8[], score_1 float8[], score_2 float8[],
    score_3 float8[], score_4 float8[], OUT kept integer[], OUT last bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF cardinality(sessions) > (SELECT count(DISTINCT g.id) FROM unnest(sessions) AS g (id)) THEN
        RAISE 'A session has one batch at a time.';
    END IF;
    kept := ARRAY(
        SELECT locked.n FROM (
            SELECT g.n::integer AS n
            FROM unnest(sessions, lasts, persons) WITH ORDINALITY AS g (id, last, person, n)
            JOIN public.perception_sessions s ON s.tenant_id = tenant AND s.id = g.id
            WHERE g.n = ANY(passed) AND s.status = 'RUNNING' AND s.last_sequence = g.last
              AND s.person_id IS NOT DISTINCT FROM g.person
            ORDER BY s.id FOR UPDATE OF s
        ) locked ORDER BY locked.n
    );
    IF kept = '{{}}' THEN
        RETURN;
    END IF;
    IF array_position(persons, NULL) IS NOT NULL THEN
        INSERT INTO public.visitor_scores (tenant_id, session_id, kind, source, id, at, {MEASURED})
        SELECT tenant, sessions[r.n], 'LIVE', 'RULES', r.id, r.at, {MEASURED} FROM {READINGS}
        WHERE r.n = ANY(kept) AND persons[r.n] IS NULL;
    END IF;
    IF array_remove(persons, NULL) <> '{{}}' THEN
        INSERT INTO public.qd_scores (tenant_id, person_id, session_id, kind, source, id, at, {MEASURED})
        SELECT tenant, persons[r.n], sessions[r.n], 'LIVE', 'RULES', r.id, r.at, {MEASURED} FROM {READINGS}
        WHERE r.n = ANY(kept) AND persons[r.n] IS NOT NULL;
        UPDATE public.people p
        SET rules_qd_at = g.at, rules_qd_score = g.score, rules_qd_engagement = g.engagement,
            rules_qd_valence = g.valence, rules_qd_attention = g.attention, rules_qd_confidence = g.confidence,
            rules_qd_kind = 'LIVE'
        FROM (
            SELECT DISTINCT ON (persons[r.n]) persons[r.n] AS person, r.* FROM {READINGS}
            WHERE r.n = ANY(kept) ORDER BY persons[r.n], r.at DESC, r.id DESC
        ) g
        WHERE p.tenant_id = tenant AND p.id = g.person AND coalesce(p.rules_qd_at <= g.at, true);
    END IF;
    INSERT INTO public.perception_batches (
        tenant_id, id, session_id, sequence, at, accepted_count, scene_id, qd_at, qd_score, qd_engagement, qd_valence,
        qd_attention, qd_confidence, face_form
    )
    SELECT tenant, g.id, g.session, g.number, g.moment, g.count, g.scene, g.at, {MEASURED}, g.form
    FROM unnest(batches, sessions, numbers, moments, counts, shown, ats, qd_0, qd_1, qd_2, qd_3, qd_4, forms)
        WITH ORDINALITY AS g (id, session, number, moment, count, scene, at, {MEASURED}, form, n)
    WHERE g.n = ANY(kept);
    UPDATE public.perception_sessions s
    SET last_sequence = g.number, packet_count = s.packet_count + g.count, memory = g.memory::json, measured = true
    FROM unnest(sessions, numbers, counts, memories) WITH ORDINALITY AS g (id, number, count, memory, n)
    WHERE s.tenant_id = tenant AND s.id = g.id AND g.n = ANY(kept);
    last := public.write_history(tenant, NULL, NULL, NULL, (
        SELECT '[' || string_agg(c.change, ',' ORDER BY c.n) || ']'
        FROM unnest(changes) WITH ORDINALITY AS c (change, n) WHERE c.n = ANY(kept)
    )::json);
END
$$
"""

# A change may say for itself when it was and who did it, since units of several callers are written together.
HISTORY = """
CREATE OR REPLACE FUNCTION public.write_history(
    tenant uuid, at timestamptz, actor_noun text, actor_id uuid, changes json
)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head public.tenant_heads;
    change record;
    number bigint := 0;
    hash bytea;
    previous bytea[] := '{}';
    hashes bytea[] := '{}';
BEGIN
    SELECT h.* INTO STRICT head FROM public.tenant_heads h WHERE h.tenant_id = tenant FOR UPDATE;
    hash := head.audit_hash;
    FOR change IN SELECT c.before, c.after FROM json_to_recordset(changes) AS c (before text, after text) LOOP
        number := number + 1;
        previous := previous || hash;
        hash := sha256(hash || convert_to(change.before || (head.audit_sequence + number) || change.after, 'UTF8'));
        hashes := hashes || hash;
    END LOOP;
    INSERT INTO public.audit_entries (
        tenant_id, id, sequence, at, action, actor_noun, actor_id, subject_noun, subject_id, changed_fields,
        previous_hash, hash
    )
    SELECT tenant, c.id, head.audit_sequence + c.place, coalesce(c.moment, write_history.at), c.action,
           coalesce(c.by_noun, write_history.actor_noun), coalesce(c.by_id, write_history.actor_id), c.noun, c.subject,
           c.fields, c.previous, c.hash
    FROM ROWS FROM (
        json_to_recordset(changes) AS (
            id uuid, action text, noun text, subject uuid, fields text[], moment timestamptz, by_noun text, by_id uuid
        ),
        unnest(previous, hashes)
    ) WITH ORDINALITY
        AS c (id, action, noun, subject, fields, moment, by_noun, by_id, previous, hash, place);
    INSERT INTO public.events (
        tenant_id, sequence, id, at, kind, actor_noun, actor_id, subject_noun, subject_id, person_id, payload
    )
    SELECT tenant, head.event_sequence + c.place, c.event_id, coalesce(c.moment, write_history.at), c.event,
           coalesce(c.by_noun, write_history.actor_noun), coalesce(c.by_id, write_history.actor_id), c.noun, c.subject,
           c.person, c.payload
    FROM ROWS FROM (
        json_to_recordset(changes) AS (
            event_id uuid, event text, noun text, subject uuid, person uuid, payload json, moment timestamptz,
            by_noun text, by_id uuid
        )
    ) WITH ORDINALITY AS c (event_id, event, noun, subject, person, payload, moment, by_noun, by_id, place);
    INSERT INTO public.activity_entries (
        tenant_id, id, kind, at, actor_noun, actor_id, subject_noun, subject_id, person_id, summary, sequence
    )
    SELECT tenant, c.activity_id, c.activity, coalesce(c.moment, write_history.at),
           coalesce(c.by_noun, write_history.actor_noun), coalesce(c.by_id, write_history.actor_id), c.noun, c.subject,
           c.person, c.summary, head.event_sequence + c.place
    FROM ROWS FROM (
        json_to_recordset(changes) AS (
            activity_id uuid, activity text, noun text, subject uuid, person uuid, summary text, moment timestamptz,
            by_noun text, by_id uuid
        )
    ) WITH ORDINALITY
        AS c (activity_id, activity, noun, subject, person, summary, moment, by_noun, by_id, place)
    WHERE c.activity IS NOT NULL;
    UPDATE public.tenant_heads h
    SET audit_sequence = head.audit_sequence + number, event_sequence = head.event_sequence + number, audit_hash = hash
    WHERE h.tenant_id = tenant;
    RETURN head.event_sequence + number;
END
$$
"""
REPLACED = (
    "uuid, uuid, uuid, integer, timestamptz, integer, uuid, timestamptz, float8, float8, float8, float8, float8, text,"
    " text, uuid[], timestamptz[], float8[], float8[], float8[], float8[], float8[], uuid, integer, text, uuid, json"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    connection.exec_driver_sql(HISTORY)
    connection.exec_driver_sql(WRITE)
    op.execute(f"REVOKE ALL ON FUNCTION public.ingest_batches({TYPES}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.ingest_batches({TYPES}) TO velocity_app")
    op.execute(f"DROP FUNCTION public.ingest_batch({REPLACED})")

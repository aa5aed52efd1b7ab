"""What a unit leaves in its tenant's history is written by one function: the head row is locked for one statement."""

from alembic import op

revision = "history_in_one_statement"
down_revision = "events_are_forgotten"

# It runs as its caller, whom row-level security and the grants of each table bind. `before` and `after` are what an
# audit entry's hash covers, without the number that is known here only.
WRITE = """
CREATE FUNCTION public.write_history(tenant uuid, at timestamptz, actor_noun text, actor_id uuid, changes json)
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
    SELECT tenant, c.id, head.audit_sequence + c.place, write_history.at, c.action, write_history.actor_noun,
           write_history.actor_id, c.noun, c.subject, c.fields, c.previous, c.hash
    FROM ROWS FROM (
        json_to_recordset(changes) AS (id uuid, action text, noun text, subject uuid, fields text[]),
        unnest(previous, hashes)
    ) WITH ORDINALITY AS c (id, action, noun, subject, fields, previous, hash, place);
    INSERT INTO public.events (
        tenant_id, sequence, id, at, kind, actor_noun, actor_id, subject_noun, subject_id, person_id, payload
    )
    SELECT tenant, head.event_sequence + c.place, c.event_id, write_history.at, c.event, write_history.actor_noun,
           write_history.actor_id, c.noun, c.subject, c.person, c.payload
    FROM ROWS FROM (
        json_to_recordset(changes) AS (event_id uuid, event text, noun text, subject uuid, person uuid, payload json)
    ) WITH ORDINALITY AS c (event_id, event, noun, subject, person, payload, place);
    INSERT INTO public.activity_entries (
        tenant_id, id, kind, at, actor_noun, actor_id, subject_noun, subject_id, person_id, summary, sequence
    )
    SELECT tenant, c.activity_id, c.activity, write_history.at, write_history.actor_noun, write_history.actor_id,
           c.noun, c.subject, c.person, c.summary, head.event_sequence + c.place
    FROM ROWS FROM (
        json_to_recordset(changes) AS (
            activity_id uuid, activity text, noun text, subject uuid, person uuid, summary text
        )
    ) WITH ORDINALITY AS c (activity_id, activity, noun, subject, person, summary, place)
    WHERE c.activity IS NOT NULL;
    UPDATE public.tenant_heads h
    SET audit_sequence = head.audit_sequence + number, event_sequence = head.event_sequence + number, audit_hash = hash
    WHERE h.tenant_id = tenant;
    RETURN head.event_sequence + number;
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.get_bind().exec_driver_sql(WRITE)
    op.execute("REVOKE ALL ON FUNCTION public.write_history(uuid, timestamptz, text, uuid, json) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION public.write_history(uuid, timestamptz, text, uuid, json) TO velocity_app")

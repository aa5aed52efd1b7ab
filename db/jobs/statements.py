"""The statements that queue, begin, renew and end jobs: each for several at once, in few round trips."""

from typing import Final

from sqlalchemy import text

CHANNEL: Final = "velocity_jobs"
"""Workers are told here of slots that were freed (`slots`), and of jobs that are to stop (`stop <id>`)."""
# The moment of a lease is the database's: workers' clocks differ.
RENEWED: Final = "now() + make_interval(secs => :lease)"
HELD: Final = "status = 'RUNNING' and lease_token = :token and leased_until > now()"
GIVEN: Final = "unnest(cast(:ids as uuid[]), cast(:tokens as uuid[])) as given(id, token)"
# The present moment, by the one clock that all processes share.
MOMENT: Final = text("select now()")
# Jobs and their tickets, from one array of objects. Of two with the same key the first one counts, even where both come
# at the same time: whoever is second waits for the end of the first one's unit, and adds nothing.
ENQUEUE: Final = text(
    "with given as (select *, coalesce(not_before, now()) - make_interval(secs => ahead) as turn_at"
    " from json_to_recordset(cast(:rows as json)) as given(id uuid, kind text, task text,"
    " priority integer, max_attempts integer, ahead float8, not_before timestamptz, deadline_at timestamptz,"
    " slot_kind text, subject_noun text, subject_id uuid, key text, payload json, payload_hash text, model text,"
    " submitted_count integer, workflow text, room_type text, keywords text[], prompt text, photo_id uuid,"
    " entrypoint text)),"
    " added as (insert into jobs (tenant_id, id, kind, status, task, priority, max_attempts, turn_at, not_before,"
    " deadline_at, slot_kind, requested_by_noun, requested_by_id, subject_noun, subject_id, key, payload,"
    " payload_hash, model, submitted_count, workflow, room_type, keywords, prompt, photo_id, created_at)"
    " select cast(:tenant as uuid), id, kind, 'QUEUED', task, priority, max_attempts, turn_at, not_before,"
    " deadline_at, slot_kind, :noun, cast(:actor as uuid), subject_noun, subject_id, key, payload, payload_hash,"
    " model, submitted_count, workflow, room_type, keywords, prompt, photo_id, cast(:now as timestamptz) from given"
    " on conflict (tenant_id, key) where key is not null do nothing returning id),"
    " ticketed as (insert into pgqueuer.pgqueuer (priority, execute_after, status, entrypoint, dedupe_key, payload)"
    " select -floor(extract(epoch from turn_at - cast(:epoch as timestamptz)))::integer, coalesce(not_before, now()),"
    " 'queued', entrypoint, id::text, decode(replace(cast(:text as text) || id::text, '-', ''), 'hex')"
    " from given join added using (id) on conflict do nothing)"
    " select id from added"
)
LEASED: Final = text(
    f"with held as (select jobs.id from jobs join {GIVEN} on given.id = jobs.id and given.token = jobs.lease_token"
    " where tenant_id = :tenant and status = 'RUNNING' and leased_until > now() order by jobs.id for update of jobs)"
    f" update jobs set leased_until = {RENEWED} from held where jobs.tenant_id = :tenant and jobs.id = held.id"
    " returning jobs.id, kind, status, attempt, max_attempts, priority, deadline_at, cancel_requested_at"
)
HOLDING: Final = text(
    "select jobs.id, kind, status, attempt, max_attempts, priority, deadline_at, cancel_requested_at"
    f" from jobs join {GIVEN} on given.id = jobs.id and given.token = jobs.lease_token"
    " where tenant_id = :tenant and status = 'RUNNING' and leased_until > now() order by jobs.id for update of jobs"
)
LOCKED: Final = text(
    "select id, kind, status, slot_kind, turn_at, not_before,"
    " coalesce(not_before > now(), false) as early, coalesce(deadline_at <= now(), false) as late"
    " from jobs where tenant_id = :tenant and id = any(:ids) order by id for update"
)
KNOWN_SLOTS: Final = text("select distinct kind from slots")
FREE_SLOTS: Final = text(
    "select kind, resource, number from slots where kind = :kind and open and job_id is null"
    " order by number, resource limit :most for update skip locked"
)
TAKE_SLOT: Final = text(
    "update slots set job_tenant_id = :tenant, job_id = :id, lease_token = :token, leased_at = now()"
    " where kind = :kind and resource = :resource and number = :number"
)
_BEGIN: Final = (
    "status = 'RUNNING', attempt = attempt + 1, worker_name = :worker, not_before = null,"
    f" leased_until = {RENEWED}, started_at = coalesce(started_at, now()),"
    " progress_value = null, progress_max = null, progress_step = null"
)
_BEGUN: Final = (
    "jobs.tenant_id, jobs.id, kind, attempt, max_attempts, payload, payload_hash, requested_by_noun, requested_by_id,"
    " task, subject_noun, subject_id, model, workflow, room_type, keywords, prompt, prompt_version, prompt_hash,"
    " photo_id, deadline_at, extract(epoch from deadline_at - now())::float8 as seconds_left, lease_token"
)
# Jobs that need no slot begin in one statement, and their tickets go.
BEGIN_AT_ONCE: Final = text(
    f"with begun as (update jobs set {_BEGIN}, lease_token = gen_random_uuid()"
    " where tenant_id = :tenant and id = any(:ids) and status = 'QUEUED' and slot_kind is null"
    " and coalesce(not_before <= now(), true) and coalesce(deadline_at > now(), true)"
    f" returning {_BEGUN}, turn_at),"
    " gone as (delete from pgqueuer.pgqueuer where dedupe_key in (select id::text from begun))"
    " select * from begun order by turn_at, id"
)
# With the jobs that begin go the tickets of all that need none any more.
BEGIN: Final = text(
    f"with begun as (update jobs set {_BEGIN}, lease_token = given.token"
    f" from {GIVEN} where jobs.tenant_id = :tenant and jobs.id = given.id returning {_BEGUN}),"
    " gone as (delete from pgqueuer.pgqueuer where dedupe_key = any(cast(:gone as text[])))"
    " select * from begun"
)
# Slots that are freed and jobs that begin again later are told of to workers: the one by a notification, the others by
# their tickets. A job that is not locked already is settled under the token of its lease.
SETTLE: Final = text(
    "with given as (select * from unnest(cast(:ids as uuid[]), cast(:statuses as text[]),"
    " cast(:afters as timestamptz[]), cast(:codes as text[]), cast(:messages as text[]),"
    " cast(:retryable as boolean[]), cast(:more as integer[]),"
    " cast(:tokens as uuid[])) as given(id, status, after, code, message, retryable, more, token)),"
    " settled as (update jobs set status = given.status, lease_token = null, leased_until = null, worker_name = null,"
    " not_before = given.after, finished_at = case when given.status = 'QUEUED' then null else now() end,"
    " max_attempts = max_attempts + given.more,"
    " error_code = given.code, error_message = given.message, error_retryable = given.retryable"
    " from given where jobs.tenant_id = :tenant and jobs.id = given.id"
    " and (given.token is null or jobs.lease_token = given.token and jobs.leased_until > now())"
    " returning jobs.id, jobs.status, jobs.kind, jobs.slot_kind, jobs.turn_at, jobs.not_before),"
    " freed as (update slots set job_tenant_id = null, job_id = null, lease_token = null, leased_at = null"
    " where job_tenant_id = :tenant and job_id in (select id from settled) returning number)"
    " select settled.*, (select count(*) from freed) as freed from settled"
)
# A proposal's source stays, and is looked at no more once its items have gone. A key that stands for a job goes with
# it: whoever sends it again would be answered with a job that is not there.
FORGET: Final = text("""
    with old as materialized (
        select id, exists (select from proposals p where p.tenant_id = :tenant and p.job_id = jobs.id) as named
        from jobs
        where tenant_id = :tenant and kind = 'INFERENCE' and finished_at < :before and (
            not exists (select from proposals p where p.tenant_id = :tenant and p.job_id = jobs.id)
            or exists (select from inference_items i where i.tenant_id = :tenant and i.job_id = jobs.id))
        order by finished_at, id limit :most for update skip locked
    ),
    texts as (delete from inference_items i using old where i.tenant_id = :tenant and i.job_id = old.id),
    gone as (delete from jobs using old where jobs.tenant_id = :tenant and jobs.id = old.id and not old.named),
    keys as (
        delete from idempotency_keys k using old
        where k.tenant_id = :tenant and k.created_at < :before and k.result #>> '{}' = old.id::text and not old.named
    )
    select count(*) from old
""")
FREED: Final = text(f"select pg_notify('{CHANNEL}', 'slots')")
QUEUES: Final = "select name, depth, running, oldest_seconds, finished_per_minute from queue_states()"
STOP: Final = text(f"select pg_notify('{CHANNEL}', 'stop ' || cast(:id as text))")

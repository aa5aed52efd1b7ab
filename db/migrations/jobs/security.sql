-- Who may touch jobs, and what workers may know of all tenants. Each statement ends in a semicolon and a blank line.

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE jobs FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON jobs
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

-- A slot is a machine's, which belongs to no tenant.
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, slots TO velocity_app;

GRANT SELECT (tenant_id, id, kind, status, turn_at, created_at, deadline_at, leased_until) ON jobs TO velocity_lookup;

GRANT USAGE ON SCHEMA pgqueuer TO velocity_lookup;

GRANT SELECT (dedupe_key, status) ON pgqueuer.pgqueuer TO velocity_lookup;

CREATE POLICY lookup ON jobs FOR SELECT TO velocity_lookup USING (true);

GRANT CREATE ON SCHEMA public TO velocity_lookup;

SET LOCAL ROLE velocity_lookup;

-- Running jobs whose worker stopped answering.
CREATE FUNCTION public.abandoned_jobs(most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.tenant_id, j.id FROM public.jobs j WHERE j.status = 'RUNNING' AND j.leased_until <= now()
    ORDER BY j.leased_until, j.id LIMIT most
$$;

-- Queued jobs that were to be done by now.
CREATE FUNCTION public.overdue_jobs(most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.tenant_id, j.id FROM public.jobs j WHERE j.status = 'QUEUED' AND j.deadline_at <= now()
    ORDER BY j.deadline_at, j.id LIMIT most
$$;

-- Queued jobs that wait for longer than some seconds without a ticket: the database was restored, or tickets were lost.
CREATE FUNCTION public.unticketed_jobs(seconds integer, most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.tenant_id, j.id FROM public.jobs j
    WHERE j.status = 'QUEUED' AND j.created_at < now() - make_interval(secs => seconds) AND NOT EXISTS (
        SELECT FROM pgqueuer.pgqueuer t
        WHERE t.dedupe_key = j.id::text AND t.status = ANY ('{queued, picked}'::pgqueuer.pgqueuer_status[])
    )
    ORDER BY j.turn_at, j.id LIMIT most
$$;

REVOKE ALL ON FUNCTION
    public.abandoned_jobs(integer), public.overdue_jobs(integer), public.unticketed_jobs(integer, integer)
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    public.abandoned_jobs(integer), public.overdue_jobs(integer), public.unticketed_jobs(integer, integer)
TO velocity_app;

RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM velocity_lookup;

-- Events that nobody audits, told in the tenant's order. It runs as its caller, whom row-level security binds.
CREATE FUNCTION public.write_events(tenant uuid, at timestamptz, actor_noun text, actor_id uuid, changes json)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number integer := json_array_length(changes);
    last bigint;
BEGIN
    UPDATE public.tenant_heads h SET event_sequence = h.event_sequence + number WHERE h.tenant_id = tenant
    RETURNING h.event_sequence INTO STRICT last;
    INSERT INTO public.events (
        tenant_id, sequence, id, at, kind, actor_noun, actor_id, subject_noun, subject_id, person_id, payload
    )
    SELECT tenant, last - number + c.place, c.event_id, write_events.at, c.event, write_events.actor_noun,
           write_events.actor_id, c.noun, c.subject, c.person, c.payload
    FROM ROWS FROM (
        json_to_recordset(changes) AS (event_id uuid, event text, noun text, subject uuid, person uuid, payload json)
    ) WITH ORDINALITY AS c (event_id, event, noun, subject, person, payload, place);
    RETURN last;
END
$$;

REVOKE ALL ON FUNCTION public.write_events(uuid, timestamptz, text, uuid, json) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION public.write_events(uuid, timestamptz, text, uuid, json) TO velocity_app;

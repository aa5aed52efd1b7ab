-- Who may touch jobs, and what workers may know of all tenants. Each statement ends in a semicolon and a blank line.

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE jobs FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON jobs
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

-- A slot is a machine's, which belongs to no tenant.
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, slots TO velocity_app;

GRANT SELECT (tenant_id, id, kind, status, turn_at, not_before, deadline_at, leased_until) ON jobs TO velocity_lookup;

CREATE POLICY lookup ON jobs FOR SELECT TO velocity_lookup USING (true);

GRANT CREATE ON SCHEMA public TO velocity_lookup;

SET LOCAL ROLE velocity_lookup;

-- Queued jobs of some kinds that may begin, in their turn.
CREATE FUNCTION public.claimable_jobs(kinds text[], most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.tenant_id, j.id FROM public.jobs j
    WHERE j.status = 'QUEUED' AND j.kind = ANY (kinds) AND coalesce(j.not_before <= now(), true)
      AND coalesce(j.deadline_at > now(), true)
    ORDER BY j.turn_at, j.id LIMIT most
$$;

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

REVOKE ALL ON FUNCTION
    public.claimable_jobs(text[], integer), public.abandoned_jobs(integer), public.overdue_jobs(integer)
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    public.claimable_jobs(text[], integer), public.abandoned_jobs(integer), public.overdue_jobs(integer)
TO velocity_app;

RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM velocity_lookup;

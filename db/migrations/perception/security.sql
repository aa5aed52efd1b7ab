-- Who may touch what, and what the sweep may know of all tenants. Each statement ends in a semicolon and a blank line.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'erasure_receipts', 'erasures', 'notifications', 'perception_batches', 'perception_sessions', 'scenes', 'videos',
        'visitor_scores'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$
            CREATE POLICY tenant ON %I
            USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
            WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
        $policy$, name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    erasure_receipts, erasures, notifications, perception_batches, perception_sessions, scenes, videos, visitor_scores
TO velocity_app;

GRANT SELECT (tenant_id, id, status, consent_id, requested_at) ON erasures TO velocity_lookup;

GRANT SELECT (tenant_id, consent_id, started_at, measured) ON perception_sessions TO velocity_lookup;

GRANT SELECT (tenant_id, id, expires_at, withdrawn_at) ON consents TO velocity_lookup;

GRANT SELECT (tenant_id, id, status, assignee_id, due_at, notified_due_at) ON tasks TO velocity_lookup;

CREATE POLICY lookup ON erasures FOR SELECT TO velocity_lookup USING (true);

CREATE POLICY lookup ON perception_sessions FOR SELECT TO velocity_lookup USING (true);

CREATE POLICY lookup ON consents FOR SELECT TO velocity_lookup USING (true);

CREATE POLICY lookup ON tasks FOR SELECT TO velocity_lookup USING (true);

GRANT CREATE ON SCHEMA public TO velocity_lookup;

SET LOCAL ROLE velocity_lookup;

-- Erasures that were ordered and are not finished.
CREATE FUNCTION public.unfinished_erasures(most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.tenant_id, e.id FROM public.erasures e WHERE e.status <> 'DONE' ORDER BY e.requested_at, e.id LIMIT most
$$;

-- Consents that let something be measured which is kept too long: they have ended, or the session began before a moment.
CREATE FUNCTION public.overdue_consents(moment timestamptz, before timestamptz, most integer)
RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT c.tenant_id, c.id
    FROM public.perception_sessions s JOIN public.consents c ON c.tenant_id = s.tenant_id AND c.id = s.consent_id
    WHERE s.measured AND (c.withdrawn_at <= moment OR c.expires_at <= moment OR s.started_at <= before)
      AND NOT EXISTS (
          SELECT FROM public.erasures e
          WHERE e.tenant_id = c.tenant_id AND e.consent_id = c.id AND e.status <> 'DONE'
      )
    ORDER BY 1, 2 LIMIT most
$$;

-- Open tasks that came due after a moment, and of which nobody was told.
CREATE FUNCTION public.due_tasks(moment timestamptz, since timestamptz, most integer)
RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.tenant_id, t.id FROM public.tasks t
    WHERE t.status = 'OPEN' AND t.due_at <= moment AND t.due_at > since AND t.assignee_id IS NOT NULL
      AND t.notified_due_at IS DISTINCT FROM t.due_at
    ORDER BY t.due_at, t.id LIMIT most
$$;

REVOKE ALL ON FUNCTION
    public.unfinished_erasures(integer), public.overdue_consents(timestamptz, timestamptz, integer),
    public.due_tasks(timestamptz, timestamptz, integer)
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    public.unfinished_erasures(integer), public.overdue_consents(timestamptz, timestamptz, integer),
    public.due_tasks(timestamptz, timestamptz, integer)
TO velocity_app;

RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM velocity_lookup;

-- Who may touch camera events, and what the sweep may know of all tenants.

ALTER TABLE cctv_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE cctv_events FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON cctv_events
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

GRANT SELECT, INSERT, UPDATE, DELETE ON cctv_events TO velocity_app;

GRANT SELECT (tenant_id) ON cctv_events TO velocity_lookup;

CREATE POLICY lookup ON cctv_events FOR SELECT TO velocity_lookup USING (true);

GRANT CREATE ON SCHEMA public TO velocity_lookup;

SET LOCAL ROLE velocity_lookup;

-- Tenants that keep camera events, in no order, so that each has its turn where there are more.
CREATE FUNCTION public.watched_tenants(most integer) RETURNS TABLE (tenant_id uuid, id uuid) ROWS 100
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id, t.id FROM public.tenants t
    WHERE EXISTS (SELECT FROM public.cctv_events e WHERE e.tenant_id = t.id) ORDER BY random() LIMIT most
$$;

REVOKE ALL ON FUNCTION public.watched_tenants(integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION public.watched_tenants(integer) TO velocity_app;

RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM velocity_lookup;

-- Machines are the installation's: no row is a tenant's, so there is nothing that row-level security would tell apart.

GRANT SELECT, INSERT, UPDATE, DELETE ON hosts, gpus, gpu_samples, gpu_xids, fleet_workers, fleet_releases TO velocity_app;

-- What was set stays: a mode is locked and followed by another, and never changed. To lock one takes UPDATE.
GRANT SELECT, INSERT, UPDATE (mode) ON fleet_modes TO velocity_app;

-- The read engine reads as a tenant, and each tenant sees the same machines.
CREATE VIEW seen_hosts WITH (security_invoker = true) AS
SELECT nullif(current_setting('app.tenant_id', true), '')::uuid AS tenant_id, id, hostname, source, driver, problem, sampled_at
FROM hosts;

CREATE VIEW seen_workers WITH (security_invoker = true) AS
SELECT nullif(current_setting('app.tenant_id', true), '')::uuid AS tenant_id, id, kind, name, url, gpu, answers, queue_depth, seen_at
FROM fleet_workers;

GRANT SELECT ON seen_hosts, seen_workers TO velocity_app;

CREATE INDEX ix_jobs_finished_at ON jobs (finished_at) WHERE finished_at IS NOT NULL;

GRANT SELECT (created_at, finished_at) ON jobs TO velocity_lookup;

GRANT CREATE ON SCHEMA public TO velocity_lookup;

SET LOCAL ROLE velocity_lookup;

-- What waits and runs of whosever work, and how much was finished in a minute of the last five. Sums, and no ids.
CREATE FUNCTION public.queue_states() RETURNS TABLE (
    name text, depth integer, running integer, oldest_seconds double precision, finished_per_minute double precision
) ROWS 2
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.name, q.depth, r.running, q.oldest_seconds, f.finished / 5.0::double precision
    FROM unnest(ARRAY['INFERENCE', 'RENDER']) AS k (name)
    CROSS JOIN LATERAL (
        SELECT count(*)::integer AS depth,
               extract(epoch FROM now() - min(j.created_at))::double precision AS oldest_seconds
        FROM public.jobs j WHERE j.kind = k.name AND j.status = 'QUEUED'
    ) q
    CROSS JOIN LATERAL (
        SELECT count(*)::integer AS running FROM public.jobs j WHERE j.kind = k.name AND j.status = 'RUNNING'
    ) r
    CROSS JOIN LATERAL (
        SELECT count(*)::integer AS finished FROM public.jobs j
        WHERE j.kind = k.name AND j.finished_at > now() - interval '5 minutes' AND j.status IN ('SUCCEEDED', 'PARTIAL', 'FAILED')
    ) f
$$;

REVOKE ALL ON FUNCTION public.queue_states() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION public.queue_states() TO velocity_app;

RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM velocity_lookup

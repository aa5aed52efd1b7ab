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

GRANT SELECT ON seen_hosts, seen_workers TO velocity_app

-- Who may touch what is switched and what is asked. Each statement ends in a semicolon and a blank line.

ALTER TABLE inference_providers ENABLE ROW LEVEL SECURITY;

ALTER TABLE inference_providers FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON inference_providers
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

ALTER TABLE inference_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE inference_items FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON inference_items
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

GRANT SELECT, INSERT, UPDATE, DELETE ON inference_providers, inference_items TO velocity_app;

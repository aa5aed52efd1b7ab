-- Files that are nodes of the graph, and which of them a render made. Each statement ends in a semicolon and a blank line.

CREATE TABLE assets (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    object_key TEXT NOT NULL CONSTRAINT ck_assets_object_key_length CHECK (char_length("object_key") BETWEEN 1 AND 500),
    thumbnail_key TEXT CONSTRAINT ck_assets_thumbnail_key_length CHECK (char_length("thumbnail_key") BETWEEN 1 AND 500),
    content_type TEXT NOT NULL CONSTRAINT ck_assets_content_type_length CHECK (char_length("content_type") BETWEEN 1 AND 100),
    bytes INTEGER NOT NULL CONSTRAINT ck_assets_bytes_least CHECK ("bytes" >= 1),
    width INTEGER CONSTRAINT ck_assets_width_least CHECK ("width" >= 1),
    height INTEGER CONSTRAINT ck_assets_height_least CHECK ("height" >= 1),
    created_by_noun TEXT NOT NULL CONSTRAINT ck_assets_created_by_noun_name CHECK (created_by_noun ~ '^[a-z_]{1,40}$'),
    created_by_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_assets PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_assets_created_by_whole CHECK ((created_by_noun IS NULL) = (created_by_id IS NULL)),
    CONSTRAINT ck_assets_object_key_stands_in_addresses CHECK (object_key ~ '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$'),
    CONSTRAINT ck_assets_thumbnail_key_stands_in_addresses CHECK (thumbnail_key ~ '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$'),
    CONSTRAINT fk_assets_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT uq_assets_tenant_id_object_key UNIQUE (tenant_id, object_key)
);

CREATE INDEX ix_assets_tenant_id_created_at_id ON assets (tenant_id, created_at, id);

CREATE TABLE render_outputs (
    tenant_id UUID NOT NULL,
    job_id UUID NOT NULL,
    position INTEGER NOT NULL CONSTRAINT ck_render_outputs_position_least CHECK ("position" >= 1),
    asset_id UUID NOT NULL,
    attempt INTEGER NOT NULL CONSTRAINT ck_render_outputs_attempt_least CHECK ("attempt" >= 1),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_render_outputs PRIMARY KEY (tenant_id, job_id, position),
    CONSTRAINT fk_render_outputs_tenant_id_job_id FOREIGN KEY(tenant_id, job_id) REFERENCES jobs (tenant_id, id),
    CONSTRAINT fk_render_outputs_tenant_id_asset_id FOREIGN KEY(tenant_id, asset_id) REFERENCES assets (tenant_id, id),
    CONSTRAINT uq_render_outputs_tenant_id_asset_id UNIQUE (tenant_id, asset_id)
);

ALTER TABLE assets ENABLE ROW LEVEL SECURITY;

ALTER TABLE assets FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON assets
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

ALTER TABLE render_outputs ENABLE ROW LEVEL SECURITY;

ALTER TABLE render_outputs FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON render_outputs
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

GRANT SELECT, INSERT, UPDATE, DELETE ON assets, render_outputs TO velocity_app;

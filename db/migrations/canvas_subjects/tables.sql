-- Whom the kept rows of canvases are about. Each statement ends in a semicolon and a blank line: that is how the revision splits this file.

CREATE TABLE canvas_data_subjects (
    tenant_id UUID NOT NULL,
    digest BYTEA NOT NULL CONSTRAINT ck_canvas_data_subjects_digest_sha256 CHECK (octet_length(digest) = 32),
    subject_noun TEXT NOT NULL CONSTRAINT ck_canvas_data_subjects_subject_noun_name CHECK (subject_noun ~ '^[a-z_]{1,40}$'),
    subject_id UUID NOT NULL,
    CONSTRAINT pk_canvas_data_subjects PRIMARY KEY (tenant_id, digest, subject_noun, subject_id),
    CONSTRAINT ck_canvas_data_subjects_subject_whole CHECK ((subject_noun IS NULL) = (subject_id IS NULL)),
    CONSTRAINT fk_canvas_data_subjects_tenant_id_digest FOREIGN KEY(tenant_id, digest) REFERENCES canvas_data (tenant_id, digest)
);

CREATE INDEX ix_canvas_data_subjects_of_subject ON canvas_data_subjects (tenant_id, subject_noun, subject_id, digest);

ALTER TABLE canvas_data_subjects ENABLE ROW LEVEL SECURITY;

ALTER TABLE canvas_data_subjects FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON canvas_data_subjects
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

GRANT SELECT, INSERT ON canvas_data_subjects TO velocity_app;

-- Of what was kept before, nobody knows whom it is about, and no erasure would find it. Whoever opens it reads it again.
DO $$
DECLARE
    tenant uuid;
BEGIN
    FOR tenant IN SELECT public.all_tenant_ids() LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        UPDATE canvas_data SET rows = NULL, salt = NULL, erased_at = now() WHERE tenant_id = tenant AND erased_at IS NULL;
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END
$$;

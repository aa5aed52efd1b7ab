-- Who may touch what of canvases. Each statement ends in a semicolon and a blank line: that is how the revision splits this file.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'canvas_components', 'canvas_data', 'canvas_placements', 'canvas_revision_parents', 'canvas_revisions', 'canvas_shares',
        'canvases', 'merge_request_reviews', 'merge_requests'
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

GRANT SELECT, INSERT, UPDATE ON canvases, merge_requests TO velocity_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON canvas_shares TO velocity_app;

-- History is added to, never rewritten.
GRANT SELECT, INSERT ON
    canvas_components, canvas_revision_parents, canvas_revisions, merge_request_reviews
TO velocity_app;

-- A placement ends; nothing else about it changes.
GRANT SELECT, INSERT, UPDATE (until_number) ON canvas_placements TO velocity_app;

-- Rows can be erased; whose they were and what digest they had stays.
GRANT SELECT, INSERT, UPDATE (rows, salt, erased_at) ON canvas_data TO velocity_app;

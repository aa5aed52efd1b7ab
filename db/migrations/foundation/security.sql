-- Who may touch what. Each statement ends in a semicolon and a blank line: that is how the revision splits this file.

-- No role but the owner makes tables, not even temporary ones.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

-- Row-level security, forced: it binds the owner too.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'accounts', 'activity_entries', 'api_key_operations', 'api_keys', 'audit_entries', 'consents', 'events', 'facts', 'households',
        'idempotency_keys', 'interactions', 'lead_shares', 'leads', 'objections', 'opportunities', 'people',
        'persisted_operations', 'person_accounts', 'person_duplicates', 'projects', 'properties', 'property_interests', 'property_media',
        'proposals', 'provider_settings', 'qd_rollups', 'qd_scores', 'refresh_tokens', 'relationships', 'sessions', 'sign_ins',
        'stage_changes', 'system_actors', 'tags', 'tasks', 'team_members', 'teams', 'tenant_heads', 'tenants',
        'thread_messages', 'thread_reads', 'threads', 'transcript_segments', 'uploads', 'users'
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

-- What the application changes at will, within its tenant. Partitions get no grants: one would go around its parent.
GRANT SELECT, INSERT, UPDATE, DELETE ON
    accounts, activity_entries, api_key_operations, api_keys, consents, facts, households, idempotency_keys, interactions, lead_shares,
    leads, objections, opportunities, people, person_accounts, person_duplicates, projects, properties,
    property_interests, property_media, proposals, provider_settings, qd_rollups, qd_scores, refresh_tokens, relationships, sessions, stage_changes,
    tags, tasks, team_members, teams, thread_messages, thread_reads, threads, transcript_segments, uploads, users
TO velocity_app;

-- History is added to, never rewritten.
GRANT SELECT, INSERT ON audit_entries, events TO velocity_app;

-- Tenants, their heads and their system actors come with the tenant, which only the owner creates.
GRANT SELECT, UPDATE ON tenants, tenant_heads TO velocity_app;

GRANT SELECT ON system_actors TO velocity_app;

-- Which documents may run is registered by the owner alone.
GRANT SELECT ON persisted_operations TO velocity_app;

-- A password's hash is written, and read by nothing but sign_in_user().
GRANT INSERT, UPDATE, DELETE ON sign_ins TO velocity_app;

GRANT SELECT (tenant_id, user_id, email_normalised, updated_at) ON sign_ins TO velocity_app;

-- No tenant's rows, only hashes: attempts are counted before anybody is known.
GRANT SELECT, INSERT, DELETE, UPDATE (succeeded) ON sign_in_attempts TO velocity_app;

-- Readiness: is the database at the revision that this release needs?
GRANT SELECT ON alembic_version TO velocity_app;

-- The role behind the look-ups sees these columns, of all tenants.
GRANT SELECT (tenant_id, user_id, email_normalised, password_hash) ON sign_ins TO velocity_lookup;

GRANT SELECT (tenant_id, session_id, id, token_hash) ON refresh_tokens TO velocity_lookup;

GRANT SELECT (tenant_id, id, secret_hash, previous_secret_hash) ON api_keys TO velocity_lookup;

GRANT SELECT (tenant_id, id, state, expires_at) ON uploads TO velocity_lookup;

GRANT SELECT (id) ON tenants TO velocity_lookup;

CREATE POLICY lookup ON sign_ins FOR SELECT TO velocity_lookup USING (true);

CREATE POLICY lookup ON refresh_tokens FOR SELECT TO velocity_lookup USING (true);

CREATE POLICY lookup ON api_keys FOR SELECT TO velocity_lookup USING (true);

CREATE POLICY lookup ON uploads FOR SELECT TO velocity_lookup USING (true);

CREATE POLICY lookup ON tenants FOR SELECT TO velocity_lookup USING (true);

-- Every unit updates its tenant's head. Room on the page, and vacuuming early, keep its old versions from piling up.
ALTER TABLE tenant_heads SET (
    fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0
);

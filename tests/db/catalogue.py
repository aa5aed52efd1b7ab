"""The rules that every table, index, grant and function keeps, as questions to PostgreSQL's catalogue.

Each statement answers with one line per fault; `$1` is the schema that is looked at.
"""

from typing import Final

from asyncpg import Connection, Record

from db.roles import APP, LOOKUP

TENANT: Final = (
    "(tenant_id = ( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid AS \"nullif\"))"
)

# Tables that hold no tenant's rows.
WITHOUT_TENANT: Final = (
    "'{alembic_version, fleet_modes, fleet_releases, fleet_workers, gpu_samples, gpu_xids, gpus, hosts,"
    " provider_paces, provider_sightings, sign_in_attempts, slots}'::text[]"
)

# What is asked before a tenant is known: an e-mail address is unique to the installation, a hash cannot be guessed,
# and the sweep learns nothing but ids.
LOOKED_UP: Final = (
    "'{uq_sign_ins_email_normalised, ix_refresh_tokens_token_hash, ix_api_keys_secret_hash,"
    " ix_api_keys_previous_secret_hash, ix_uploads_expires_at, ix_perception_sessions_started_at,"
    " ix_perception_sessions_running, ix_erasures_requested_at, ix_tasks_due_at, ix_jobs_turn_at, ix_jobs_leased_until,"
    " ix_jobs_deadline_at, ix_jobs_finished_at, ix_proposals_pending,"
    " ix_render_files_created_at}'::text[]"
)
LOOKUP_TABLES: Final = (
    "'{api_keys, cctv_events, consents, erasures, jobs, perception_batches, perception_sessions, proposals,"
    " refresh_tokens, render_files,"
    " sign_ins, tasks, tenants, uploads}'::text[]"
)

# History.
ADDED_TO: Final = (
    "'{audit_entries, canvas_components, canvas_revision_parents, canvas_revisions, events,"
    " merge_request_reviews}'::text[]"
)

OURS: Final = """
WITH ours AS (
    SELECT oid, relname, relispartition, relrowsecurity, relforcerowsecurity, relacl, relowner,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id') AS tenanted
    FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p')
)
"""

STATEMENTS: Final = (
    f"""{OURS}
    SELECT format('%s has no tenant_id', relname) FROM ours
    WHERE NOT tenanted AND relname <> ALL ({WITHOUT_TENANT})""",
    f"""{OURS}
    SELECT format('%s: tenant_id is not its first column', relname) FROM ours
    JOIN pg_attribute ON attrelid = ours.oid AND attname = 'tenant_id'
    WHERE attnum <> 1 OR NOT attnotnull OR atttypid <> 'uuid'::regtype""",
    f"""{OURS}
    SELECT format('%s: row-level security is not enabled and forced', relname) FROM ours
    WHERE tenanted AND NOT (relrowsecurity AND relforcerowsecurity)""",
    f"""{OURS}
    SELECT format('%s: no policy `tenant` with the one expression to use and to check', relname) FROM ours
    WHERE tenanted AND NOT relispartition AND NOT EXISTS (
        SELECT FROM pg_policy WHERE polrelid = ours.oid AND polname = 'tenant' AND polpermissive AND polcmd = '*'
          AND polroles = '{{0}}' AND pg_get_expr(polqual, polrelid) = $2
          AND pg_get_expr(polwithcheck, polrelid) = $2
    )""",
    f"""{OURS}
    SELECT format('%s: a policy `%s` that lets somebody past', relname, polname) FROM ours
    JOIN pg_policy ON polrelid = ours.oid
    WHERE polname <> 'tenant' AND NOT (
        relname = ANY ({LOOKUP_TABLES}) AND polname = 'lookup' AND polcmd = 'r'
        AND polroles = ARRAY[(SELECT oid FROM pg_roles WHERE rolname = '{LOOKUP}')]
    )""",
    f"""{OURS}
    SELECT format('%s: %s does not begin with tenant_id', relname, indexrelid::regclass::text) FROM ours
    JOIN pg_index ON indrelid = ours.oid
    LEFT JOIN pg_attribute ON attrelid = ours.oid AND attnum = indkey[0]
    WHERE tenanted AND attname IS DISTINCT FROM 'tenant_id' AND indexrelid::regclass::text <> ALL
        ({LOOKED_UP})""",
    f"""{OURS}
    SELECT format('%s: %s does not go from tenant_id to tenant_id', relname, conname) FROM ours
    JOIN pg_constraint ON conrelid = ours.oid AND contype = 'f'
    JOIN pg_attribute here ON here.attrelid = conrelid AND here.attnum = conkey[1]
    JOIN pg_attribute there ON there.attrelid = confrelid AND there.attnum = confkey[1]
    WHERE (here.attname <> 'tenant_id' OR there.attname <> 'tenant_id')
      AND (tenanted OR confrelid IN (SELECT oid FROM ours WHERE tenanted))""",
    f"""{OURS}
    SELECT format('%s.%s: %s', relname, attname, format_type(atttypid, NULL)) FROM ours
    JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0
    WHERE atttypid IN ('real'::regtype, 'timestamp'::regtype, 'money'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
      AND relname <> 'alembic_version'""",
    f"""{OURS}
    SELECT format('%s: a partition with grants', relname) FROM ours, aclexplode(relacl) AS granted
    WHERE relispartition AND grantee <> relowner""",
    f"""{OURS}
    SELECT format('%s: PUBLIC may %s', relname, privilege_type) FROM ours, aclexplode(relacl) WHERE grantee = 0""",
    f"""{OURS}
    SELECT format('%s: the application may %s', relname, privilege_type) FROM ours, aclexplode(relacl)
    WHERE grantee = '{APP}'::regrole AND (
        is_grantable OR privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        OR relname = ANY ({ADDED_TO}) AND privilege_type NOT IN ('SELECT', 'INSERT')
    )""",
    f"""
    SELECT format('%s belongs to %s', relname, relowner::regrole) FROM pg_class
    WHERE relowner IN ('{APP}'::regrole, '{LOOKUP}'::regrole)
      AND relnamespace = $1::text::regnamespace AND relkind <> 'i'
    UNION ALL
    SELECT format('%s belongs to %s', proname, proowner::regrole) FROM pg_proc
    WHERE proowner = '{APP}'::regrole AND pronamespace = $1::text::regnamespace""",
    """
    SELECT format('%s: a view that shows what its owner may see', relname) FROM pg_class
    WHERE relnamespace = $1::text::regnamespace
      AND (relkind = 'm' OR relkind = 'v' AND NOT coalesce(reloptions @> '{security_invoker=true}', false))""",
    """
    SELECT format('%s: PUBLIC may execute it', proname) FROM pg_proc
    WHERE pronamespace = $1::text::regnamespace
      AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)""",
    """
    SELECT format('%s: its search_path is not pinned', proname) FROM pg_proc
    WHERE pronamespace = $1::text::regnamespace
      AND NOT coalesce(proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)""",
    f"""
    SELECT format('%s: runs as %s, not as {LOOKUP}', proname, proowner::regrole) FROM pg_proc
    WHERE pronamespace = $1::text::regnamespace AND prosecdef AND proowner <> '{LOOKUP}'::regrole""",
    f"""
    SELECT format('the role %s may do too much', rolname) FROM pg_roles
    WHERE rolname IN ('{APP}', '{LOOKUP}') AND $1::text IS NOT NULL
      AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
           OR rolname = '{LOOKUP}' AND rolcanlogin)
    UNION ALL
    SELECT format('the role {APP} is a member of %s', roleid::regrole) FROM pg_auth_members
    WHERE member = '{APP}'::regrole""",
)


async def faults(connection: "Connection[Record]", schema: str) -> list[str]:
    """Every fault in a schema, one line each; empty if it keeps all the rules."""
    found: list[str] = []
    for statement in STATEMENTS:
        arguments = (schema, TENANT) if "$2" in statement else (schema,)
        found += [row[0] for row in await connection.fetch(statement, *arguments)]
    return sorted(found)

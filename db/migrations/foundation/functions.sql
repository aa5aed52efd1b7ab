-- What runs inside the database. Each statement ends in a semicolon and a blank line.

-- The audit chain refuses every change, the owner's too.
CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are never changed' USING ERRCODE = 'insufficient_privilege';
END
$$;

REVOKE ALL ON FUNCTION public.refuse_change() FROM PUBLIC;

CREATE TRIGGER audit_entries_are_final BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER audit_entries_are_kept BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

-- The partitions of qd_scores from one month to another; answers how many it made. A partition is made apart and then
-- attached, which lets reads of the others go on. With row-level security and no policy, it shows itself to nobody who
-- does not come through the parent.
CREATE FUNCTION public.ensure_qd_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    starts timestamp := date_trunc('month', first_day::timestamp);
    made integer := 0;
    name text;
BEGIN
    WHILE starts <= last_day LOOP
        name := 'qd_scores_' || to_char(starts, 'YYYY_MM');
        IF to_regclass('public.' || name) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE public.%I (LIKE public.qd_scores INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name
            );
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
            EXECUTE format(
                'ALTER TABLE public.qd_scores ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                name, starts AT TIME ZONE 'UTC', (starts + interval '1 month') AT TIME ZONE 'UTC'
            );
            made := made + 1;
        END IF;
        starts := starts + interval '1 month';
    END LOOP;
    RETURN made;
END
$$;

REVOKE ALL ON FUNCTION public.ensure_qd_partitions(date, date) FROM PUBLIC;

-- qd_rollups follows qd_scores, whose statements all name the parent. An hour is whole in UTC. Added scores add up. Rows
-- are locked in the order of the key, so that two statements do not wait for each other in a circle.
CREATE FUNCTION public.roll_up_added() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.qd_rollups AS r (tenant_id, person_id, source, kind, hour, low, high, total, scores)
    SELECT tenant_id, person_id, source, kind, date_bin('1 hour', at, '2000-01-01 00:00:00+00') AS hour,
           min(score), max(score), sum(score), count(*)
    FROM added GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (tenant_id, person_id, source, kind, hour) DO UPDATE SET
        low = least(r.low, excluded.low), high = greatest(r.high, excluded.high),
        total = r.total + excluded.total, scores = r.scores + excluded.scores;
    RETURN NULL;
END
$$;

-- What has left an hour cannot be taken out of its lowest and highest score, so the hours are summed up anew. First
-- they are locked, with an empty row where there is none: only the next statement sees what others have committed
-- meanwhile.
CREATE FUNCTION public.roll_up_anew(
    tenants uuid[], people uuid[], sources text[], kinds text[], hours timestamptz[]
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.qd_rollups AS r (tenant_id, person_id, source, kind, hour, low, high, total, scores)
    SELECT t.*, 1, 1, 0, 0 FROM unnest(tenants, people, sources, kinds, hours) AS t ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (tenant_id, person_id, source, kind, hour) DO UPDATE SET scores = 0;
    UPDATE public.qd_rollups AS r SET low = s.low, high = s.high, total = s.total, scores = s.scores
    FROM unnest(tenants, people, sources, kinds, hours) AS t (tenant_id, person_id, source, kind, hour)
    CROSS JOIN LATERAL (
        SELECT min(score) AS low, max(score) AS high, sum(score) AS total, count(*) AS scores
        FROM public.qd_scores AS s
        WHERE s.tenant_id = t.tenant_id AND s.person_id = t.person_id AND s.at >= t.hour
          AND s.at < t.hour + interval '1 hour' AND s.source = t.source AND s.kind = t.kind
    ) AS s
    WHERE s.scores > 0 AND r.tenant_id = t.tenant_id AND r.person_id = t.person_id AND r.source = t.source
      AND r.kind = t.kind AND r.hour = t.hour;
    DELETE FROM public.qd_rollups AS r
    USING unnest(tenants, people, sources, kinds, hours) AS t (tenant_id, person_id, source, kind, hour)
    WHERE r.scores = 0 AND r.tenant_id = t.tenant_id AND r.person_id = t.person_id AND r.source = t.source
      AND r.kind = t.kind AND r.hour = t.hour;
END
$$;

CREATE FUNCTION public.roll_up_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.roll_up_anew(
        array_agg(tenant_id), array_agg(person_id), array_agg(source), array_agg(kind), array_agg(hour)
    )
    FROM (
        SELECT tenant_id, person_id, source, kind, date_bin('1 hour', at, '2000-01-01 00:00:00+00') AS hour FROM gone
        UNION
        SELECT tenant_id, person_id, source, kind, date_bin('1 hour', at, '2000-01-01 00:00:00+00') FROM added
    ) AS touched;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.roll_up_deleted() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.roll_up_anew(
        array_agg(tenant_id), array_agg(person_id), array_agg(source), array_agg(kind), array_agg(hour)
    )
    FROM (
        SELECT DISTINCT tenant_id, person_id, source, kind, date_bin('1 hour', at, '2000-01-01 00:00:00+00') AS hour
        FROM gone
    ) AS touched;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.roll_up_nothing() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    TRUNCATE public.qd_rollups;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION
    public.roll_up_added(), public.roll_up_changed(), public.roll_up_deleted(), public.roll_up_nothing(),
    public.roll_up_anew(uuid[], uuid[], text[], text[], timestamptz[])
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION public.roll_up_anew(uuid[], uuid[], text[], text[], timestamptz[]) TO velocity_app;

CREATE TRIGGER added_scores_are_rolled_up AFTER INSERT ON qd_scores
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.roll_up_added();

CREATE TRIGGER changed_scores_are_rolled_up AFTER UPDATE ON qd_scores
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.roll_up_changed();

CREATE TRIGGER deleted_scores_are_rolled_up AFTER DELETE ON qd_scores
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.roll_up_deleted();

CREATE TRIGGER truncated_scores_are_rolled_up AFTER TRUNCATE ON qd_scores
    FOR EACH STATEMENT EXECUTE FUNCTION public.roll_up_nothing();

-- The look-ups that come before a tenant is known, made by the role that owns them: it sees their columns and no more.
GRANT CREATE ON SCHEMA public TO velocity_lookup;

SET LOCAL ROLE velocity_lookup;

CREATE FUNCTION public.sign_in_user(address text)
RETURNS TABLE (tenant_id uuid, user_id uuid, password_hash text) ROWS 1
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.tenant_id, s.user_id, s.password_hash FROM public.sign_ins s WHERE s.email_normalised = address
$$;

CREATE FUNCTION public.refresh_session(hash bytea)
RETURNS TABLE (tenant_id uuid, session_id uuid, token_id uuid) ROWS 1
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.tenant_id, t.session_id, t.id FROM public.refresh_tokens t WHERE t.token_hash = hash
$$;

CREATE FUNCTION public.api_key_lookup(hash bytea)
RETURNS TABLE (tenant_id uuid, api_key_id uuid) ROWS 1
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.tenant_id, k.id FROM public.api_keys k WHERE k.secret_hash = hash OR k.previous_secret_hash = hash
$$;

CREATE FUNCTION public.expired_uploads(before timestamptz, most integer)
RETURNS TABLE (tenant_id uuid, upload_id uuid) ROWS 100
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.tenant_id, u.id FROM public.uploads u
    WHERE u.state <> 'CONSUMED' AND u.expires_at < before ORDER BY u.expires_at, u.id LIMIT most
$$;

CREATE FUNCTION public.all_tenant_ids() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id FROM public.tenants t ORDER BY t.id
$$;

REVOKE ALL ON FUNCTION
    public.sign_in_user(text), public.refresh_session(bytea), public.api_key_lookup(bytea),
    public.expired_uploads(timestamptz, integer), public.all_tenant_ids()
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    public.sign_in_user(text), public.refresh_session(bytea), public.api_key_lookup(bytea),
    public.expired_uploads(timestamptz, integer)
TO velocity_app;

-- The owner seeds, audits and sweeps tenant by tenant; the application never lists tenants.
DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION public.all_tenant_ids() TO %I', session_user);
END
$$;

RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM velocity_lookup;

"""Old events are removed, by a function that tells nothing but how many."""

from alembic import op

revision = "events_are_forgotten"
down_revision = "perception"

# The policy `tenant` binds the function as it binds everybody: it works as one tenant after the other. Only what comes
# first in a sequence goes, so that no gap is left, although a unit that began early may commit late.
FORGET = """
CREATE FUNCTION public.forget_events(before timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    caller text := coalesce(current_setting('app.tenant_id', true), '');
    tenant uuid;
    gone bigint;
    total bigint := 0;
BEGIN
    FOR tenant IN SELECT t.id FROM public.tenants t ORDER BY t.id LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        WITH first AS (
            SELECT e.sequence, e.at FROM public.events e WHERE e.tenant_id = tenant ORDER BY e.sequence LIMIT most
        )
        DELETE FROM public.events e WHERE e.tenant_id = tenant AND e.sequence <= (SELECT max(f.sequence) FROM first f)
          AND e.sequence < coalesce((SELECT min(f.sequence) FROM first f WHERE f.at >= before), 9223372036854775807);
        GET DIAGNOSTICS gone = ROW_COUNT;
        total := total + gone;
    END LOOP;
    PERFORM set_config('app.tenant_id', caller, true);
    RETURN total;
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("GRANT SELECT (tenant_id, sequence, at), DELETE ON events TO velocity_lookup")
    op.execute("GRANT CREATE ON SCHEMA public TO velocity_lookup")
    op.execute("SET LOCAL ROLE velocity_lookup")
    op.get_bind().exec_driver_sql(FORGET)
    op.execute("REVOKE ALL ON FUNCTION public.forget_events(timestamptz, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION public.forget_events(timestamptz, integer) TO velocity_app")
    op.execute("RESET ROLE")
    op.execute("REVOKE CREATE ON SCHEMA public FROM velocity_lookup")

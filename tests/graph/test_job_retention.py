"""Work for models that ended long ago goes, with all that was said; what others rest on stays."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from asyncpg import Connection, Record

from app.sweeping import Sweeps
from db.perception.overdue import SqlOverdue
from db.renders import SqlLeftFiles
from domain import jobs as domain
from domain.access import Role
from tests.api import Api
from tests.factories import inference, jobs, proposals
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"
NOW = datetime.now(UTC)
ANSWERED: dict[str, Any] = {
    "status": "SUCCEEDED",
    "finished_at": NOW,
    "output_text": "Ananya would pay 42 million.",
}


async def ended(owner: Owner, tenant: Tenant, days: float, *, items: int = 1, **given: Any) -> UUID:
    """Make a job that ended some days ago, with items that a model has answered."""
    at = NOW - timedelta(days=days)
    job_id = await jobs.job(
        owner, tenant, requested_by=tenant.outsider, **{"status": "SUCCEEDED", "finished_at": at, **given}
    )
    for number in range(items):
        await inference.item(owner, tenant, job_id=job_id, number=number, **ANSWERED)
    return job_id


async def sweep(api: Api, days: float = 30, **given: int) -> int:
    overdue = SqlOverdue(api.system.engine)
    return await domain.sweep(api.system.units, overdue, NOW - timedelta(days=days), **given)


async def left(owner: Owner, tenant: Tenant) -> tuple[set[UUID], int]:
    """Return the jobs that are left, and how many items."""
    found = {row["id"] for row in await rows_of(owner, "jobs", tenant.id)}
    return found, len(await rows_of(owner, "inference_items", tenant.id))


async def test_old_work_goes_with_its_items_and_says_so_once(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    for days in (31, 40, 400):
        await ended(owner_connection, tenant, days, items=3)
    await ended(owner_connection, tenant, 31, status="FAILED", items=0, error_code="UNAVAILABLE",
                error_message="Nobody.", error_retryable=True)  # fmt: skip
    await ended(owner_connection, other_tenant, 31)
    young = await ended(owner_connection, tenant, 29)

    assert await sweep(api) >= 5
    assert await sweep(api) == 0

    assert await left(owner_connection, tenant) == ({young}, 1)
    assert await left(owner_connection, other_tenant) == (set(), 0)
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["subject_noun"], entry["changed_fields"]) == ("DELETE", "tenants", ["jobs"])
    told = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert told == ["JobsForgotten"]


async def test_many_go_in_several_units(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    for _ in range(5):
        await ended(owner_connection, tenant, 31)
    assert await sweep(api, most=2) >= 5
    assert await left(owner_connection, tenant) == (set(), 0)
    assert len(await rows_of(owner_connection, "audit_entries", tenant.id)) == 3


async def test_what_waits_or_runs_stays_and_so_do_renders(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    long_ago = NOW - timedelta(days=300)
    kept = {
        await jobs.job(owner_connection, tenant, requested_by=tenant.outsider, created_at=long_ago),
        await jobs.job(owner_connection, tenant, requested_by=tenant.outsider, created_at=long_ago, status="RUNNING"),
        await ended(owner_connection, tenant, 300, kind="RENDER", items=0),
    }
    await sweep(api)
    assert (await left(owner_connection, tenant))[0] == kept


async def test_the_source_of_a_proposal_stays_without_a_word(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    source = await ended(owner_connection, tenant, 31, task="LEAD_TAGGER", items=2)
    await proposals.proposal(owner_connection, tenant, job_id=source)
    assert await sweep(api) >= 1
    assert await left(owner_connection, tenant) == ({source}, 0)
    # It is not found again: there is nothing left to take.
    assert await sweep(api, most=1) == 0
    queue = await api.data("{ proposals(first: 1) { edges { node { source { job { id } } } } } }", role=Role.ADMIN)
    assert queue["proposals"]["edges"][0]["node"]["source"]["job"]["id"] == f"job_{source}"


async def test_a_key_stands_for_other_work_once_its_job_has_gone(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    items = [{"requestId": "a", "messages": [{"role": "user", "content": "Hello."}]}]
    wanted = {"input": {"task": "CHAT", "items": items, "idempotencyKey": "visit-7"}}
    first = await api.data("InferenceSubmit", **wanted)
    assert await api.data("InferenceSubmit", **wanted) == first
    await owner_connection.execute(
        "UPDATE jobs SET status = 'CANCELLED', finished_at = $2 WHERE tenant_id = $1", tenant.id,
        NOW - timedelta(days=31),
    )  # fmt: skip
    await owner_connection.execute(
        "UPDATE idempotency_keys SET created_at = $2 WHERE tenant_id = $1", tenant.id, NOW - timedelta(days=32)
    )
    assert await sweep(api) >= 1
    second = await api.data("InferenceSubmit", **wanted)
    assert second["inferenceSubmit"]["job"]["status"] == "QUEUED"
    assert second["inferenceSubmit"]["job"]["id"] != first["inferenceSubmit"]["job"]["id"]


async def test_the_sweep_keeps_it_as_long_as_the_settings_say(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    for days in (29, 31):
        await ended(owner_connection, tenant, days)
    system, settings = api.system, api.system.settings
    for kept_days, kept in ((30.0, 1), (28.0, 0)):
        wanted = settings.model_copy(update={"inference_days": kept_days})
        sweeps = Sweeps(
            system.uploads, system.database, system.units, system.overdue, SqlLeftFiles(system.engine), wanted
        ).each(NOW)
        assert await sweeps["jobs_forgotten"]() >= 1
        assert len((await left(owner_connection, tenant))[0]) == kept
    assert settings.inference_days == 30

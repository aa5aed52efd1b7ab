"""The audit trail, the activity feed and the tenant's position: who sees what, and that nothing was changed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection, InsufficientPrivilegeError, Record

from app.wiring import System
from db.audit.chain import broken_links
from db.reading.cursors import CursorKey
from db.reading.reads import Keys, SqlReads
from db.roles import set_tenant
from db.sources import CATALOGUE
from domain.access import Role
from domain.errors import Invalid
from domain.signing import AssetKey, EventKey
from domain.values import new_id
from tests.api import Answer, Api, operation
from tests.factories.access import Tenant
from tests.factories.people import person
from tests.factories.rows import insert

Opened = Callable[[Role], Awaitable[str]]


@pytest.fixture
def opened(api: Api, tenant: Tenant, owner_connection: "Connection[Record]") -> Opened:
    """Opens a lead as the user of a role, for a new person, and returns its global id."""

    async def open_one(role: Role) -> str:
        person_id = await person(owner_connection, tenant)
        answer = await api.data(
            "mutation ($p: ID!) { leadCreate(input: { personId: $p, source: WEBSITE })"
            " { ... on LeadCreatePayload { lead { id } } } }",
            role=role,
            p=f"person_{person_id}",
        )
        lead: str = answer["leadCreate"]["lead"]["id"]
        return lead

    return open_one


async def trail(api: Api, role: Role = Role.ADMIN, **filter: object) -> list[dict[str, Any]]:
    answer = await api.data("AuditTrail", role=role, first=20, filter=filter)
    return [edge["node"] for edge in answer["auditEntries"]["edges"]]


async def feed(api: Api, role: Role) -> list[dict[str, Any]]:
    answer = await api.data("Activity", role=role, first=20)
    return [edge["node"] for edge in answer["activity"]["edges"]]


async def test_the_trail_names_actor_subject_and_fields(api: Api, tenant: Tenant, opened: Opened) -> None:
    lead = await opened(Role.JUNIOR_BROKER)
    [entry] = await trail(api)
    junior = tenant.users[Role.JUNIOR_BROKER]
    assert entry | {"id": "", "at": "", "hash": ""} == {
        "id": "",
        "sequence": "1",
        "at": "",
        "action": "CREATE",
        "actor": {"__typename": "User", "id": f"user_{junior}", "displayName": "Junior_Broker"},
        "subject": {"__typename": "Lead", "id": lead},
        "changedFields": ["person", "source", "assignee"],
        "hash": "",
    }
    assert len(bytes.fromhex(entry["hash"])) == 32
    assert api.statements == 3
    assert (await api.data("query ($id: ID!) { node(id: $id) { id } }", id=entry["id"]))["node"] == {"id": entry["id"]}


async def test_each_role_sees_its_part_of_the_trail(api: Api, tenant: Tenant, opened: Opened) -> None:
    for role in (Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN):
        await opened(role)
    assert [entry["sequence"] for entry in await trail(api)] == ["4", "3", "2", "1"]
    assert [entry["sequence"] for entry in await trail(api, Role.SALES_DIRECTOR)] == ["4", "3", "2", "1"]
    assert [entry["sequence"] for entry in await trail(api, Role.SENIOR_BROKER)] == ["2", "1"]
    refused = await api.run("AuditTrail", role=Role.JUNIOR_BROKER, first=20)
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["NOT_ALLOWED"]
    own = (await trail(api))[-1]["id"]
    document = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await api.data(document, role=Role.SENIOR_BROKER, id=own))["node"] == {"id": own}
    assert (await api.data(document, role=Role.JUNIOR_BROKER, id=own))["node"] is None


async def test_a_subject_that_the_caller_may_not_see_is_null(
    api: Api, tenant: Tenant, opened: Opened, owner_connection: "Connection[Record]"
) -> None:
    lead = await opened(Role.JUNIOR_BROKER)
    await owner_connection.execute("update leads set assignee_id = $2 where tenant_id = $1", tenant.id, tenant.outsider)
    [entry] = await trail(api, Role.SENIOR_BROKER)
    assert (entry["subject"], entry["changedFields"]) == (None, ["person", "source", "assignee"])
    assert [each["subject"] for each in await trail(api)] == [{"__typename": "Lead", "id": lead}]


async def test_the_trail_is_filtered_by_subject_actor_and_time(api: Api, tenant: Tenant, opened: Opened) -> None:
    first, second = await opened(Role.JUNIOR_BROKER), await opened(Role.SENIOR_BROKER)
    newest, oldest = await trail(api)
    senior = f"user_{tenant.users[Role.SENIOR_BROKER]}"
    assert await trail(api, subjectId=first) == [oldest]
    assert await trail(api, actorId=senior) == [newest]
    assert await trail(api, actorId=senior, subjectId=first) == []
    assert await trail(api, subjectId=first.replace("lead_", "person_")) == []
    assert await trail(api, **{"from": newest["at"]}) == [newest]
    assert await trail(api, to=newest["at"]) == [oldest]
    assert await trail(api, **{"from": oldest["at"], "to": newest["at"], "subjectId": second}) == []
    wrong = await api.run("AuditTrail", first=1, filter={"subjectId": "nonsense"})
    assert wrong["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": "filter.subjectId"}


async def test_the_system_and_programs_are_actors_too(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    key = new_id()
    await insert(
        owner_connection, "api_keys", tenant.id, id=key, display_name="Website", prefix="vk_1", secret_hash=b"x",
        role="JUNIOR_BROKER",
    )  # fmt: skip
    system = await owner_connection.fetchval("select id from system_actors where tenant_id = $1", tenant.id)
    for noun, actor in (("system_actors", system), ("api_keys", key), ("users", new_id())):
        await insert(
            owner_connection, "activity_entries", tenant.id, id=new_id(), kind="LEAD_CREATED", at=datetime.now(UTC),
            actor_noun=noun, actor_id=actor, summary="New lead", sequence=1,
        )  # fmt: skip
    assert [entry["actor"] for entry in await feed(api, Role.ADMIN)] == [
        None,
        {"__typename": "ApiKey", "id": f"apikey_{key}", "displayName": "Website"},
        {"__typename": "SystemActor", "id": f"system_{system}", "displayName": "Velocity"},
    ]
    assert await feed(api, Role.SENIOR_BROKER) == []


async def test_the_trail_is_read_page_by_page(api: Api, opened: Opened) -> None:
    for _ in range(3):
        await opened(Role.ADMIN)
    first = (await api.data("AuditTrail", first=2))["auditEntries"]
    await opened(Role.ADMIN)
    second = (await api.data("AuditTrail", first=2, after=first["pageInfo"]["endCursor"]))["auditEntries"]
    assert [edge["node"]["sequence"] for edge in first["edges"] + second["edges"]] == ["3", "2", "1"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


async def test_the_feed_tells_of_ones_own_people_and_ones_own_deeds(
    api: Api, tenant: Tenant, opened: Opened, owner_connection: "Connection[Record]"
) -> None:
    leads = {role: await opened(role) for role in Role}
    await owner_connection.execute("update leads set assignee_id = $2 where tenant_id = $1", tenant.id, tenant.outsider)
    # Nobody below a director owns one of the leads any more: what they did is all they see.
    actors = {role: [entry["actor"]["displayName"] for entry in await feed(api, role)] for role in Role}
    everybody = ["Junior_Broker", "Senior_Broker", "Sales_Director", "Admin"]
    assert actors[Role.ADMIN] == actors[Role.SALES_DIRECTOR] == everybody
    assert actors[Role.SENIOR_BROKER] == ["Junior_Broker", "Senior_Broker"]
    assert actors[Role.JUNIOR_BROKER] == ["Junior_Broker"]
    outsider = tenant.outside
    answer = await api.data("Activity", caller=outsider, first=20)
    shown = [edge["node"] for edge in answer["activity"]["edges"]]
    assert [entry["subject"]["id"] for entry in shown] == [leads[role] for role in reversed(Role)]
    assert shown[0] | {"id": "", "at": ""} == {
        "id": "",
        "kind": "LEAD_CREATED",
        "at": "",
        "actor": {
            "__typename": "User",
            "id": f"user_{tenant.users[Role.JUNIOR_BROKER]}",
            "displayName": "Junior_Broker",
        },
        "subject": {"__typename": "Lead", "id": leads[Role.JUNIOR_BROKER]},
        "summary": "New lead from WEBSITE",
    }


async def test_the_cursor_is_the_tenants_position_and_is_signed(
    api: Api, system: System, tenant: Tenant, other_tenant: Tenant, opened: Opened
) -> None:
    before = (await api.data("{ eventCursor }"))["eventCursor"]
    await opened(Role.ADMIN)
    after = (await api.data("{ eventCursor }", role=Role.JUNIOR_BROKER))["eventCursor"]
    key = event_key(system)
    assert key.position(tenant.id, before, "after") == 0
    assert key.position(tenant.id, after, "after") == 1
    assert [key.cursor(tenant.id, number) for number in (0, 1)] == [before, after]
    for tenant_id, cursor in ((other_tenant.id, after), (tenant.id, after[:-4] + "AAAA"), (tenant.id, "é")):
        with pytest.raises(Invalid):
            key.position(tenant_id, cursor, "after")
    page = (await api.data("{ leads(first: 1) { pageInfo { endCursor } } }"))["leads"]["pageInfo"]["endCursor"]
    with pytest.raises(Invalid):
        key.position(tenant.id, page, "after")
    anonymous = await api.run("{ eventCursor }", role=None)
    assert anonymous["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def event_key(system: System) -> EventKey:
    return EventKey((system.settings.data_dir / "signing.key").read_bytes().strip())


class Watched:
    """Runs statements through a pool, and notes when each began and ended."""

    def __init__(self, system: System) -> None:
        self._pool = system.pool
        self.noted: list[str] = []

    async def fetch(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        name = "position" if "tenant_heads" in sql else "rows"
        self.noted.append(f"{name} begins")
        found = await self._pool.fetch(tenant_id, sql, *arguments)
        self.noted.append(f"{name} ends")
        return found


async def test_the_position_is_read_before_everything_that_it_stands_for(
    api: Api, system: System, tenant: Tenant
) -> None:
    watched = Watched(system)
    reads = SqlReads(CATALOGUE, watched, Keys(CursorKey(b"x"), AssetKey(b"x"), EventKey(b"x")))
    context = replace(api.context(tenant.caller()), reads=reads)
    last = "{ leads { totalCount } pipeline { stages { stage } } eventCursor }"
    for text in (last, operation("Activity")):
        watched.noted.clear()
        result = await system.schema.execute(text, variable_values={"first": 5}, context_value=context)
        assert result.errors is None
        assert watched.noted[:2] == ["position begins", "position ends"]
        assert "rows begins" in watched.noted[2:]
        context.loaders.forget()


async def faults(system: System, tenant: Tenant) -> list[tuple[int, str]]:
    return [(link.sequence, link.reason) async for link in broken_links(system.database.owner, tenant.id)]


async def test_a_chain_verifies_until_a_row_is_changed_removed_or_moved(
    system: System, tenant: Tenant, opened: Opened, superuser_connection: "Connection[Record]"
) -> None:
    for role in Role:
        await opened(role)
    assert await faults(system, tenant) == []
    # Triggers refuse even the owner; somebody with the whole server in their hands goes around them.
    await superuser_connection.execute("set session_replication_role = replica")

    async def tamper(sql: str) -> list[tuple[int, str]]:
        async with superuser_connection.transaction():
            await superuser_connection.execute(sql, tenant.id)
        return await faults(system, tenant)

    changed = "It was changed after it was written."
    assert await tamper(
        "update audit_entries set changed_fields = '{budget}' where tenant_id = $1 and sequence = 2"
    ) == [(2, changed)]
    assert await tamper("delete from audit_entries where tenant_id = $1 and sequence = 3") == [
        (2, changed),
        (3, "Entry 3 is missing."),
    ]
    assert await tamper("update audit_entries set sequence = 3 where tenant_id = $1 and sequence = 4") == [
        (2, changed),
        (3, "It does not follow the entry before it."),
        (3, changed),
        (4, "The chain ends at 3; its head says 4."),
    ]
    every = [link.sequence async for link in broken_links(system.database.owner) if link.tenant_id == tenant.id]
    assert every == [2, 3, 3, 4]


@pytest.mark.parametrize(
    "sql", ["update audit_entries set action = 'CREATE'", "delete from audit_entries", "truncate audit_entries"]
)
async def test_the_owner_cannot_change_the_trail(
    tenant: Tenant, opened: Opened, owner_connection: "Connection[Record]", sql: str
) -> None:
    await opened(Role.ADMIN)
    await set_tenant(owner_connection, tenant.id)
    with pytest.raises(InsufficientPrivilegeError, match="audit entries are never changed"):
        await owner_connection.execute(sql)


async def test_a_refused_unit_leaves_no_trace(api: Api, tenant: Tenant) -> None:
    refused: Answer = await api.data(
        "mutation ($p: ID!) { leadCreate(input: { personId: $p, source: WEBSITE }) { __typename } }",
        p=f"person_{tenant.id}",
    )
    assert refused == {"leadCreate": {"__typename": "NotFoundProblem"}}
    assert await trail(api) == []
    assert await feed(api, Role.ADMIN) == []

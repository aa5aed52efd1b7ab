"""What a trusted document's answer becomes as a component's rows."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.access.operations import sha256_id
from domain.canvases import DataRows, OperationSource
from domain.errors import Invalid, NotAllowed
from tests.api import Api
from tests.factories import access, interactions, people
from tests.factories.access import Tenant

JUNIOR, ADMIN = Role.JUNIOR_BROKER, Role.ADMIN
PAGE = "first: 100) { edges { node {"
DEAR = f"query Dear {{ leads({PAGE} tasks({PAGE} person {{ interactions({PAGE} id }} }} }} }} }} }} }} }} }} }} }}"
AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


async def read(api: Api, owner: "Connection[Record]", text: str, role: Role = JUNIOR, **variables: Any) -> DataRows:
    """Register a document in the tenant and run it for a component."""
    await access.operation(owner, api.tenant, text=text, name="Registered")
    return await api.system.sources.read(api.tenant.caller(role), OperationSource(sha256_id(text), variables), "source")


def columns(data: DataRows) -> list[tuple[str, str, str]]:
    return [(each.name, each.label, each.type.name) for each in data.columns]


@pytest.fixture
async def leads(owner_connection: "Connection[Record]", tenant: Tenant) -> None:
    """Two leads of the junior's."""
    for name, day in (("Asha Rao", 1), ("Omar Aziz", 2)):
        person = await people.person(owner_connection, tenant, full_name=name)
        await people.lead(
            owner_connection, tenant, person_id=person, assignee_id=tenant.users[JUNIOR], budget_amount=day * 10,
            budget_currency="INR", created_at=AT.replace(day=day),
        )  # fmt: skip


@pytest.mark.usefixtures("leads")
async def test_a_connection_gives_a_row_for_each_node_whatever_it_is_called(
    api: Api, owner_connection: "Connection[Record]"
) -> None:
    text = (
        "query Aliased($first: Int!) { eventCursor all: leads(first: $first) { found: edges { lead: node { id at:"
        " createdAt budget { amount currency } tags person { fullName } stageHistory(first: 1) { totalCount } } }"
        " pageInfo { hasNextPage } } }"
    )
    data = await read(api, owner_connection, text, first=1)

    assert columns(data) == [
        ("id", "Id", "ID"),
        ("at", "At", "DATE_TIME"),
        ("budget", "Budget", "MONEY"),
        ("tags", "Tags", "TEXT"),
        ("personFullName", "Person full name", "TEXT"),
        ("stageHistoryTotalCount", "Stage history total count", "NUMBER"),
    ]
    [row] = data.rows
    assert row["budget"] == {"amount": "20.00", "currency": "INR"}
    assert (row["at"], row["tags"], row["personFullName"]) == ("2026-11-02T09:00:00+00:00", "", "Omar Aziz")
    assert data.truncated


@pytest.mark.usefixtures("leads")
async def test_a_list_inside_an_object_gives_its_entries(api: Api, owner_connection: "Connection[Record]") -> None:
    data = await read(api, owner_connection, "query Stages { pipeline { stages { stage leadCount } } }")

    assert columns(data) == [("stage", "Stage", "TEXT"), ("leadCount", "Lead count", "NUMBER")]
    assert data.rows[0] == {"stage": "NEW", "leadCount": 2}
    assert not data.truncated


async def test_an_object_without_lists_is_one_row_and_an_empty_answer_has_its_columns(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    nobodys = "query None { leads { edges { node { id } } } }"
    await access.operation(owner_connection, tenant, text=nobodys, name="None")
    one = await read(api, owner_connection, "query Who { viewer { fullName tenant { name } } }")
    source = OperationSource(sha256_id(nobodys), {})
    none = await api.system.sources.read(tenant.caller(JUNIOR), source, "source")

    assert one.rows == [{"fullName": "Junior_Broker", "tenantName": "Test"}]
    assert (columns(none), none.rows) == ([("id", "Id", "ID")], [])


async def test_kinds_share_their_columns_and_names_stay_apart(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    person = await people.client(owner_connection, tenant)
    await interactions.interaction(owner_connection, tenant, person_id=person, occurred_at=AT)
    text = (
        "query Kinds($id: ID!) { person(id: $id) { interactions(first: 5) { edges { node { summary personId: id"
        " person { id } ... on CallInteraction { durationSeconds } ... on NoteInteraction { text } } } } } }"
    )
    data = await read(api, owner_connection, text, id=f"person_{person}")

    assert [name for name, _, _ in columns(data)] == ["summary", "personId", "personId_", "durationSeconds", "text"]
    [row] = data.rows
    assert row["personId_"] == f"person_{person}"
    assert row["personId"] != row["personId_"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("query Nothing { eventCursor }", Invalid, "The document selects nothing that could be a row."),
        ("query Team { auditEntries { edges { node { id } } } }", NotAllowed, "lacks AUDIT_READ"),
        ("query Gone { noSuchField { id } }", Invalid, "Cannot query field"),
        (DEAR, Invalid, "are allowed"),
    ],
    ids=["leaf", "permission", "unknown", "dear"],
)
async def test_what_cannot_be_read_says_why_and_where(
    api: Api, owner_connection: "Connection[Record]", text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as refused:
        await read(api, owner_connection, text)
    assert getattr(refused.value, "field", None) == "source"


async def test_what_another_tenant_registered_is_unknown(
    api: Api, owner_connection: "Connection[Record]", other_tenant: Tenant
) -> None:
    text = "query Theirs { viewer { fullName } }"
    await access.operation(owner_connection, other_tenant, text=text, name="Theirs")
    with pytest.raises(Invalid):
        await api.system.sources.read(api.tenant.caller(ADMIN), OperationSource(sha256_id(text), {}), "source")


async def test_rows_know_what_they_were_read_from_whatever_they_show(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    asha, omar = [await people.person(owner_connection, tenant) for _ in range(2)]
    lead = await people.lead(owner_connection, tenant, person_id=asha, assignee_id=tenant.users[JUNIOR])
    note = await interactions.interaction(
        owner_connection, tenant, person_id=asha, kind="NOTE", text="Called.", occurred_at=AT
    )

    span = f'from: "{AT.isoformat()}", to: "2026-11-30T00:00:00Z"'
    people_of, leads_of = ("people", asha), ("leads", lead)
    expected: dict[str, set[tuple[str, UUID]]] = {
        "query A { leads { edges { node { stage } } } }": {leads_of},
        "query B { leads { edges { node { person { city } } } } }": {leads_of, people_of},
        "query C($id: ID!) { node(id: $id) { __typename ...P } } fragment P on Person"
        " { interactions { edges { node { ... on NoteInteraction { text } } } } }": {people_of, ("interactions", note)},
        f"query D {{ sentimentScatter({span}, first: 5) {{ points {{ interactionCount }} }} }}": {people_of},
        "query E { pipeline { stages { stage } } }": set(),
        # A variable names somebody even where the answer has nobody.
        "query F($filter: ConsentFilter) { consents(filter: $filter) { edges { node { status } } } }": {
            ("people", omar)
        },
    }
    variables: dict[str, dict[str, object]] = {
        "C": {"id": f"person_{asha}"}, "F": {"filter": {"personId": f"person_{omar}"}}
    }  # fmt: skip
    for text in expected:
        await access.operation(owner_connection, tenant, text=text, name=text[6])
    for text, subjects in expected.items():
        source = OperationSource(sha256_id(text), variables.get(text[6], {}))
        data = await api.system.sources.read(tenant.caller(JUNIOR), source, "source")
        assert data.subjects == subjects, text
        assert not any("subject" in name.lower() for row in data.rows for name in row)

"""Merges through the schema: previewed, carried out, refused; nothing is lost, and no consent grows."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.wiring import System
from db.roles import set_tenant
from domain.access import Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import access, interactions, leads, people, perception, properties, tasks, threads
from tests.factories.access import Tenant
from tests.factories.rows import insert

Owner: TypeAlias = "Connection[Record]"

SENIOR, JUNIOR = Role.SENIOR_BROKER, Role.JUNIOR_BROKER
AT = datetime(2026, 2, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def shown(person_id: UUID) -> str:
    return f"person_{person_id}"


async def merge(api: Api, keep: UUID, *absorb: UUID, dry_run: bool = False, **arguments: Any) -> Answer:
    given = {"keepPersonId": shown(keep), "absorbPersonIds": [shown(each) for each in absorb], "dryRun": dry_run}
    answer: Answer = (await api.data("PersonMerge", input=given, **arguments))["personMerge"]
    return answer


async def rows(owner: Owner, tenant: Tenant, table: str, columns: str = "*") -> list[Record]:
    found: list[Record] = await owner.fetch(f"SELECT {columns} FROM {table} WHERE tenant_id = $1 ORDER BY 1", tenant.id)
    return found


async def everything(owner: Owner, tenant: Tenant, person_id: UUID, property_id: UUID) -> None:
    """Give a person one record of each kind."""
    lead_id = await people.lead(owner, tenant, person_id=person_id, assignee_id=tenant.users[JUNIOR])
    await leads.opportunity(owner, tenant, lead_id=lead_id, person_id=person_id)
    await properties.interest(owner, tenant, person_id=person_id, lead_id=lead_id, property_id=property_id)
    await interactions.interaction(owner, tenant, person_id=person_id)
    await people.fact(owner, tenant, person_id=person_id)
    await tasks.task(owner, tenant, person_id=person_id)
    await threads.thread(owner, tenant, person_id=person_id, address=f"+9715{person_id.int % 10**8:08}")
    await perception.consent(owner, tenant, person_id=person_id, granted_at=AT)
    friend = await people.person(owner, tenant, full_name="A Friend")
    await people.relationship(owner, tenant, person_id=person_id, other_id=friend, kind="COLLEAGUE")
    await perception.score(owner, tenant, person_id=person_id, at=AT, score=50)


KINDS = [
    "LEAD", "OPPORTUNITY", "PROPERTY_INTEREST", "INTERACTION", "FACT", "TASK", "THREAD", "CONSENT", "RELATIONSHIP",
    "QD_SCORE",
]  # fmt: skip
TABLES = [
    "leads", "opportunities", "property_interests", "interactions", "facts", "tasks", "threads", "consents",
    "relationships", "qd_scores",
]  # fmt: skip


async def test_a_preview_counts_and_changes_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep, absorbed = [await people.person(owner_connection, tenant) for _ in range(2)]
    await everything(owner_connection, tenant, absorbed, await properties.property_(owner_connection, tenant))

    given = {"keepPersonId": shown(keep), "absorbPersonIds": [shown(absorbed)]}
    answer = (await api.data("PersonMerge", input=given))["personMerge"]

    assert answer == {
        "__typename": "PersonMergePayload",
        "person": {"id": shown(keep), "fullName": "Asha Rao"},
        "absorbedIds": [shown(absorbed)],
        "moved": [{"kind": kind, "count": 1} for kind in KINDS],
        "dryRun": True,
    }
    for table in TABLES:
        assert {row["person_id"] for row in await rows(owner_connection, tenant, table)} == {absorbed}
    assert await rows(owner_connection, tenant, "audit_entries") == []


async def test_a_merge_moves_what_its_preview_counted(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep, absorbed = [await people.person(owner_connection, tenant) for _ in range(2)]
    await everything(owner_connection, tenant, absorbed, await properties.property_(owner_connection, tenant))
    await people.lead(owner_connection, tenant, person_id=keep)

    preview = await merge(api, keep, absorbed, dry_run=True)
    done = await merge(api, keep, absorbed)

    assert done == preview | {"dryRun": False}
    for table in TABLES:
        assert {row["person_id"] for row in await rows(owner_connection, tenant, table)} == {keep}, table
    assert len(await rows(owner_connection, tenant, "leads")) == 2
    [entry] = await rows(owner_connection, tenant, "audit_entries")
    assert (entry["action"], entry["subject_noun"], entry["subject_id"]) == ("MERGE", "people", absorbed)
    [event] = await rows(owner_connection, tenant, "events")
    assert (event["kind"], event["person_id"]) == ("PersonMerged", keep)
    [activity] = await rows(owner_connection, tenant, "activity_entries")
    assert (activity["kind"], activity["person_id"]) == ("PERSON_MERGED", keep)


async def test_an_absorbed_id_answers_the_survivor_however_often_they_were_merged(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    one, two, three = [await people.person(owner_connection, tenant, full_name=name) for name in ("A A", "B B", "C C")]

    await merge(api, two, one)
    await merge(api, three, two)

    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Person { fullName } } }"
    answer = await api.data(document, ids=[shown(one), shown(two), shown(three)])
    assert answer["nodes"] == [{"id": shown(three), "fullName": "C C"}] * 3
    listed = await api.data("People", first=10)
    assert [edge["node"]["id"] for edge in listed["people"]["edges"]] == [shown(three)]
    assert {row["merged_into_id"] for row in await rows(owner_connection, tenant, "people")} == {None, three}


async def test_the_survivor_keeps_their_details_and_takes_what_they_lack(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    household = await people.household(owner_connection, tenant)
    keep = await people.person(owner_connection, tenant, full_name="Asha Rao", city="Pune")
    absorbed = await people.person(
        owner_connection, tenant, full_name="A. Rao", city="Dubai", primary_phone_e164="+971501234567",
        primary_phone_country="AE", primary_email="A@example.com", household_id=household,
    )  # fmt: skip

    await merge(api, keep, absorbed)

    document = """query($id: ID!) { person(id: $id) {
        fullName city primaryEmail primaryPhone { e164 country } household { id }
    } }"""
    assert (await api.data(document, id=shown(keep)))["person"] == {
        "fullName": "Asha Rao", "city": "Pune", "primaryEmail": "A@example.com",
        "primaryPhone": {"e164": "+971501234567", "country": "AE"}, "household": {"id": f"household_{household}"},
    }  # fmt: skip


async def test_the_newest_score_of_each_source_is_kept(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep = await people.person(
        owner_connection, tenant, rules_qd_at=AT, rules_qd_score=50, rules_qd_kind="LIVE",
        model_qd_at=AT, model_qd_score=51, model_qd_kind="LIVE",
    )  # fmt: skip
    absorbed = await people.person(
        owner_connection, tenant, rules_qd_at=AT + DAY, rules_qd_score=60, rules_qd_kind="SESSION",
        model_qd_at=AT - DAY, model_qd_score=61, model_qd_kind="LIVE",
    )  # fmt: skip

    await merge(api, keep, absorbed)

    document = """query($id: ID!) { person(id: $id) {
        rules: latestQd { score kind }
        model: latestQd(source: MODEL) { score }
        imported: latestQd(source: IMPORTED) { score }
    } }"""
    assert (await api.data(document, id=shown(keep)))["person"] == {
        "rules": {"score": 60.0, "kind": "SESSION"}, "model": {"score": 51.0}, "imported": None,
    }  # fmt: skip


async def test_what_is_next_is_decided_again(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep, absorbed = [await people.person(owner_connection, tenant) for _ in range(2)]
    wrote = datetime.now(UTC) - timedelta(hours=1)
    await interactions.interaction(
        owner_connection, tenant, person_id=absorbed, kind="MESSAGE", direction="INBOUND", occurred_at=wrote
    )

    await merge(api, keep, absorbed)

    document = "query($id: ID!) { person(id: $id) { lastContactedAt nextBestAction { kind title } } }"
    person = (await api.data(document, id=shown(keep)))["person"]
    assert datetime.fromisoformat(person["lastContactedAt"]) == wrote
    assert person["nextBestAction"] == {"kind": "MESSAGE", "title": "Answer their message"}


async def test_one_wish_of_both_is_one_wish_the_stronger_one(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep, absorbed = [await people.person(owner_connection, tenant) for _ in range(2)]
    flat, villa = [await properties.property_(owner_connection, tenant) for _ in range(2)]
    for person_id, property_id, level in ((keep, flat, "LOW"), (absorbed, flat, "HIGH"), (absorbed, villa, "LOW")):
        await properties.interest(owner_connection, tenant, person_id=person_id, property_id=property_id, level=level)

    await merge(api, keep, absorbed)

    found = await rows(owner_connection, tenant, "property_interests")
    assert {(row["person_id"], row["property_id"], row["level"]) for row in found} == {
        (keep, flat, "HIGH"), (keep, villa, "LOW"),
    }  # fmt: skip


async def test_ties_are_kept_once_and_nobody_is_tied_to_themselves(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    keep, absorbed, friend = [await people.person(owner_connection, tenant) for _ in range(3)]
    for person_id, other_id, kind in (
        (keep, absorbed, "SPOUSE"), (absorbed, keep, "SPOUSE"),
        (keep, friend, "COLLEAGUE"), (friend, keep, "COLLEAGUE"),
        (absorbed, friend, "COLLEAGUE"), (friend, absorbed, "COLLEAGUE"),
        (absorbed, friend, "ADVISER"), (friend, absorbed, "OTHER"),
    ):  # fmt: skip
        await people.relationship(owner_connection, tenant, person_id=person_id, other_id=other_id, kind=kind)

    await merge(api, keep, absorbed)

    found = await rows(owner_connection, tenant, "relationships")
    assert {(row["person_id"], row["other_id"], row["kind"]) for row in found} == {
        (keep, friend, "COLLEAGUE"), (friend, keep, "COLLEAGUE"), (keep, friend, "ADVISER"), (friend, keep, "OTHER"),
    }  # fmt: skip


async def test_memberships_and_the_feed_follow(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep, absorbed = [await people.person(owner_connection, tenant) for _ in range(2)]
    both, one = [await people.account(owner_connection, tenant, name=name) for name in ("Both", "One")]
    for person_id, account_id, title in ((keep, both, "Director"), (absorbed, both, "Partner"), (absorbed, one, None)):
        await insert(
            owner_connection, "person_accounts", tenant.id, person_id=person_id, account_id=account_id, title=title
        )
    await insert(
        owner_connection, "activity_entries", tenant.id, id=new_id(), kind="LEAD_CREATED", at=AT, person_id=absorbed,
        summary="New lead", sequence=1,
    )  # fmt: skip

    await merge(api, keep, absorbed)

    members = await rows(owner_connection, tenant, "person_accounts")
    assert {(row["person_id"], row["account_id"], row["title"]) for row in members} == {
        (keep, both, "Director"), (keep, one, None),
    }  # fmt: skip
    assert {row["person_id"] for row in await rows(owner_connection, tenant, "activity_entries")} == {keep}


async def test_the_most_restrictive_consent_holds(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep, absorbed = [await people.person(owner_connection, tenant) for _ in range(2)]
    stays = await perception.consent(
        owner_connection, tenant, person_id=keep, granted_at=AT, purpose="RECORDING", modality="VOICE"
    )
    ends = await perception.consent(owner_connection, tenant, person_id=keep, granted_at=AT)
    withdrawn = await perception.consent(
        owner_connection, tenant, person_id=absorbed, granted_at=AT - DAY, withdrawn_at=AT
    )

    await merge(api, keep, absorbed)

    document = "query($id: ID!) { person(id: $id) { consents { edges { node { id status } } } } }"
    edges = (await api.data(document, id=shown(keep)))["person"]["consents"]["edges"]
    assert {edge["node"]["id"]: edge["node"]["status"] for edge in edges} == {
        f"consent_{stays}": "ACTIVE", f"consent_{ends}": "WITHDRAWN", f"consent_{withdrawn}": "WITHDRAWN",
    }  # fmt: skip
    entries = await rows(owner_connection, tenant, "audit_entries", "sequence, action, subject_id, changed_fields")
    assert [tuple(entry)[1:] for entry in entries] == [
        ("WITHDRAW", ends, ["withdrawnAt"]),
        ("MERGE", absorbed, ["mergedInto"]),
    ]


async def test_one_key_merges_once(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    keep, absorbed = [await people.person(owner_connection, tenant) for _ in range(2)]
    given = {"keepPersonId": shown(keep), "absorbPersonIds": [shown(absorbed)], "dryRun": False, "idempotencyKey": "k"}

    first, second = [(await api.data("PersonMerge", input=given))["personMerge"] for _ in range(2)]

    assert first == second
    assert first["__typename"] == "PersonMergePayload"
    assert len(await rows(owner_connection, tenant, "audit_entries")) == 1


# --- refusals -------------------------------------------------------------------------------------------------------

People: TypeAlias = Callable[[Owner, Tenant], Awaitable[tuple[UUID, list[UUID]]]]


async def _nobody(owner: Owner, tenant: Tenant) -> tuple[UUID, list[UUID]]:
    return await people.person(owner, tenant), []


async def _self(owner: Owner, tenant: Tenant) -> tuple[UUID, list[UUID]]:
    keep = await people.person(owner, tenant)
    return keep, [await people.person(owner, tenant), keep]


async def _crowd(owner: Owner, tenant: Tenant) -> tuple[UUID, list[UUID]]:
    return await people.person(owner, tenant), [new_id() for _ in range(21)]


async def _missing(owner: Owner, tenant: Tenant) -> tuple[UUID, list[UUID]]:
    return await people.person(owner, tenant), [new_id()]


async def _absorbed_before(owner: Owner, tenant: Tenant) -> tuple[UUID, list[UUID]]:
    keep = await people.person(owner, tenant)
    return keep, [await people.person(owner, tenant, merged_into_id=keep)]


@pytest.mark.parametrize(
    ("whom", "kind", "field"),
    [
        (_nobody, "InvalidProblem", "absorbPersonIds"),
        (_self, "InvalidProblem", "absorbPersonIds"),
        (_crowd, "InvalidProblem", "absorbPersonIds"),
        (_missing, "NotFoundProblem", None),
        (_absorbed_before, "NotFoundProblem", None),
    ],
)
async def test_what_cannot_be_merged_is_refused(
    api: Api, tenant: Tenant, owner_connection: Owner, whom: People, kind: str, field: str | None
) -> None:
    keep, absorb = await whom(owner_connection, tenant)

    for dry_run in (True, False):
        answer = await merge(api, keep, *absorb, dry_run=dry_run)
        assert (answer["__typename"], answer["field"]) == (kind, field)
    assert await rows(owner_connection, tenant, "audit_entries") == []


async def test_another_tenants_person_is_not_there(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    mine, foreign = [await people.person(owner_connection, each) for each in (tenant, other_tenant)]

    assert (await merge(api, mine, foreign))["__typename"] == "NotFoundProblem"
    assert (await merge(api, foreign, mine))["__typename"] == "NotFoundProblem"


async def test_only_seniors_merge_and_only_people_of_their_teams(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    own = []
    for _ in range(2):
        own.append(await people.person(owner_connection, tenant))
        await people.lead(owner_connection, tenant, person_id=own[-1], assignee_id=tenant.users[JUNIOR])
    foreign = await people.person(owner_connection, tenant)

    assert (await merge(api, own[0], own[1], role=JUNIOR))["code"] == "NOT_ALLOWED"
    assert (await merge(api, own[0], foreign, role=SENIOR))["code"] == "NOT_ALLOWED"
    assert (await merge(api, foreign, own[0], role=SENIOR))["code"] == "NOT_ALLOWED"
    assert await rows(owner_connection, tenant, "audit_entries") == []
    assert (await merge(api, own[0], own[1], role=SENIOR))["__typename"] == "PersonMergePayload"


# --- whatever the people have ---------------------------------------------------------------------------------------

BELONGINGS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(TABLES[:8])), max_size=12)
DECISIONS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-40, -1), st.none() | st.integers(-40, 40), st.booleans()), max_size=5
)


async def give(owner: Owner, tenant: Tenant, person_id: UUID, table: str, number: int) -> None:
    """Give a person a record in a table."""
    match table:
        case "leads":
            await people.lead(owner, tenant, person_id=person_id)
        case "opportunities":
            lead_id = await people.lead(owner, tenant, person_id=person_id)
            await leads.opportunity(owner, tenant, lead_id=lead_id, person_id=person_id)
        case "property_interests":
            property_id = await properties.property_(owner, tenant)
            await properties.interest(owner, tenant, person_id=person_id, property_id=property_id)
        case "interactions":
            await interactions.interaction(owner, tenant, person_id=person_id)
        case "facts":
            await people.fact(owner, tenant, person_id=person_id)
        case "tasks":
            await tasks.task(owner, tenant, person_id=person_id)
        case "threads":
            await threads.thread(owner, tenant, person_id=person_id, address=f"+97150000{number:04}")
        case "consents":
            await perception.consent(owner, tenant, person_id=person_id, granted_at=AT, purpose="RECORDING")
        case _:
            raise ValueError(table)


async def counted(owner: Owner, tenant: Tenant) -> Counter[str]:
    await set_tenant(owner, tenant.id)
    return Counter({
        table: await owner.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant.id) for table in TABLES
    })  # fmt: skip


async def allowed(owner: Owner, tenant: Tenant, now: datetime) -> dict[UUID, bool]:
    """Return which consents hold."""
    return {
        row["id"]: row["withdrawn_at"] is None and (row["expires_at"] is None or row["expires_at"] > now)
        for row in await rows(owner, tenant, "consents")
    }


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(belongings=BELONGINGS, decisions=DECISIONS)
async def test_a_merge_loses_nothing_and_allows_nothing_new(
    system: System,
    owner_connection: Owner,
    belongings: list[tuple[int, str]],
    decisions: list[tuple[int, int, int | None, bool]],
) -> None:
    owner, tenant = owner_connection, await access.tenant(owner_connection)
    merged = [await people.person(owner, tenant) for _ in range(3)]
    for number, (whose, table) in enumerate(belongings):
        await give(owner, tenant, merged[whose], table, number)
    now = datetime.now(UTC)
    for whose, granted, expires, withdrawn in decisions:
        granted_at = now + granted * DAY
        await perception.consent(
            owner, tenant, person_id=merged[whose], granted_at=granted_at,
            expires_at=None if expires is None or expires <= granted else now + expires * DAY + timedelta(hours=1),
            withdrawn_at=now - timedelta(hours=1) if withdrawn else None,
        )  # fmt: skip
    before, held = await counted(owner, tenant), await allowed(owner, tenant, now)

    api = Api(system, tenant)
    preview = await merge(api, *merged, dry_run=True)
    answer = await merge(api, *merged)

    assert answer == preview | {"dryRun": False}
    assert await counted(owner, tenant) == before
    for table in TABLES:
        assert {row["person_id"] for row in await rows(owner, tenant, table)} <= {merged[0]}
    holds = await allowed(owner, tenant, datetime.now(UTC))
    assert holds.keys() == held.keys()
    assert all(held[consent_id] for consent_id, holding in holds.items() if holding)

"""Interactions through the schema: kinds and their own fields, calls with transcripts, and logging by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import interactions, people, properties
from tests.factories.access import Tenant
from tests.factories.rows import insert, rows_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR = Role.JUNIOR_BROKER
AT = interactions.AT
PAST = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


async def one_of_each(owner: Owner, tenant: Tenant, person_id: UUID) -> dict[str, UUID]:
    """Make an interaction of each kind, the first an hour after the second and so on."""
    property_id = await properties.property_(owner, tenant, listing_key="WORLI-41")
    kinds: dict[str, dict[str, Any]] = {
        "NOTE": {"text": "Prefers mornings."},
        "VISIT": {"property_id": property_id},
        "EMAIL": {"email_subject": "Floor plans", "direction": "OUTBOUND"},
        "CALL": {"duration_seconds": 312, "summary": "Asked about the view.", "direction": "INBOUND"},
        "MESSAGE": {"direction": "INBOUND"},
    }
    made = {}
    for number, (kind, values) in enumerate(kinds.items()):
        at = AT - timedelta(hours=number)
        made[kind] = await interactions.interaction(
            owner, tenant, person_id=person_id, kind=kind, occurred_at=at, **values
        )
    return made


async def log(api: Api, person_id: UUID, detail: Answer, *, role: Role = JUNIOR, **values: Any) -> Answer:
    given = {"personId": f"person_{person_id}", "occurredAt": PAST, "detail": detail, **values}
    found: Answer = (await api.data("InteractionLog", role=role, input=given))["interactionLog"]
    return found


async def test_timeline_shows_each_kind_with_its_own_fields(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    made = await one_of_each(owner_connection, tenant, person_id)

    data = await api.data("PersonTimeline", role=JUNIOR, personId=f"person_{person_id}", first=10)

    nodes = [edge["node"] for edge in data["person"]["interactions"]["edges"]]
    assert [(node["__typename"], node["kind"], node["id"]) for node in nodes] == [
        (f"{kind.title()}Interaction", kind, f"interaction_{made[kind]}") for kind in made
    ]
    note, visit, email, call, message = nodes
    assert note["text"] == "Prefers mornings."
    assert visit["property"]["listingKey"] == "WORLI-41"
    assert email["emailSubject"] == "Floor plans"
    assert (call["durationSeconds"], call["summary"], call["direction"]) == (312, "Asked about the view.", "INBOUND")
    assert (message["threadMessage"], message["summary"]) == (None, None)
    assert call["occurredAt"] == "2026-11-02T06:00:00+00:00"


async def test_timeline_reads_only_the_kinds_asked_for(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    await one_of_each(owner_connection, tenant, person_id)

    page = await api.data(
        "PersonTimeline", role=JUNIOR, personId=f"person_{person_id}", first=1, filter={"kinds": ["CALL", "NOTE"]}
    )
    first = page["person"]["interactions"]
    rest = await api.data(
        "PersonTimeline", role=JUNIOR, personId=f"person_{person_id}", first=5, filter={"kinds": ["CALL", "NOTE"]},
        after=first["pageInfo"]["endCursor"],
    )  # fmt: skip

    assert [edge["node"]["kind"] for edge in first["edges"]] == ["NOTE"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert [edge["node"]["kind"] for edge in rest["person"]["interactions"]["edges"]] == ["CALL"]


async def test_node_answers_an_interaction_as_its_kind(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    made = await one_of_each(owner_connection, tenant, await people.client(owner_connection, tenant))
    document = """query($ids: [ID!]!) { nodes(ids: $ids) {
        __typename id ... on Interaction { occurredAt } ... on NoteInteraction { text } } }"""

    data = await api.data(document, ids=[f"interaction_{made[kind]}" for kind in ("CALL", "NOTE")])

    assert data["nodes"] == [
        {
            "__typename": "CallInteraction",
            "id": f"interaction_{made['CALL']}",
            "occurredAt": "2026-11-02T06:00:00+00:00",
        },
        {
            "__typename": "NoteInteraction",
            "id": f"interaction_{made['NOTE']}",
            "occurredAt": "2026-11-02T09:00:00+00:00",
            "text": "Prefers mornings.",
        },
    ]


async def test_one_name_may_select_different_fields_in_different_kinds(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    await one_of_each(owner_connection, tenant, person_id)
    document = """query($id: ID!) { person(id: $id) { interactions(first: 5) { totalCount edges { node {
        ... on CallInteraction { heading: summary } ... on EmailInteraction { heading: emailSubject } } } } } }"""

    data = await api.data(document, id=f"person_{person_id}")

    assert data["person"]["interactions"] == {
        "totalCount": 5,
        "edges": [
            {"node": {}},
            {"node": {}},
            {"node": {"heading": "Floor plans"}},
            {"node": {"heading": "Asked about the view."}},
            {"node": {}},
        ],
    }


async def test_call_answers_transcript_in_the_order_spoken_and_objections_oldest_first(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    call_id = await interactions.interaction(owner_connection, tenant, person_id=person_id, duration_seconds=60)
    for start_ms, text in ((4000, "How much?"), (0, "Hello."), (2000, "I saw the tower.")):
        await interactions.segment(owner_connection, tenant, call_id=call_id, text=text, start_ms=start_ms)
    for day, kind in ((2, "TIMING"), (1, "PRICE")):
        await interactions.objection(
            owner_connection, tenant, call_id=call_id, kind=kind, created_at=AT + timedelta(days=day)
        )

    data = await api.data("CallTranscript", role=JUNIOR, id=f"interaction_{call_id}", first=2)

    call = data["call"]
    assert call["durationSeconds"] == 60
    assert [(each["kind"], each["resolved"]) for each in call["objections"]] == [("PRICE", False), ("TIMING", False)]
    segments = call["transcriptSegments"]
    assert [edge["node"]["text"] for edge in segments["edges"]] == ["Hello.", "I saw the tower."]
    assert api.statements == 3
    rest = await api.data(
        "CallTranscript", role=JUNIOR, id=f"interaction_{call_id}", first=2, after=segments["pageInfo"]["endCursor"]
    )
    last = rest["call"]["transcriptSegments"]
    assert [edge["node"]["startMs"] for edge in last["edges"]] == [4000]
    assert last["pageInfo"]["hasNextPage"] is False


async def test_call_is_null_for_another_kind_another_type_and_another_brokers_call(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant, Role.SENIOR_BROKER)
    call_id = await interactions.interaction(owner_connection, tenant, person_id=person_id)
    segment_id = await interactions.segment(owner_connection, tenant, call_id=call_id, text="Hello.", start_ms=0)
    note_id = await interactions.interaction(
        owner_connection, tenant, person_id=person_id, kind="NOTE", text="Remember."
    )
    document = "query($id: ID!) { call(id: $id) { id } }"

    for id_ in (f"interaction_{note_id}", f"person_{person_id}", f"interaction_{new_id()}"):
        assert (await api.data(document, id=id_))["call"] is None
    assert (await api.data(document, role=Role.SENIOR_BROKER, id=f"interaction_{call_id}"))["call"] is not None
    assert (await api.data(document, role=JUNIOR, id=f"interaction_{call_id}"))["call"] is None
    node = await api.data("query($id: ID!) { node(id: $id) { id } }", role=JUNIOR, id=f"segment_{segment_id}")
    assert node["node"] is None


async def test_logged_call_is_told_to_history_and_kept_with_the_person(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)

    answer = await log(
        api, person_id, {"call": {"durationSeconds": 95}}, direction="OUTBOUND", summary="Spoke of handover."
    )

    [row] = await rows_of(owner_connection, "interactions", tenant.id)
    assert answer["__typename"] == "InteractionLogPayload"
    assert answer["interaction"] == {
        "__typename": "CallInteraction",
        "id": f"interaction_{row['id']}",
        "kind": "CALL",
        "occurredAt": answer["interaction"]["occurredAt"],
    }
    assert (row["person_id"], row["duration_seconds"], row["direction"]) == (person_id, 95, "OUTBOUND")
    assert (row["author_noun"], row["author_id"]) == ("users", tenant.users[JUNIOR])
    person = await owner_connection.fetchrow("SELECT * FROM people WHERE id = $1", person_id)
    assert person is not None
    assert person["last_contacted_at"] == datetime.fromisoformat(PAST)
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["subject_noun"], entry["subject_id"]) == ("CREATE", "interactions", row["id"])
    [activity] = await rows_of(owner_connection, "activity_entries", tenant.id)
    assert (activity["kind"], activity["summary"]) == ("INTERACTION_LOGGED", "Call logged")
    [event] = await rows_of(owner_connection, "events", tenant.id)
    assert (event["kind"], event["payload"], event["person_id"]) == ("InteractionLogged", '{"kind":"CALL"}', person_id)


async def test_each_kind_of_detail_is_stored_in_its_columns(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    property_id = await properties.property_(owner_connection, tenant)

    await log(api, person_id, {"email": {"subject": "Plans", "body": "Attached."}})
    await log(api, person_id, {"visit": {"propertyId": f"property_{property_id}"}})
    await log(api, person_id, {"note": {"text": "Has a dog."}})

    stored = {row["kind"]: row for row in await rows_of(owner_connection, "interactions", tenant.id)}
    assert (stored["EMAIL"]["email_subject"], stored["EMAIL"]["email_body"]) == ("Plans", "Attached.")
    assert stored["VISIT"]["property_id"] == property_id
    assert stored["NOTE"]["text"] == "Has a dog."


async def test_same_key_logs_once(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)

    first, second = [
        await log(api, person_id, {"note": {"text": "Has a dog."}}, idempotencyKey="key-1") for _ in range(2)
    ]
    other = await log(api, person_id, {"note": {"text": "Has a cat."}}, idempotencyKey="key-1")

    assert first == second
    assert other["code"] == "CONFLICT"
    assert len(await rows_of(owner_connection, "interactions", tenant.id)) == 1


@pytest.mark.parametrize(
    ("detail", "code", "field"),
    [
        ({"visit": {"propertyId": f"property_{new_id()}"}}, "NOT_FOUND", "detail.visit.propertyId"),
        ({"visit": {"propertyId": f"person_{new_id()}"}}, "NOT_FOUND", "detail.visit.propertyId"),
        ({"call": {"durationSeconds": -1}}, "INVALID", "detail.call.durationSeconds"),
        ({"note": {"text": " "}}, "INVALID", "detail.note.text"),
        ({"note": {"text": "a\0b"}}, "INVALID", "detail.note.text"),
        ({"email": {"subject": "x" * 501}}, "INVALID", "detail.email.subject"),
    ],
)
async def test_detail_that_cannot_be_is_refused_and_nothing_is_written(
    api: Api, tenant: Tenant, owner_connection: Owner, detail: Answer, code: str, field: str
) -> None:
    person_id = await people.client(owner_connection, tenant)

    answer = await log(api, person_id, detail)

    assert (answer["code"], answer["field"]) == (code, field)
    assert await rows_of(owner_connection, "interactions", tenant.id) == []
    assert await rows_of(owner_connection, "audit_entries", tenant.id) == []


async def test_interaction_of_tomorrow_is_refused(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    answer = await log(api, person_id, {"call": {}}, occurredAt=tomorrow)

    assert (answer["__typename"], answer["field"]) == ("InvalidProblem", "occurredAt")


async def test_two_details_at_once_are_refused(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    given = {"personId": f"person_{person_id}", "occurredAt": PAST, "detail": {"call": {}, "note": {"text": "Both."}}}

    answer = await api.run("InteractionLog", input=given)

    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert await rows_of(owner_connection, "interactions", tenant.id) == []


async def test_only_own_people_are_logged_about(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    of_senior = await people.client(owner_connection, tenant, Role.SENIOR_BROKER)
    abroad = await people.client(owner_connection, other_tenant)

    refused = await log(api, of_senior, {"call": {}})
    hidden = await log(api, abroad, {"call": {}})
    missing = await log(api, new_id(), {"call": {}})

    assert (refused["code"], refused["field"]) == ("NOT_ALLOWED", "personId")
    assert hidden == missing
    assert (hidden["code"], hidden["field"]) == ("NOT_FOUND", "personId")
    assert (await log(api, of_senior, {"call": {}}, role=Role.ADMIN))["__typename"] == "InteractionLogPayload"


async def test_what_is_logged_of_an_absorbed_person_belongs_to_who_was_kept(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    kept = await people.client(owner_connection, tenant)
    absorbed = await people.person(owner_connection, tenant, merged_into_id=kept)

    answer = await log(api, absorbed, {"call": {}})

    assert answer["__typename"] == "InteractionLogPayload"
    [row] = await rows_of(owner_connection, "interactions", tenant.id)
    assert row["person_id"] == kept


async def test_message_of_an_unlinked_thread_is_seen_by_its_assignee_only(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    thread_id, message_id = new_id(), new_id()
    await insert(
        owner_connection, "threads", tenant.id, id=thread_id, channel="WHATSAPP", address="+919820012345",
        assignee_id=tenant.users[JUNIOR],
    )  # fmt: skip
    await insert(
        owner_connection, "thread_messages", tenant.id, id=message_id, thread_id=thread_id, direction="INBOUND",
        kind="TEXT", text="Hello?", sent_at=AT,
    )  # fmt: skip
    interaction_id = new_id()
    await insert(
        owner_connection, "interactions", tenant.id, id=interaction_id, kind="MESSAGE", occurred_at=AT,
        thread_message_id=message_id,
    )  # fmt: skip
    document = """query($id: ID!) { node(id: $id) {
        ... on MessageInteraction { person { id } threadMessage { id text } } } }"""

    seen = await api.data(document, role=JUNIOR, id=f"interaction_{interaction_id}")
    hidden = await api.data(document, caller=tenant.outside, id=f"interaction_{interaction_id}")

    assert seen["node"]["person"] is None
    assert seen["node"]["threadMessage"]["text"] == "Hello?"
    assert hidden["node"] is None

"""Threads through the schema: who sees which, and what opening, linking and reading one leave behind."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import pytest
from asyncpg import Connection, Record

from domain.access import Caller, Role
from tests.api import Api
from tests.factories import leads, people, threads
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PHONE = "+971501234567"


def gid(prefix: str, row_id: UUID) -> str:
    return f"{prefix}_{row_id}"


async def inbox(api: Api, **variables: Any) -> list[dict[str, Any]]:
    data = await api.data("Threads", first=50, **variables)
    return [edge["node"] for edge in data["threads"]["edges"]]


async def mutated(api: Api, operation: str, **variables: Any) -> dict[str, Any]:
    [answer] = (await api.data(operation, **variables)).values()
    assert isinstance(answer, dict)
    return answer


async def opened(api: Api, **variables: Any) -> dict[str, Any]:
    return await mutated(api, "ThreadOpen", channel="WHATSAPP", **variables)


async def own_person(owner: Owner, tenant: Tenant, assignee: UUID, **values: Any) -> UUID:
    person = await people.person(owner, tenant, **values)
    await people.lead(owner, tenant, person_id=person, assignee_id=assignee)
    return person


async def count(owner: Owner, tenant: Tenant, table: str) -> int:
    found: int = await owner.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant.id)
    return found


async def test_each_role_sees_its_own_threads(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    mine, theirs = tenant.users[JUNIOR], tenant.outsider
    shared = await own_person(owner_connection, tenant, theirs)
    lead = await people.lead(owner_connection, tenant, person_id=shared, assignee_id=theirs)
    await leads.share(owner_connection, tenant, lead_id=lead, user_id=mine)
    for address, values in {
        "+1": {"assignee_id": mine},
        "+2": {"person_id": await own_person(owner_connection, tenant, mine)},
        "+3": {"person_id": shared},
        "+4": {"assignee_id": theirs},
        "+5": {"person_id": await own_person(owner_connection, tenant, theirs)},
        "+6": {},
    }.items():
        await threads.thread(owner_connection, tenant, address=address, **values)
    outsider = Caller(tenant.id, theirs, JUNIOR, (theirs,))

    async def seen(**who: Any) -> str:
        return "".join(sorted(str(thread["address"])[1:] for thread in await inbox(api, **who)))

    assert await seen(role=JUNIOR) == "123"
    assert await seen(role=SENIOR) == "12"
    assert await seen(caller=outsider) == "345"
    assert [await seen(role=role) for role in (DIRECTOR, ADMIN)] == ["123456", "123456"]


async def test_an_address_is_masked_where_the_person_is_somebody_elses(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    person = await own_person(owner_connection, tenant, tenant.outsider, full_name="Omar Haddad")
    thread = await threads.thread(
        owner_connection, tenant, person_id=person, assignee_id=tenant.users[JUNIOR], address=PHONE
    )
    mine, free = await threads.thread(
        owner_connection, tenant, person_id=await own_person(owner_connection, tenant, tenant.users[JUNIOR]),
        address="+971500000001",
    ), await threads.thread(
        owner_connection, tenant, assignee_id=tenant.users[JUNIOR], address="+971500000002"
    )  # fmt: skip

    async def shown(role: Role) -> dict[str, Any]:
        return {each["id"]: (each["address"], each["restrictedFields"]) for each in await inbox(api, role=role)}

    everything: dict[str, Any] = {
        gid("thread", thread): (PHONE, []),
        gid("thread", mine): ("+971500000001", []),
        gid("thread", free): ("+971500000002", []),
    }
    assert await shown(JUNIOR) == await shown(ADMIN) == everything
    assert await shown(SENIOR) == everything | {gid("thread", thread): (None, ["address"])}
    assert [each["id"] for each in await inbox(api, role=SENIOR, filter={"search": "1234567"})] == []
    assert [each["id"] for each in await inbox(api, role=JUNIOR, filter={"search": "1234567"})] == [
        gid("thread", thread)
    ]


async def test_the_inbox_shows_the_newest_message_of_each_thread_newest_first(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    person = await people.person(owner_connection, tenant, full_name="Asha Rao")
    quiet = await threads.thread(
        owner_connection, tenant, address="+1", last_message_at=NOON, created_at=NOON + timedelta(days=1)
    )
    busy = await threads.thread(
        owner_connection, tenant, address="+2", person_id=person, last_message_at=NOON + timedelta(hours=2)
    )
    *_, newest = [
        await threads.message(owner_connection, tenant, thread_id=busy, sent_at=NOON + timedelta(hours=hour), text=text)
        for hour, text in enumerate(("first", "second", "third"))
    ]

    found = await inbox(api)

    assert [each["id"] for each in found] == [gid("thread", busy), gid("thread", quiet)]
    assert found[0]["person"] == {"id": gid("person", person), "fullName": "Asha Rao"}
    assert found[0]["lastMessageAt"] == "2026-11-20T14:00:00+00:00"
    assert [edge["node"] for edge in found[0]["messages"]["edges"]] == [
        {"id": gid("threadmessage", newest), "kind": "TEXT", "text": "third", "direction": "INBOUND",
         "sentAt": "2026-11-20T14:00:00+00:00"}
    ]  # fmt: skip
    assert found[1]["messages"]["edges"] == []
    assert api.statements == 4


async def test_a_conversation_is_read_forwards_from_its_end(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    thread = await threads.thread(owner_connection, tenant)
    for hour in range(5):
        await threads.message(
            owner_connection, tenant, thread_id=thread, sent_at=NOON + timedelta(hours=hour), text=str(hour)
        )
    await threads.message(
        owner_connection, tenant, thread_id=thread, sent_at=NOON + timedelta(hours=5), text="5", direction="OUTBOUND",
        delivery_state="READ", author_noun="users", author_id=tenant.users[JUNIOR],
    )  # fmt: skip

    async def page(**where: Any) -> tuple[list[Any], Any]:
        data = await api.data("Thread", id=gid("thread", thread), last=2, **where)
        messages = data["thread"]["messages"]
        return [edge["node"] for edge in messages["edges"]], messages["pageInfo"]

    newest, info = await page()
    older, _ = await page(before=info["startCursor"])

    assert [each["text"] for each in newest] == ["4", "5"]
    assert [each["text"] for each in older] == ["2", "3"]
    assert info["hasPreviousPage"] is True
    assert newest[0]["author"] is None
    assert newest[1]["author"] == {
        "__typename": "User", "id": gid("user", tenant.users[JUNIOR]), "displayName": "Junior_Broker"
    }  # fmt: skip
    assert [each["deliveryState"] for each in newest] == [None, "READ"]


async def test_filters_narrow_the_inbox(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    person = await people.person(owner_connection, tenant, full_name="Asha Rao")
    linked = await threads.thread(owner_connection, tenant, address="+91982", person_id=person)
    loose = await threads.thread(owner_connection, tenant, address="+97150")
    await threads.read(owner_connection, tenant, thread_id=loose, user_id=tenant.users[ADMIN], unread_count=2)
    await threads.read(owner_connection, tenant, thread_id=linked, user_id=tenant.users[JUNIOR], unread_count=1)

    async def found(**given: Any) -> list[str]:
        return [each["id"] for each in await inbox(api, filter=given)]

    ids = [gid("thread", loose), gid("thread", linked)]
    assert await found() == ids
    assert (await found(unread=True), await found(unread=False)) == (ids[:1], ids[1:])
    assert (await found(linked=False), await found(linked=True)) == (ids[:1], ids[1:])
    assert (await found(search="ASHA"), await found(search="9715")) == (ids[1:], ids[:1])
    assert await found(search="%") == []
    assert [each["unreadCount"] for each in await inbox(api)] == [2, 0]


async def test_a_thread_is_opened_at_a_number_and_linked_to_whoever_has_it(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    person = await own_person(
        owner_connection, tenant, tenant.users[JUNIOR], full_name="Asha Rao", primary_phone_e164="+919820012345"
    )

    first = await opened(api, address="98200 12345", role=JUNIOR)
    again = await opened(api, address="+91 (0)98200-12345", role=JUNIOR)

    assert first == again
    assert first["thread"]["address"] == "+919820012345"
    assert first["thread"]["person"] == {"id": gid("person", person), "fullName": "Asha Rao"}
    [row] = await owner_connection.fetch("SELECT * FROM threads WHERE tenant_id = $1", tenant.id)
    assert (row["assignee_id"], row["last_message_at"]) == (tenant.users[JUNIOR], row["created_at"])
    kinds = await owner_connection.fetch("SELECT kind FROM events WHERE tenant_id = $1", tenant.id)
    assert [each["kind"] for each in kinds] == ["ThreadOpened"]


@pytest.mark.parametrize("followed", [True, False])
async def test_opening_a_thread_does_not_tell_whose_number_it_is(
    owner_connection: Owner, tenant: Tenant, api: Api, *, followed: bool
) -> None:
    theirs = await people.person(owner_connection, tenant, primary_phone_e164=PHONE)
    if followed:
        await people.lead(owner_connection, tenant, person_id=theirs, assignee_id=tenant.outsider)

    answers = [await opened(api, address=PHONE, role=JUNIOR) for _ in range(2)]

    assert [answer["thread"]["person"] for answer in answers] == [None, None]
    assert await owner_connection.fetchval("SELECT person_id FROM threads WHERE tenant_id = $1", tenant.id) is None


async def test_a_number_that_two_people_have_links_nobody(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    for _ in range(2):
        await people.person(owner_connection, tenant, primary_phone_e164=PHONE)

    assert (await opened(api, address=PHONE))["thread"]["person"] is None


async def test_a_thread_is_opened_with_an_own_person_at_their_number(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    mine = await own_person(owner_connection, tenant, tenant.users[JUNIOR], primary_phone_e164=PHONE)
    theirs = await own_person(owner_connection, tenant, tenant.outsider, primary_phone_e164="+971500000001")
    mute = await own_person(owner_connection, tenant, tenant.users[JUNIOR])

    answers = [await opened(api, personId=gid("person", each), role=JUNIOR) for each in (mine, theirs, mute)]

    assert answers[0]["thread"]["address"] == PHONE
    assert [answers[1]["code"], answers[1]["field"]] == ["NOT_ALLOWED", "personId"]
    assert [answers[2][name] for name in ("code", "field", "message")] == [
        "INVALID", "personId", "This person has no phone number."
    ]  # fmt: skip
    assert await count(owner_connection, tenant, "threads") == 1


@pytest.mark.parametrize("address", [None, "", "12", "not a number", "+9715012345678901234567", "a\0b"])
async def test_a_bad_address_opens_nothing(
    owner_connection: Owner, tenant: Tenant, api: Api, address: str | None
) -> None:
    refused = await opened(api, address=address)

    assert (refused["__typename"], refused["field"]) == ("InvalidProblem", "address")
    assert await count(owner_connection, tenant, "threads") == 0


async def test_an_address_that_others_write_to_is_taken(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    await threads.thread(owner_connection, tenant, address=PHONE, assignee_id=tenant.outsider)
    mine = await own_person(owner_connection, tenant, tenant.users[JUNIOR])

    refusals = [
        await opened(api, address=PHONE, role=JUNIOR),
        await opened(api, address=PHONE, personId=gid("person", mine), role=JUNIOR),
    ]

    assert [(each["code"], each["field"]) for each in refusals] == [("CONFLICT", "address")] * 2
    assert await inbox(api, role=JUNIOR) == []


async def test_an_unclaimed_thread_goes_to_the_owner_of_the_person_at_its_number(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    thread = await threads.thread(owner_connection, tenant, address=PHONE)
    mine = await own_person(owner_connection, tenant, tenant.users[JUNIOR], primary_phone_e164=PHONE)
    assert await inbox(api, role=JUNIOR) == []

    answer = await opened(api, personId=gid("person", mine), role=JUNIOR)

    assert (answer["thread"]["id"], answer["thread"]["person"]["id"]) == (gid("thread", thread), gid("person", mine))
    assert [each["id"] for each in await inbox(api, role=JUNIOR)] == [gid("thread", thread)]


async def test_a_thread_of_one_person_is_not_opened_with_another(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    one, other = [await people.person(owner_connection, tenant) for _ in range(2)]
    await threads.thread(owner_connection, tenant, address=PHONE, person_id=one)

    refused = await opened(api, address=PHONE, personId=gid("person", other))

    assert (refused["code"], refused["field"]) == ("CONFLICT", "personId")


async def test_two_who_open_at_once_get_one_thread(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    answers = await asyncio.gather(*(opened(api, address=PHONE) for _ in range(4)))

    assert len({answer["thread"]["id"] for answer in answers}) == 1
    assert await count(owner_connection, tenant, "threads") == await count(owner_connection, tenant, "events") == 1


async def test_a_linked_thread_takes_its_messages_along(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    thread = await threads.thread(owner_connection, tenant, assignee_id=tenant.users[JUNIOR])
    messages = [
        await threads.message(owner_connection, tenant, thread_id=thread, sent_at=NOON + timedelta(hours=hour))
        for hour in range(2)
    ]
    one, other = [await own_person(owner_connection, tenant, tenant.users[JUNIOR]) for _ in range(2)]

    async def linked(person: UUID) -> list[tuple[UUID, UUID]]:
        answer = await mutated(
            api, "ThreadLinkPerson", threadId=gid("thread", thread), personId=gid("person", person), role=JUNIOR
        )
        assert answer["thread"]["person"]["id"] == gid("person", person)
        found = await owner_connection.fetch(
            "SELECT person_id, thread_message_id FROM interactions WHERE tenant_id = $1 ORDER BY occurred_at", tenant.id
        )
        return [(row["person_id"], row["thread_message_id"]) for row in found]

    assert await linked(one) == [(one, message) for message in messages]
    assert await linked(one) == [(one, message) for message in messages]
    assert await linked(other) == [(other, message) for message in messages]
    assert await count(owner_connection, tenant, "events") == 2
    reasons = await owner_connection.fetch(
        "SELECT id, next_best_action_reason IS NULL AS quiet FROM people WHERE tenant_id = $1 ORDER BY id", tenant.id
    )
    assert [(row["id"], row["quiet"]) for row in reasons] == [(one, False), (other, False)]


async def test_a_thread_is_linked_to_own_people_only(
    owner_connection: Owner, tenant: Tenant, other_tenant: Tenant, api: Api
) -> None:
    thread = await threads.thread(owner_connection, tenant, assignee_id=tenant.users[JUNIOR])
    hidden = await threads.thread(owner_connection, tenant, address="+1")
    mine = await own_person(owner_connection, tenant, tenant.users[JUNIOR])
    theirs = await own_person(owner_connection, tenant, tenant.outsider)
    foreign = await people.person(owner_connection, other_tenant)

    async def code(thread_id: UUID, person_id: UUID) -> str:
        answer = await mutated(
            api, "ThreadLinkPerson", threadId=gid("thread", thread_id), personId=gid("person", person_id), role=JUNIOR
        )
        return str(answer.get("code"))

    assert await code(thread, theirs) == "NOT_ALLOWED"
    assert await code(thread, foreign) == "NOT_FOUND"
    assert await code(hidden, mine) == "NOT_FOUND"
    assert await count(owner_connection, tenant, "events") == 0


async def test_a_conversation_with_a_person_of_others_stays_theirs(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    theirs = await own_person(owner_connection, tenant, tenant.outsider)
    mine = await own_person(owner_connection, tenant, tenant.users[JUNIOR])
    thread = await threads.thread(owner_connection, tenant, person_id=theirs, assignee_id=tenant.users[JUNIOR])

    refused = await mutated(
        api, "ThreadLinkPerson", threadId=gid("thread", thread), personId=gid("person", mine), role=JUNIOR
    )

    assert (refused["code"], refused["message"]) == (
        "NOT_ALLOWED", "This conversation is with a person who is not yours."
    )  # fmt: skip
    assert await owner_connection.fetchval("SELECT person_id FROM threads WHERE tenant_id = $1", tenant.id) == theirs


async def test_reading_moves_the_marker_forwards_only(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    thread = await threads.thread(owner_connection, tenant)
    messages = [
        await threads.message(
            owner_connection, tenant, thread_id=thread, sent_at=NOON + timedelta(hours=hour),
            direction="OUTBOUND" if hour == 3 else "INBOUND",
        )
        for hour in range(5)
    ]  # fmt: skip
    for role in (ADMIN, DIRECTOR):
        await threads.read(owner_connection, tenant, thread_id=thread, user_id=tenant.users[role], unread_count=4)

    async def unread_after(message: int, role: Role = ADMIN) -> int:
        answer = await mutated(
            api, "ThreadMarkRead", threadId=gid("thread", thread), role=role,
            upToMessageId=gid("threadmessage", messages[message]),
        )  # fmt: skip
        return int(answer["thread"]["unreadCount"])

    assert [await unread_after(number) for number in (1, 2, 0, 3, 4, 4)] == [2, 1, 1, 1, 0, 0]
    assert (await inbox(api, role=DIRECTOR))[0]["unreadCount"] == 4
    assert await unread_after(0, role=DIRECTOR) == 3
    kept = await owner_connection.fetch(
        "SELECT last_read_message_id FROM thread_reads WHERE tenant_id = $1 ORDER BY unread_count", tenant.id
    )
    assert [row["last_read_message_id"] for row in kept] == [messages[4], messages[0]]
    # Five moves of which one went back and one went nowhere, and the director's.
    assert await count(owner_connection, tenant, "audit_entries") == 5


async def test_a_message_of_another_thread_is_no_place_to_read_to(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    thread = await threads.thread(owner_connection, tenant)
    other = await threads.thread(owner_connection, tenant, address="+1")
    elsewhere = await threads.message(owner_connection, tenant, thread_id=other, sent_at=NOON)

    for message in (elsewhere, uuid4()):
        refused = await mutated(
            api, "ThreadMarkRead", threadId=gid("thread", thread), upToMessageId=gid("threadmessage", message)
        )
        assert refused["code"] == "NOT_FOUND"
    assert await count(owner_connection, tenant, "thread_reads") == 0


async def test_another_tenants_thread_looks_like_none(
    owner_connection: Owner, other_tenant: Tenant, tenant: Tenant, api: Api
) -> None:
    foreign = await threads.thread(owner_connection, other_tenant)
    message = await threads.message(owner_connection, other_tenant, thread_id=foreign, sent_at=NOON)
    await threads.provider(owner_connection, tenant)
    ids = {"threadId": gid("thread", foreign)}

    read = await api.data("Thread", id=gid("thread", foreign), last=5)
    node = await api.data("query($id: ID!) { node(id: $id) { id } }", id=gid("threadmessage", message))
    refusals = [
        await mutated(api, "MessageSend", text="Hello", **ids),
        await mutated(api, "ThreadMarkRead", upToMessageId=gid("threadmessage", message), **ids),
    ]

    assert (read["thread"], node["node"]) == (None, None)
    assert [refused["code"] for refused in refusals] == ["NOT_FOUND"] * 2

"""Messages through the schema and from a provider: what one unit writes, what is refused, and who has it unread."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Caller, Role
from domain.threads import Channel, MessageKind, MessageReceive, MessageSend, NoProvider, receive, sender
from tests.api import Api
from tests.factories import leads, people, threads
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PHONE = "+971501234567"
WRITTEN = ("thread_messages", "interactions", "audit_entries", "events", "activity_entries", "thread_reads")


def gid(prefix: str, row_id: UUID) -> str:
    return f"{prefix}_{row_id}"


async def sent(api: Api, thread: UUID, text: str = "On its way.", **variables: Any) -> dict[str, Any]:
    data = await api.data("MessageSend", threadId=gid("thread", thread), text=text, **variables)
    answer: dict[str, Any] = data["messageSend"]
    return answer


async def counts(owner: Owner, tenant: Tenant) -> list[int]:
    return [len(await rows_of(owner, table, tenant.id)) for table in WRITTEN]


async def received(api: Api, number: int = 1, *, address: str = PHONE, caller: Caller | None = None) -> UUID | None:
    message = MessageReceive(
        Channel.WHATSAPP, address, MessageKind.TEXT, f"Text {number}", NOON + timedelta(hours=number), f"in-{number}"
    )
    async with api.system.units.write(caller or api.tenant.caller()) as unit:
        return await receive(unit, message)


async def unread(api: Api, **who: Any) -> list[int]:
    data = await api.data("{ threads { edges { node { unreadCount } } } }", **who)
    return [edge["node"]["unreadCount"] for edge in data["threads"]["edges"]]


async def test_sending_writes_the_message_its_interaction_and_its_history_in_one_unit(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    person = await people.client(owner_connection, tenant)
    thread = await threads.thread(owner_connection, tenant, person_id=person, last_message_at=NOON)
    await threads.provider(owner_connection, tenant)

    answer = (await sent(api, thread, role=JUNIOR))["threadMessage"]

    assert answer["deliveryState"] == "SENT"
    [message] = await rows_of(owner_connection, "thread_messages", tenant.id)
    assert gid("threadmessage", message["id"]) == answer["id"]
    assert (message["direction"], message["kind"], message["text"]) == ("OUTBOUND", "TEXT", "On its way.")
    assert (message["author_noun"], message["author_id"]) == ("users", tenant.users[JUNIOR])
    assert message["provider_message_id"] == f"mock-{message['id']}"
    [interaction] = await rows_of(owner_connection, "interactions", tenant.id)
    assert (interaction["kind"], interaction["direction"]) == ("MESSAGE", "OUTBOUND")
    assert (interaction["person_id"], interaction["thread_message_id"]) == (person, message["id"])
    assert interaction["occurred_at"] == message["sent_at"]
    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert [(row["action"], row["subject_noun"], row["subject_id"]) for row in entries] == [
        ("CREATE", "thread_messages", message["id"]),
        ("CREATE", "interactions", interaction["id"]),
    ]
    events = await rows_of(owner_connection, "events", tenant.id)
    assert [(row["kind"], row["person_id"]) for row in events] == [
        ("MessageSent", person),
        ("InteractionLogged", person),
    ]
    [activity] = await rows_of(owner_connection, "activity_entries", tenant.id)
    assert (activity["kind"], activity["summary"]) == ("INTERACTION_LOGGED", "WHATSAPP message sent")
    [moved] = await owner_connection.fetch(
        "SELECT t.last_message_at, p.last_contacted_at FROM threads t JOIN people p ON p.id = t.person_id"
        " WHERE t.tenant_id = $1", tenant.id
    )  # fmt: skip
    assert tuple(moved) == (message["sent_at"], message["sent_at"])


async def test_nothing_said_stands_in_the_history(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    thread = await threads.thread(owner_connection, tenant, address=PHONE)
    await threads.provider(owner_connection, tenant)

    await sent(api, thread, "The code is 4711")

    for table in ("audit_entries", "events", "activity_entries"):
        assert "4711" not in str(await rows_of(owner_connection, table, tenant.id))
        assert PHONE not in str(await rows_of(owner_connection, table, tenant.id))


async def test_a_thread_without_a_person_has_messages_but_no_interaction(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    thread = await threads.thread(owner_connection, tenant)
    await threads.provider(owner_connection, tenant)

    await sent(api, thread)

    assert await counts(owner_connection, tenant) == [1, 0, 1, 1, 0, 0]


async def test_without_a_provider_nothing_is_sent_and_nothing_is_written(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    thread = await threads.thread(owner_connection, tenant)
    await threads.provider(owner_connection, tenant, channel="SMS")

    refused = await sent(api, thread, idempotencyKey="k")
    await threads.provider(owner_connection, tenant)
    later = await sent(api, thread, idempotencyKey="k")

    assert refused == {
        "__typename": "UnavailableProblem", "code": "UNAVAILABLE", "field": None,
        "message": "No messaging provider is configured for WHATSAPP. An administrator can choose one.",
    }  # fmt: skip
    assert later["__typename"] == "MessageSendPayload"
    assert await counts(owner_connection, tenant) == [1, 0, 1, 1, 0, 0]


async def test_a_provider_that_this_installation_lacks_is_none(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    thread = await threads.thread(owner_connection, tenant)
    await threads.provider(owner_connection, tenant)

    with pytest.raises(NoProvider, match="WHATSAPP"):
        async with api.system.units.write(tenant.caller()) as unit:
            await sender({})(unit, MessageSend(thread, "Hello"))


@pytest.mark.parametrize("text", ["", " \n", "x" * 4097, "a\0b", "\ud800"])
async def test_a_text_that_cannot_be_sent_writes_nothing(
    owner_connection: Owner, tenant: Tenant, api: Api, text: str
) -> None:
    thread = await threads.thread(owner_connection, tenant)
    await threads.provider(owner_connection, tenant)

    refused = await sent(api, thread, text)

    assert (refused["__typename"], refused["field"]) == ("InvalidProblem", "text")
    assert await counts(owner_connection, tenant) == [0] * len(WRITTEN)


async def test_an_idempotency_key_sends_one_message(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    thread = await threads.thread(owner_connection, tenant)
    await threads.provider(owner_connection, tenant)

    first = await sent(api, thread, idempotencyKey="k")
    again = await sent(api, thread, idempotencyKey="k")
    other = await sent(api, thread, "Something else", idempotencyKey="k")

    assert first == again
    assert (other["code"], other["field"]) == ("CONFLICT", "idempotencyKey")
    assert len(await rows_of(owner_connection, "thread_messages", tenant.id)) == 1


async def test_a_received_message_is_unread_for_everybody_who_sees_its_thread(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    await people.client(owner_connection, tenant, primary_phone_e164=PHONE)
    outsider = tenant.outside

    await received(api, 1)
    await received(api, 2)

    assert [await unread(api, role=role) for role in Role] == [[2]] * 4
    assert await unread(api, caller=outsider) == []
    found = await rows_of(owner_connection, "thread_reads", tenant.id)
    assert {row["user_id"] for row in found} == set(tenant.users.values())


async def test_whom_a_message_reaches_is_who_sees_the_thread(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    """The store asks who sees a thread, the read engine whether somebody does: they must agree in every case."""
    mine, boss, theirs = tenant.users[JUNIOR], tenant.users[SENIOR], tenant.outsider
    callers = [tenant.caller(role) for role in Role] + [Caller(tenant.id, theirs, JUNIOR, (theirs,))]
    # Who leads the person, with whom that lead is shared, who is assigned to the thread.
    cases: list[tuple[UUID | None, UUID | None, UUID | None]] = [
        (lead, share, assignee)
        for lead in (None, mine, boss, theirs)
        for share in (None, mine, boss, theirs)
        for assignee in (None, mine, boss, theirs)
        if lead is not None or share is None
    ]

    for number, (lead, share, assignee) in enumerate(cases):
        address = f"+97150{number:07d}"
        person = None
        if lead is not None:
            person = await people.person(owner_connection, tenant)
            led = await people.lead(owner_connection, tenant, person_id=person, assignee_id=lead)
            if share is not None:
                await leads.share(owner_connection, tenant, lead_id=led, user_id=share)
        thread = await threads.thread(owner_connection, tenant, address=address, person_id=person, assignee_id=assignee)
        await received(api, number, address=address)

        reached = await owner_connection.fetch("SELECT user_id FROM thread_reads WHERE thread_id = $1", thread)
        document = "query($id: ID!) { thread(id: $id) { unreadCount } }"
        seeing = [
            caller.user_id
            for caller in callers
            if (await api.data(document, id=gid("thread", thread), caller=caller))["thread"] == {"unreadCount": 1}
        ]
        assert {row["user_id"] for row in reached} == set(seeing), (lead, share, assignee)
    assert len(cases) == 52


async def test_nobody_who_cannot_work_is_counted_for(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    await owner_connection.execute(
        "UPDATE users SET status = 'SUSPENDED' WHERE tenant_id = $1 AND role = 'SALES_DIRECTOR'", tenant.id
    )

    await received(api)

    [reached] = await rows_of(owner_connection, "thread_reads", tenant.id)
    assert reached["user_id"] == tenant.users[ADMIN]


async def test_a_received_message_opens_a_thread_and_joins_the_timeline(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    person = await people.person(owner_connection, tenant, primary_phone_e164=PHONE)

    # WhatsApp names its senders by their digits alone.
    message = await received(api, address=PHONE.removeprefix("+"))

    [thread] = await rows_of(owner_connection, "threads", tenant.id)
    assert (thread["address"], thread["person_id"], thread["assignee_id"]) == (PHONE, person, None)
    assert thread["last_message_at"] == NOON + timedelta(hours=1)
    [interaction] = await rows_of(owner_connection, "interactions", tenant.id)
    assert (interaction["direction"], interaction["thread_message_id"]) == ("INBOUND", message)
    assert (interaction["author_id"], interaction["occurred_at"]) == (None, NOON + timedelta(hours=1))
    events = await rows_of(owner_connection, "events", tenant.id)
    assert [row["kind"] for row in events] == ["ThreadOpened", "MessageReceived", "InteractionLogged"]


async def test_a_message_that_comes_twice_counts_once(owner_connection: Owner, tenant: Tenant, api: Api) -> None:
    first = await received(api)
    again = await received(api)

    assert (first is None, again) == (False, None)
    assert await unread(api) == [1]
    assert len(await rows_of(owner_connection, "thread_messages", tenant.id)) == 1


async def test_a_late_message_is_unread_until_somebody_reads_again(
    owner_connection: Owner, tenant: Tenant, api: Api
) -> None:
    newest = await received(api, 5)
    [thread] = await rows_of(owner_connection, "threads", tenant.id)
    assert newest is not None
    marked = {"threadId": gid("thread", thread["id"]), "upToMessageId": gid("threadmessage", newest)}

    await api.data("ThreadMarkRead", **marked)
    await received(api, 2)

    assert await unread(api) == [1]
    await api.data("ThreadMarkRead", **marked)
    assert await unread(api) == [0]
    [thread] = await rows_of(owner_connection, "threads", tenant.id)
    assert thread["last_message_at"] == NOON + timedelta(hours=5)

"""What subscriptions tell: from a position on, to whom it may be told, once for all who see the same."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Role
from tests.api import Api
from tests.factories import people, threads
from tests.factories.access import Tenant
from tests.graph.streams import Served, cursor, served, signed_in
from tests.serving import PATIENCE

JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN


async def test_what_happens_is_told_with_its_position(live: Served) -> None:
    async with live.client(DIRECTOR) as client:
        start = await cursor(live)
        await client.subscribe("CrmActivity", after=start)
        person = await live.person()
        told = await client.data("crmActivity")
        assert told["entry"]["kind"] == "PERSON_CREATED"
        assert told["entry"]["subject"] == {"__typename": "Person", "id": person}
        assert told["entry"]["actor"]["__typename"] == "User"
        assert told["cursor"] == await cursor(live)


async def test_what_was_missed_comes_first_and_nothing_twice(live: Served) -> None:
    start = await cursor(live)
    made = [await live.person(name=f"Person {n}") for n in range(3)]
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=start)
        told = [await client.data("crmActivity") for _ in made]
        made.append(await live.person(name="Person 3"))
        told.append(await client.data("crmActivity"))
        assert [each["entry"]["subject"]["id"] for each in told] == made
        # From each position on there is what came after it.
        for number, each in enumerate(told[:-1], start=1):
            await client.subscribe("CrmActivity", f"again {number}", after=each["cursor"])
            again = [await client.data("crmActivity", f"again {number}") for _ in told[number:]]
            assert again == told[number:]
            await client.send({"id": f"again {number}", "type": "complete"})
    await live.until(lambda: not live.hub.subscriptions)


async def test_without_a_position_it_begins_with_what_comes(live: Served) -> None:
    await live.person(name="Before")
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity")
        await live.until(lambda: live.hub.groups == 1)
        after = await live.person(name="After")
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == after


async def test_rows_that_a_caller_may_not_see_are_not_told(
    live: Served, owner_connection: "Connection[Record]"
) -> None:
    tenant = live.api.tenant
    start = await cursor(live)
    await threads.provider(owner_connection, tenant)
    mine = await threads.thread(owner_connection, tenant, assignee_id=tenant.users[JUNIOR])
    assignee = tenant.users[ADMIN]
    other = await threads.thread(owner_connection, tenant, assignee_id=assignee, address="+971501234568")
    async with live.client(JUNIOR) as junior, live.client(DIRECTOR) as director:
        await junior.subscribe("ThreadMessages", "all", after=start)
        await junior.subscribe("ThreadMessages", "one", after=start, threadId=f"thread_{other}")
        await director.subscribe("ThreadMessages", "one", after=start, threadId=f"thread_{mine}")
        await director.subscribe("ThreadMessages", "none", after=start, threadId=f"lead_{mine}")
        await send(live, other, ADMIN)
        message = await send(live, mine, JUNIOR)
        told = await junior.data("threadMessages", "all")
        assert (told["threadMessage"]["id"], told["change"]) == (message, "CREATED")
        assert told["threadMessage"]["thread"] == {"id": f"thread_{mine}"}
        assert (await director.data("threadMessages", "one"))["threadMessage"]["id"] == message
        # What follows on both sockets is the next message: nothing else was told.
        second = await send(live, mine, JUNIOR)
        assert (await junior.data("threadMessages", "all"))["threadMessage"]["id"] == second
        assert (await director.data("threadMessages", "one"))["threadMessage"]["id"] == second


async def send(live: Served, thread: UUID, role: Role) -> str:
    sent = await live.api.data("MessageSend", role=role, threadId=f"thread_{thread}", text="Hello.")
    message: str = sent["messageSend"]["threadMessage"]["id"]
    return message


async def test_a_row_that_is_given_away_is_told_no_more(live: Served, owner_connection: "Connection[Record]") -> None:
    tenant = live.api.tenant
    _person, lead = await people.client_and_lead(owner_connection, tenant)
    async with live.client(JUNIOR) as client:
        await client.subscribe("CrmActivity", after=await cursor(live))
        move = {"leadId": f"lead_{lead}", "role": ADMIN}
        await live.api.data("LeadMove", toStage="CONTACTED", **move)
        assert (await client.data("crmActivity"))["entry"]["kind"] == "LEAD_ADVANCED"
        await live.api.data("LeadAssign", leadId=f"lead_{lead}", assigneeId=f"user_{tenant.users[ADMIN]}")
        await live.api.data("LeadMove", toStage="QUALIFIED", **move)
        own = await live.person(JUNIOR, "Own")
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == own


async def test_one_statement_answers_everybody_who_sees_the_same(live: Served) -> None:
    start = await cursor(live)
    async with live.client(DIRECTOR) as one, live.client(DIRECTOR) as two, live.client(ADMIN) as admin:
        clients = [(one, "a"), (one, "b"), (two, "c"), (admin, "d")]
        for client, id_ in clients:
            await client.subscribe("CrmActivity", id_, after=start)
        # Another role is another group: the rules differ, even where the rows do not.
        await live.until_joined(1, 3)
        before = live.hub.evaluations
        person = await live.person()
        for client, id_ in clients:
            assert (await client.data("crmActivity", id_))["entry"]["subject"]["id"] == person
        assert live.hub.evaluations - before == 2


async def test_an_expired_cursor_names_the_oldest_that_works(
    live: Served, owner_connection: "Connection[Record]"
) -> None:
    start = await cursor(live)
    for n in range(3):
        await live.person(name=f"Person {n}")
    past = datetime.now(UTC) - timedelta(days=400)
    await owner_connection.execute(
        "UPDATE events SET at = $2 WHERE tenant_id = $1 AND sequence <= 2", live.api.tenant.id, past
    )
    await live.api.system.events.forget(datetime.now(UTC) - timedelta(days=365))
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=start)
        refused = await client.next()
        [error] = refused["payload"]
        assert (refused["type"], error["extensions"]["code"]) == ("error", "CURSOR_EXPIRED")
        await client.subscribe("CrmActivity", after=error["extensions"]["oldestCursor"])
        assert (await client.data("crmActivity"))["cursor"] == await cursor(live)


async def test_cursors_of_others_are_refused(live: Served, system: System, other_tenant: Tenant) -> None:
    foreign = (await Api(system, other_tenant).data("{ eventCursor }"))["eventCursor"]
    async with live.client(DIRECTOR) as client:
        for wrong in (foreign, "nonsense", ""):
            await client.subscribe("CrmActivity", after=wrong)
            [error] = (await client.next())["payload"]
            assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID", "after")
        await client.subscribe("subscription ($after: Int) { crmActivity(after: $after) { cursor } }")
        assert (await client.next())["type"] == "error"
        await client.subscribe("ThreadMessages", threadId=["many"])
        [error] = (await client.next())["payload"]
        assert error["extensions"] == {"code": "INVALID", "field": "variables"}


async def test_subscriptions_are_for_signed_in_callers(live: Served) -> None:
    async with signed_in(live.http, {}) as client:
        await client.subscribe("CrmActivity")
        [error] = (await client.next())["payload"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_heartbeat_carries_the_cursor(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, heartbeat_seconds=0.05) as live, live.client(DIRECTOR) as client:
        await client.subscribe("ThreadMessages", after=await cursor(live))
        await live.person()
        now = await cursor(live)
        async with asyncio.timeout(PATIENCE):
            # Nothing is told of this event, and yet nobody needs to hear of it again.
            while (await client.opened.recv()) != f'{{"type":"ping","payload":{{"cursor":"{now}","ids":["1"]}}}}':
                pass

"""From what was missed to what comes: no gap and nothing twice, whatever happens in between."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from db.unit import SqlUnits
from domain.access import Role
from domain.audit import AuditAction, Change, CrmActivityKind
from domain.events import Event, Kept
from graph.subscriptions.telling import Question, Told
from tests.api import Api
from tests.factories import people
from tests.factories.access import Tenant
from tests.graph.streams import Client, Served, cursor

Owner: TypeAlias = "Connection[Record]"
DIRECTOR, ADMIN = Role.SALES_DIRECTOR, Role.ADMIN
WRITERS, UNITS, READERS = 3, 25, 12


class Refused(Exception):
    """Undoes a unit."""


async def undone(live: Served) -> None:
    """Have a unit undone that would have been told."""
    tenant = live.api.tenant
    async with live.api.system.units.write(tenant.caller(DIRECTOR)) as unit:
        unit.record(Change(AuditAction.UPDATE, "PersonCreated", "tenants", tenant.id))
        raise Refused


async def written(live: Served, seed: int) -> None:
    """Write steadily; some units are undone, and others write what is not told."""
    chosen, tenant = random.Random(seed), live.api.tenant  # noqa: S311 -- it only has to be the same again.
    for number in range(UNITS):
        match chosen.randrange(4):
            case 0:
                with pytest.raises(Refused):
                    await undone(live)
            case 1:
                async with live.api.system.units.write(tenant.caller(DIRECTOR)) as unit:
                    unit.record(Change(AuditAction.UPDATE, "NotTold", "tenants", tenant.id))
            case _:
                await live.person(name=f"Person {seed} {number}")


async def read(live: Served, client: Client, id_: str, seed: int, last: str) -> list[str]:
    """Follow from somewhere, end it, and go on from where that was, until the last is told; return what was told."""
    chosen, told, position = random.Random(seed), [""], await cursor(live)  # noqa: S311 -- it only has to be the same again.
    while told[-1] != last:
        await client.subscribe("CrmActivity", id_, after=position)
        for _ in range(chosen.randrange(1, 9)):
            if told[-1] == last:
                break
            frame = await client.data("crmActivity", id_)
            told.append(frame["entry"]["subject"]["id"])
            position = frame["cursor"]
        await client.send({"id": id_, "type": "complete"})
        await drained(client)
    return told[1:]


async def drained(client: Client) -> None:
    """Read what was on its way when the subscription was ended."""
    await client.send({"type": "ping"})
    while (await client.next())["type"] != "pong":
        pass


async def test_everybody_is_told_everything_once_and_in_order_while_it_is_written(
    live: Served, owner_connection: Owner
) -> None:
    # It is known beforehand, so that nobody waits for more when it was told.
    last = await people.person(owner_connection, live.api.tenant)

    async def reader(seed: int) -> list[str]:
        async with live.client(DIRECTOR) as client:
            return await read(live, client, "1", seed, f"person_{last}")

    async with asyncio.timeout(240):
        readers = [asyncio.create_task(reader(seed)) for seed in range(READERS)]
        await live.until(lambda: live.hub.subscriptions > 0)
        await asyncio.gather(*(written(live, seed) for seed in range(WRITERS)))
        async with live.api.system.units.write(live.api.tenant.caller(DIRECTOR)) as unit:
            unit.record(
                Change(
                    AuditAction.CREATE,
                    "PersonCreated",
                    "people",
                    last,
                    activity=CrmActivityKind.PERSON_CREATED,
                    summary="A person.",
                )
            )
        told = await asyncio.gather(*readers)
    rows = await owner_connection.fetch(
        "SELECT sequence, kind, subject_id FROM events WHERE tenant_id = $1 ORDER BY sequence", live.api.tenant.id
    )
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    created = [f"person_{row['subject_id']}" for row in rows if row["kind"] == "PersonCreated"]
    for each in told:
        assert each == created[len(created) - len(each) :]


async def test_events_that_go_while_they_are_replayed_are_not_passed_over(
    live: Served, owner_connection: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, evaluated = await cursor(live), live.hub.evaluated
    for n in range(3):
        await live.person(name=f"Person {n}")

    async def swept(question: Question, events: list[Event]) -> list[Told]:
        """Let the sweep come between the reading of the events and their answers."""
        past = datetime.now(UTC) - timedelta(days=400)
        await owner_connection.execute(
            "UPDATE events SET at = $2 WHERE tenant_id = $1 AND sequence <= 2", live.api.tenant.id, past
        )
        await live.api.system.events.forget(datetime.now(UTC) - timedelta(days=365))
        return await evaluated(question, events)

    monkeypatch.setattr(live.hub, "evaluated", swept)
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=start)
        [error] = (await client.next())["payload"]
        assert error["extensions"]["code"] == "CURSOR_EXPIRED"
        await client.subscribe("CrmActivity", after=error["extensions"]["oldestCursor"])
        assert (await client.data("crmActivity"))["cursor"] == await cursor(live)


async def test_what_is_committed_while_the_first_reading_is_under_way_is_told(
    live: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, kept = await cursor(live), live.hub.events.kept
    made: list[str] = []

    async def late(tenant_id: Any) -> Kept:
        """Let something happen after the database has answered, and before the answer is here."""
        found = await kept(tenant_id)
        if not made:
            made.append("")
            made[0] = await live.person()
        return found

    monkeypatch.setattr(live.hub.events, "kept", late)
    # Nobody looks by the clock meanwhile.
    monkeypatch.setattr(live.api.system.bus, "_wake_all", lambda: None)
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=start)
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == made[0]


async def test_what_was_told_to_nobody_is_found_when_the_listener_is_back(
    live: Served, system: System, tenant: Tenant, superuser_connection: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process commits while this one's connection is lost: its word goes nowhere."""
    elsewhere = Api(
        replace(system, units=SqlUnits(system.units._engine, committed=lambda _tenant, _sequence: None)), tenant
    )
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=await cursor(live))
        await live.until_joined(1)
        connected = system.bus.connections
        made = await elsewhere.data("PersonCreate", role=DIRECTOR, input={"fullName": "Asha Rao"})
        await superuser_connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE (query LIKE 'LISTEN%' OR query LIKE '%pg_notify%') AND pid <> pg_backend_pid()"
        )
        told = await client.data("crmActivity")
        assert told["entry"]["subject"]["id"] == made["personCreate"]["person"]["id"]
        await live.until(lambda: system.bus.connections > connected)


async def test_a_hundred_who_see_the_same_cost_as_many_statements_as_one(live: Served) -> None:
    """And their frames are the same but for the operation's id."""
    statements = []
    for number in (1, 100):
        async with live.client(DIRECTOR) as client:
            for each in range(number):
                await client.subscribe("CrmActivity", f"{each:03}", after=await cursor(live))
            await live.until_joined(number)
            before = live.hub.evaluations, live.api.system.pool.statements
            await live.person()
            frames: list[str] = []
            while len(frames) < number:
                frame = str(await client.opened.recv())
                if '"type":"next"' in frame:
                    frames.append(frame)
            statements.append((live.hub.evaluations - before[0], live.api.system.pool.statements - before[1]))
        assert {frame.partition('"type"')[2] for frame in frames} == {frames[0].partition('"type"')[2]}
        assert sorted(frame[:11] for frame in frames) == [f'{{"id":"{each:03}"' for each in range(number)]
    assert [evaluations for evaluations, _ in statements] == [1, 1]
    # Looking at the caller again, and for events that nobody told of, goes by the clock and may fall into either.
    assert all(count < 10 for _, count in statements)


async def test_roles_and_callers_with_other_rules_never_share_an_answer(live: Served) -> None:
    """A director and an administrator see the same, two juniors do not; each is a group of its own."""
    tenant = live.api.tenant
    async with (
        live.client(DIRECTOR) as director,
        live.client(ADMIN) as admin,
        live.client(Role.JUNIOR_BROKER) as junior,
        live.client(Role.SENIOR_BROKER) as senior,
    ):
        for client in (director, admin, junior, senior):
            await client.subscribe("CrmActivity")
        await live.until(lambda: live.hub.groups == 4)
        keys = {group._question.key for feed in live.hub.feeds.values() for group in feed.groups.values()}
        scopes = {key[-1] for key in keys if isinstance(key, tuple)}
        junior_id, senior_id = tenant.users[Role.JUNIOR_BROKER], tenant.users[Role.SENIOR_BROKER]
        assert {(scope[0][1], scope[0][2]) for scope in scopes} == {
            (DIRECTOR, None), (ADMIN, None), (Role.JUNIOR_BROKER, junior_id), (Role.SENIOR_BROKER, senior_id),
        }  # fmt: skip


async def metrics(live: Served) -> dict[str, float]:
    answer = await live.http.get("/metrics")
    names = ("velocity_subscriptions", "velocity_subscription_groups", "velocity_event")
    lines = [line.split(" ") for line in answer.text.splitlines() if line.startswith(names)]
    return {name: float(number) for name, number in lines}


async def test_metrics_count_who_follows_and_what_is_told(live: Served) -> None:
    async with live.client(DIRECTOR) as client, live.client(ADMIN) as admin:
        for each, id_ in ((client, "1"), (client, "2"), (admin, "1")):
            await each.subscribe("CrmActivity", id_, after=await cursor(live))
        await live.until_joined(1, 2)
        await live.person()
        for each in (client, client, admin):
            await each.next()
        assert await metrics(live) == {
            "velocity_subscriptions": 3, "velocity_subscription_groups": 2, "velocity_event_statements_total": 2,
            "velocity_event_frames_total": 3,
        }  # fmt: skip
    await live.until(lambda: not live.hub.subscriptions)
    assert (await metrics(live))["velocity_subscriptions"] == 0

"""What is told of jobs: states by their events, progress and text as frames that are kept nowhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from app.worker.frames import Frames
from db.access.acting import system_caller
from db.events.bus import MOST_BYTES, EventBus, framed
from domain import jobs
from domain.access import Role
from domain.audit import AuditAction, Change
from domain.events import Event
from domain.jobs import ITEM_EVENT, InferenceTask, JobKind, NewJob, RunningJob, Succeeded
from domain.values import new_id
from tests.api import Api, operation
from tests.factories.access import Tenant
from tests.factories.rows import insert
from tests.graph.streams import Client, Served, cursor

JUNIOR = Role.JUNIOR_BROKER
FOLLOW = operation("JobUpdates")


async def enqueued(system: System, tenant: Tenant) -> UUID:
    job = NewJob(kind=JobKind.INFERENCE, task=InferenceTask.CHAT, takes_slot=False)
    async with system.units.write(tenant.caller(JUNIOR)) as unit:
        return await unit.jobs.enqueue(job)


async def begun(system: System, engine: AsyncEngine, tenant: Tenant, job_id: UUID) -> jobs.Claim:
    caller = await system_caller(engine, tenant.id)
    async with system.units.write(caller) as unit:
        [found] = await jobs.begin(unit, [job_id], "one")
    return jobs.Claim(found.job, found.token, caller)


async def ended(system: System, claim: jobs.Claim) -> None:
    async with system.units.write(claim.caller) as unit:
        await jobs.finish(unit, [jobs.End(claim.job.id, claim.token, Succeeded(), 0.0)])


@asynccontextmanager
async def elsewhere(system: System) -> AsyncIterator[EventBus]:
    """The bus of another process, connected."""
    woken = asyncio.Event()
    other = EventBus(system.database.app, look_seconds=3600)
    other.watch(UUID(int=0), lambda _: woken.set())
    other.start()
    try:
        await woken.wait()
        yield other
    finally:
        await other.close()


def running(tenant: Tenant, job_id: UUID) -> RunningJob:
    return RunningJob(
        tenant.id, job_id, JobKind.INFERENCE, 2, 3, {}, "0" * 64, tenant.caller(JUNIOR).actor, InferenceTask.CHAT
    )


async def told(client: Client) -> dict[str, Any]:
    return await client.data("jobUpdates")


async def test_a_job_is_told_from_its_beginning_to_its_end_with_frames_between(
    system: System, tenant: Tenant, live: Served, write_engine: AsyncEngine
) -> None:
    start = await cursor(live)
    job_id = await enqueued(system, tenant)
    async with elsewhere(system) as other, live.client(JUNIOR) as client:
        await client.subscribe(FOLLOW, jobId=f"job_{job_id}", after=start)
        queued = await told(client)
        claim = await begun(system, write_engine, tenant, job_id)
        began = await told(client)
        # Of another job nothing is told here.
        await enqueued(system, tenant)
        Frames(other.say).progressed(claim.job, 1, 20, "Loading")
        progressed = await told(client)
        Frames(system.bus.say).grown(claim.job, "a", "Hel")
        Frames(system.bus.say).grown(claim.job, "a", "lo")
        texts = [await told(client) for _ in range(2)]
        await ended(system, claim)
        finished = await told(client)
    job = {"__typename": "InferenceJob", "id": f"job_{job_id}"}
    assert (queued["__typename"], began["__typename"]) == ("JobStateChanged", "JobStateChanged")
    assert began["job"] == job | {"status": "RUNNING"}
    assert progressed == {
        "__typename": "JobProgressed", "cursor": progressed["cursor"], "job": job | {"status": "RUNNING"},
        "progress": {"value": 1, "max": 20, "step": "Loading"},
    }  # fmt: skip
    assert [(each["requestId"], each["attempt"], each["text"]) for each in texts] == [("a", 1, "Hel"), ("a", 1, "lo")]
    assert {texts[0]["cursor"], texts[1]["cursor"]} == {texts[0]["cursor"]}
    assert finished["job"] == job | {"status": "SUCCEEDED"}
    assert len({queued["cursor"], began["cursor"], finished["cursor"]}) == 3
    # Whoever comes back with a frame's cursor is told what came after, and no frame again.
    async with live.client(JUNIOR) as client:
        await client.subscribe(FOLLOW, jobId=f"job_{job_id}", after=texts[1]["cursor"])
        assert await told(client) == finished


async def test_frames_are_told_to_those_who_may_see_the_job(system: System, tenant: Tenant, live: Served) -> None:
    job_id = await enqueued(system, tenant)
    async with live.client(Role.ADMIN) as sees, live.client(Role.SALES_DIRECTOR) as other:
        await sees.subscribe(FOLLOW)
        await other.subscribe(FOLLOW, jobId=f"job_{UUID(int=7)}")
        await live.until_joined(1, 1)
        Frames(system.bus.say).progressed(running(tenant, UUID(int=8)), 1, 2, None)
        Frames(system.bus.say).progressed(running(tenant, job_id), 2, 2, None)
        assert (await told(sees))["progress"] == {"value": 2, "max": 2, "step": None}
        await other.send({"type": "ping"})
        assert (await other.next())["type"] == "pong"


async def test_long_text_travels_in_several_frames(tenant: Tenant) -> None:
    said: list[Event] = []
    text = "\x01" * 1_500 + "漢" * 1_000
    Frames(lambda _, frame: said.append(frame)).grown(running(tenant, UUID(int=1)), "a" * 300, text)
    assert "".join(str(frame.payload["text"]) for frame in said) == text
    assert [len(str(frame.payload["requestId"])) for frame in said] == [200, 200, 200]
    assert all(len(framed(tenant.id, frame).encode()) <= MOST_BYTES for frame in said)


async def test_a_frame_that_is_too_long_is_refused(tenant: Tenant, system: System) -> None:
    with pytest.raises(ValueError, match="at most"):
        system.bus.say(tenant.id, Event(0, "JobTextDelta", "jobs", UUID(int=1), None, {"text": "x" * MOST_BYTES}))


async def test_an_outsider_is_told_nothing(
    system: System, tenant: Tenant, live: Served, api: Api, owner_connection: "Connection[Record]"
) -> None:
    job_id = await enqueued(system, tenant)
    async with live.client(Role.SENIOR_BROKER) as senior:
        await senior.subscribe(FOLLOW)
        await live.until_joined(1)
        await owner_connection.execute(
            "UPDATE jobs SET requested_by_id = $2 WHERE tenant_id = $1 AND id = $3", tenant.id, tenant.outsider, job_id
        )
        Frames(system.bus.say).progressed(running(tenant, job_id), 1, 2, None)
        await api.data("JobCancel", role=Role.ADMIN, jobId=f"job_{job_id}")
        await live.until(
            lambda: all(not group._frames for feed in live.hub.feeds.values() for group in feed.groups.values())
        )
        await senior.send({"type": "ping"})
        assert (await senior.next())["type"] == "pong"


async def test_an_item_that_has_finished_is_told_with_it(
    system: System, tenant: Tenant, live: Served, api: Api, owner_connection: "Connection[Record]"
) -> None:
    job_id = await enqueued(system, tenant)
    item = new_id()
    await insert(
        owner_connection, "inference_items", tenant.id, id=item, job_id=job_id, number=1, request_id="a",
        status="QUEUED", messages="[]",
    )  # fmt: skip
    async with live.client(JUNIOR) as client:
        await client.subscribe(FOLLOW)
        await live.until_joined(1)
        async with system.units.write(tenant.caller(JUNIOR)) as unit:
            unit.record(Change(AuditAction.UPDATE, ITEM_EVENT, "jobs", job_id, payload=(("item", str(item)),)))
        told_item = (await told(client))["item"]
    assert told_item == {"id": f"inferenceitem_{item}", "requestId": "a", "status": "QUEUED"}

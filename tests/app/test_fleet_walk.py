"""The fleet with real processes: a worker's machine beside the server's, and modes while work runs and waits.

Everything is real but the models and the GPU's driver, which are built or speak on sockets. Nothing is waited for but
what is shown to those who ask.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.roles import set_tenant
from domain.access import Role
from tests.app.test_faults import a_moment
from tests.app.test_gpu_walk import (
    ANSWERED,
    ITEMS,
    WHOLE,
    Site,
    batch_begun,
    following,
    opened_site,
    render_begun,
)
from tests.gpu.fleet.drivers import built
from tests.graph.streams import Client, signed_in

Shown = dict[str, Any]
PATIENCE = 60
OFTEN = {"VELOCITY_FLEET_SECONDS": "1", "VELOCITY_FLEET_SILENT_SECONDS": "4"}
FLEET = """{ fleet {
    mode { current }
    hosts { hostname status source gpus { memory { usedMiB } } sampledAt }
    workers { name kind status open runningJob { id } }
    queues { name depth running waitsFor finishedPerMinute }
} }"""
WAITS = "query ($id: ID!) { node(id: $id) { ... on Job { status waitsFor } } }"
UPDATES = "subscription { fleetUpdates { host { hostname status } } }"
DRAINING = "A job is still running on studio; its GPU changes over when that has ended."


async def shown(site: Site, holds: Callable[[Shown], bool]) -> Shown:
    """Ask for the fleet until it is as it should be."""
    found: Shown = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds(found := await site.ask(FLEET)):
                for worker in site.workers:
                    assert worker.poll() in {None, -signal.SIGKILL}, site.logs[-1].read_text()
                await a_moment(0.05)
    except TimeoutError:
        raise AssertionError(found) from None
    return found


def hosts(found: Shown) -> dict[str, str]:
    return {each["hostname"]: each["status"] for each in found["hosts"]}


def workers(found: Shown) -> dict[str, tuple[str, bool]]:
    return {each["name"]: (each["status"], each["open"]) for each in found["workers"]}


async def waits(site: Site, job_id: str) -> tuple[str, str | None]:
    found = await site.ask(WAITS, id=job_id)
    return found["status"], found["waitsFor"]


async def set_mode(site: Site, mode: str) -> list[str]:
    unconfirmed: list[str] = (await site.ask("FleetModeSet", mode=mode))["unconfirmed"]
    return unconfirmed


async def batch(site: Site) -> str:
    """Ask for three answers; return the job."""
    items = [{"requestId": name, "messages": [{"role": "user", "content": f"Item {name}"}]} for name in "abc"]
    job_id: str = (await site.ask("InferenceSubmit", input={"task": "CHAT", "items": items}))["job"]["id"]
    return job_id


@pytest.fixture
async def site(folder: Path, blank: Path) -> AsyncIterator[Site]:
    async with opened_site(folder, blank, Role.SALES_DIRECTOR, OFTEN) as made:
        # Every answer ends at once.
        made.model.killed = True
        await made.sign_in()
        yield made


async def test_a_worker_on_another_machine_is_in_the_fleet_until_it_is_killed(site: Site) -> None:
    alone = await shown(site, lambda found: list(hosts(found).values()) == ["ONLINE"])
    [server] = hosts(alone)
    # Nobody works here, so nobody has found a ComfyUI.
    assert "studio" not in workers(alone)
    first = site.start(VELOCITY_FLEET_HOSTNAME="studio-machine")
    async with signed_in(site.http, {"authorization": site.http.headers["authorization"]}) as live:
        both = await shown(site, lambda found: hosts(found).get("studio-machine") == "ONLINE")
        assert hosts(both) == {server: "ONLINE", "studio-machine": "ONLINE"}
        await shown(site, lambda found: workers(found).get("studio") == ("IDLE", True))
        [before] = [each["sampledAt"] for each in both["hosts"] if each["hostname"] == "studio-machine"]
        await shown(site, lambda found: before not in [each["sampledAt"] for each in found["hosts"]])

        await live.subscribe(UPDATES)
        await told(live, "studio-machine", "ONLINE")

        first.send_signal(signal.SIGKILL)
        assert await asyncio.to_thread(first.wait) == -signal.SIGKILL
        await told(live, "studio-machine", "OFFLINE")
        gone = await shown(site, lambda found: hosts(found)["studio-machine"] == "OFFLINE")
        assert hosts(gone) == {server: "ONLINE", "studio-machine": "OFFLINE"}
        await shown(site, lambda found: workers(found)["studio"][0] == "DOWN")
        metrics = (await site.http.get("/metrics")).text
        assert 'velocity_fleet_workers{kind="COMFYUI",name="studio",state="DOWN"} 1.0' in metrics
        assert 'velocity_fleet_workers{kind="COMFYUI",name="studio",state="IDLE"} 0.0' in metrics
        assert 'velocity_fleet_workers{kind="LLM",name="gpu",state="IDLE"} 1.0' in metrics

    site.start(VELOCITY_FLEET_HOSTNAME="studio-machine")
    await shown(site, lambda found: hosts(found)["studio-machine"] == "ONLINE")
    await shown(site, lambda found: workers(found)["studio"] == ("IDLE", True))


async def test_a_mode_drains_a_render_and_what_it_forbids_says_why_it_waits(site: Site) -> None:
    start = await site.ask("{ eventCursor }")
    site.start()
    await shown(site, lambda found: workers(found) == {"gpu": ("IDLE", True), "studio": ("IDLE", True)})
    assert await set_mode(site, "MEDIA_FIRST") == ["gpu could not be asked to free its memory: It answered 404."]

    async with following(site.http) as live:
        render_id = await render_begun(site, live, start)
        # No model wrote that: the mode keeps them closed, and nobody waited for one.
        words = (await site.ask("RenderJob", id=render_id))["prompt"]
        assert words == "Interior photograph of a furnished kitchen, oak"
        batch_id = await batch(site)
        assert await waits(site, batch_id) == (
            "QUEUED", "The mode is MEDIA_FIRST: this begins when the machines serve it again.",
        )  # fmt: skip
        [inference, _] = (await site.ask(FLEET))["queues"]
        assert inference["waitsFor"] == "The mode is MEDIA_FIRST: work for language models waits until it is another."

        assert await set_mode(site, "LLM_FIRST") == [DRAINING]
        draining = await site.ask(FLEET)
        assert workers(draining) == {"gpu": ("IDLE", False), "studio": ("DRAINING", False)}
        assert [each["runningJob"] for each in draining["workers"]] == [{"id": render_id}, None]
        assert await waits(site, batch_id) == (
            "QUEUED", "The machines are changing over to LLM_FIRST: this begins when they have.",
        )  # fmt: skip
        asked = {"photoUploadId": await site.uploaded(), "roomType": "BALCONY", "keywords": ["plants"]}
        second_id = (await site.ask("RenderSubmit", input=asked))["job"]["id"]
        assert await waits(site, second_id) == (
            "QUEUED", "The mode is LLM_FIRST: this begins when the machines serve it again.",
        )  # fmt: skip
        assert (site.comfy.engine.freed, site.model.asked) == (0, [])

        site.comfy.engine.release()
        await site.until(lambda: live.states("render")[-1:] == ["SUCCEEDED"])
        after = await shown(site, lambda found: workers(found)["gpu"][1])
        assert workers(after)["studio"] == ("IDLE", False)
        assert site.comfy.engine.freed >= 1
        await ended(site, batch_id)
        assert sorted(site.model.asked) == ["Item a", "Item b", "Item c"]
        assert await waits(site, second_id) == (
            "QUEUED", "The mode is LLM_FIRST: this begins when the machines serve it again.",
        )  # fmt: skip

    await set_mode(site, "SPLIT")
    await ended(site, second_id)
    assert await audited(site) == 3


async def test_a_batch_gives_way_between_two_answers(site: Site) -> None:
    """What a model answers just now ends; the rest of the batch goes back into the queue and says why."""
    site.model.killed = False
    start = await site.ask("{ eventCursor }")
    site.start()
    await shown(site, lambda found: workers(found) == {"gpu": ("IDLE", True), "studio": ("IDLE", True)})
    async with following(site.http) as live:
        batch_id = await batch_begun(site, live, start)
        assert await set_mode(site, "MEDIA_FIRST") == [
            "2 jobs are still running on gpu; its GPU changes over when that has ended."
        ]
        assert workers(await site.ask(FLEET)) == {"gpu": ("DRAINING", False), "studio": ("IDLE", True)}
        site.model.killed = True
        for stall in site.model.stalls:
            stall.released.set()
        await site.until(lambda: live.states("batch")[2:] == ["QUEUED"])
        assert await waits(site, batch_id) == (
            "QUEUED", "The mode is MEDIA_FIRST: this begins when the machines serve it again.",
        )  # fmt: skip
        assert len(site.model.asked) == ANSWERED + 2
        await set_mode(site, "LLM_FIRST")
        await ended(site, batch_id)
    items = [edge["node"] for edge in (await site.ask("InferenceJob", id=batch_id, first=100))["items"]["edges"]]
    assert [each["attempt"] for each in items] == [1] * (ANSWERED + 2) + [2] * (len(ITEMS) - ANSWERED - 2)
    assert {each["requestId"]: each["output"]["text"] for each in items} == WHOLE
    # Nobody was asked twice.
    assert sorted(site.model.asked) == sorted(f"Item {name}" for name in ITEMS)


async def test_memory_that_is_not_free_keeps_the_other_work_waiting(folder: Path, blank: Path) -> None:
    """A GPU with both on it, and its driver: what was asked for its memory has to be seen to have let go of it."""
    library = folder / "driver"
    library.mkdir()
    driver = built(library)
    driver.says(used_mib=60_000)
    uuid = "GPU-00000000-0000-0000-0000-000000000000"
    environment = {name: driver.environment[name] for name in ("LD_LIBRARY_PATH", "FAKE_NVML")}
    placed = {"VELOCITY_GPU_PLACEMENTS": f"gpu={uuid},studio={uuid}", "VELOCITY_KERNEL_LOG": "off"}
    async with opened_site(folder, blank, Role.SALES_DIRECTOR, {**OFTEN, **placed, **environment}) as site:
        site.model.killed = True
        await site.sign_in()
        site.start()
        await shown(site, lambda found: workers(found) == {"gpu": ("IDLE", True), "studio": ("IDLE", True)})
        await shown(site, lambda found: bool(found["hosts"][0]["gpus"]))
        await set_mode(site, "MEDIA_FIRST")
        await shown(site, lambda found: workers(found)["studio"][1])
        batch_id = await batch(site)

        unconfirmed = await set_mode(site, "LLM_FIRST")
        assert unconfirmed == [
            "studio was asked to free its memory; its GPU still has 60000 of 81559 MiB in use."
        ]  # fmt: skip
        assert site.comfy.engine.freed >= 1
        assert (await waits(site, batch_id))[0] == "QUEUED"
        driver.says(used_mib=900)
        await ended(site, batch_id)
        owner = await asyncpg.connect(site.installation.server.addresses.owner)
        confirmed = "SELECT count(*) FROM fleet_releases WHERE confirmed_at - asked_at < interval '30 s'"
        assert await owner.fetchval(confirmed) == 1
        await owner.close()


async def told(live: Client, hostname: str, status: str) -> None:
    """Follow the fleet until a machine is said to be so."""
    async with asyncio.timeout(PATIENCE):
        while (await live.data("fleetUpdates"))["host"] != {"hostname": hostname, "status": status}:
            continue


async def ended(site: Site, job_id: str) -> None:
    """Wait until a job has succeeded."""
    async with asyncio.timeout(PATIENCE):
        while (found := await waits(site, job_id)) != ("SUCCEEDED", None):
            assert found[0] in {"QUEUED", "RUNNING"}, found
            await a_moment(0.05)


async def audited(site: Site) -> int:
    """How many modes somebody is known to have set."""
    owner = await asyncpg.connect(site.installation.server.addresses.owner)
    tenant_id = await owner.fetchval("SELECT id FROM tenants")
    await set_tenant(owner, tenant_id)
    count: int = await owner.fetchval(
        "SELECT count(*) FROM audit_entries WHERE tenant_id = $1 AND subject_noun = 'fleet_modes'"
        " AND actor_noun = 'users'",
        tenant_id,
    )
    await owner.close()
    return count

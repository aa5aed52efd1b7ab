"""A batch whose worker is killed or told to stop in the middle: what was answered stays, and the rest is answered."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection, Record

from db.engine import create_write_engine
from db.roles import set_tenant
from db.unit import SqlUnits
from domain.access import Role
from domain.inference import InferenceSubmit, InferenceTask, Message, NewItem, ProviderKind, submit
from tests.app.test_faults import a_moment
from tests.clusters import copied
from tests.factories import access
from tests.factories.access import Tenant
from tests.fake_llm import FakeLlm, Json, Say, Stall
from tests.installation import COMMAND, ROOT, Installation, end_all

ITEMS = 20
STATUSES = "SELECT status, attempt, output_text FROM inference_items WHERE tenant_id = $1 ORDER BY number"


@dataclass(slots=True)
class Site:
    """An installation with a tenant, a model's server and workers."""

    installation: Installation
    fake: FakeLlm
    tenant: Tenant
    owner: "Connection[Record]"
    units: SqlUnits
    logs: list[Path] = field(default_factory=list)
    workers: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, **settings: str) -> "subprocess.Popen[str]":
        """Start a worker."""
        self.logs.append(self.installation.folder.parent / f"worker-{len(self.logs)}.log")
        with self.logs[-1].open("w") as log:
            self.workers.append(
                subprocess.Popen(
                    [COMMAND, "worker", "--queues", "inference"], cwd=ROOT, text=True, stdout=log, stderr=log,
                    env=self.installation.environment | settings,
                )
            )  # fmt: skip
        return self.workers[-1]

    async def submit(self) -> UUID:
        items = [NewItem(f"req_{number:03}", (Message("user", "Hello."),)) for number in range(ITEMS)]
        async with self.units.write(self.tenant.caller(Role.JUNIOR_BROKER)) as unit:
            return await submit(unit, InferenceSubmit(InferenceTask.CHAT, items))

    async def items(self) -> list[Record]:
        return list(await self.owner.fetch(STATUSES, self.tenant.id))

    async def job(self, job_id: UUID) -> Record:
        found = await self.owner.fetchrow("SELECT * FROM jobs WHERE id = $1", job_id)
        assert found is not None
        return found

    async def let_expire(self) -> None:
        """Let the leases of what runs be over, which nobody renews any more."""
        await self.owner.execute(
            "UPDATE jobs SET leased_until = now() - interval '1 ms' WHERE tenant_id = $1 AND status = 'RUNNING'",
            self.tenant.id,
        )

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something, as long as the newest worker lives."""
        async with asyncio.timeout(90):
            while not await holds():
                assert self.workers[-1].poll() is None, self.logs[-1].read_text()
                await a_moment(0.05)


@pytest.fixture
async def site(folder: Path, blank: Path) -> AsyncIterator[Site]:
    async with FakeLlm(ProviderKind.LLAMA_CPP).serving() as fake:
        models = folder / "models.toml"
        models.write_text(
            f'[[providers]]\nname = "gpu"\nkind = "LLAMA_CPP"\nurl = "{fake.url}"\nmodel = "m1"\nat_once = 2\n'
        )
        settings = {"VELOCITY_INFERENCE_SETTINGS": str(models)}
        installation = Installation(folder / "var", settings | {"VELOCITY_WORKER_POLL_SECONDS": "0.5"})
        copied(blank, installation.server.directory)
        with installation.server as server:
            owner = await asyncpg.connect(server.addresses.owner)
            engine = create_write_engine(server.addresses.app, size=2)
            made = Site(installation, fake, await access.tenant(owner), owner, SqlUnits(engine))
            await set_tenant(owner, made.tenant.id)
            try:
                yield made
            finally:
                end_all(made.workers)
                await engine.dispose()
                await owner.close()


def halfway(fake: FakeLlm) -> list[Stall]:
    """Have eight items answered, and then two answers begun that do not end, until somebody releases them."""
    stalls = [Stall("Hel"), Stall("Hel")]

    def answer(_body: Json) -> Say | Stall:
        begun = len(fake.asked)
        return stalls[begun % 2] if begun in {9, 10} else Say()

    fake.otherwise = answer
    return stalls


async def two_begun(site: Site) -> None:
    """Wait until eight items are answered, and two answers have begun."""

    async def holds() -> bool:
        answered = [row["status"] for row in await site.items()].count("SUCCEEDED")
        return site.fake.running == 2 and len(site.fake.asked) == 10 and answered == 8

    await site.until(holds)


async def over(site: Site, job_id: UUID) -> None:
    """Wait until a job has succeeded."""

    async def holds() -> bool:
        return bool((await site.job(job_id))["status"] == "SUCCEEDED")

    await site.until(holds)


async def test_a_killed_worker_loses_no_answer_and_asks_none_twice(site: Site) -> None:
    fake = site.fake
    halfway(fake)
    first = site.start()
    job_id = await site.submit()
    await two_begun(site)
    first.send_signal(signal.SIGKILL)
    await asyncio.to_thread(first.wait)
    before = await site.items()
    await site.let_expire()
    fake.otherwise = Say()
    second = site.start()
    await over(site, job_id)
    after = await site.items()
    events = await site.owner.fetchval(
        "SELECT count(*) FROM events WHERE tenant_id = $1 AND kind = 'JobItemFinished'", site.tenant.id
    )
    second.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait) == 0
    assert [row["status"] for row in before].count("SUCCEEDED") == 8
    assert {row["output_text"] for row in after} == {"Hello there."}
    assert sorted(row["attempt"] for row in after) == [1] * 8 + [2] * 12
    # Two were asked a second time: their first answers broke off with the worker.
    assert (len(fake.asked), events) == (ITEMS + 2, ITEMS)
    assert "Hello" not in site.logs[-1].read_text()


async def test_a_worker_that_is_told_to_stop_ends_its_batch_and_begins_no_other(site: Site) -> None:
    stalls = halfway(site.fake)
    worker = site.start(VELOCITY_WORKER_JOBS="1")
    first, second = await site.submit(), await site.submit()
    await two_begun(site)
    worker.send_signal(signal.SIGTERM)
    for stall in stalls:
        stall.released.set()
    assert await asyncio.to_thread(worker.wait) == 0
    jobs = [await site.job(job_id) for job_id in (first, second)]
    assert [(job["status"], job["attempt"]) for job in jobs] == [("SUCCEEDED", 1), ("QUEUED", 0)]
    assert len(site.fake.asked) == ITEMS
    assert "Traceback" not in site.logs[-1].read_text()


async def test_a_worker_that_may_not_wait_gives_its_batch_back_and_loses_no_attempt(site: Site) -> None:
    halfway(site.fake)
    worker = site.start(VELOCITY_WORKER_GRACE_SECONDS="0.5")
    job_id = await site.submit()
    await two_begun(site)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait) == 0
    job = await site.job(job_id)
    assert (job["status"], job["attempt"], job["max_attempts"], job["error_code"]) == ("QUEUED", 1, 4, None)
    assert await site.owner.fetchval("SELECT count(*) FROM slots WHERE job_id IS NOT NULL") == 0
    assert "Traceback" not in site.logs[-1].read_text()
    site.fake.otherwise = Say()
    site.start()
    await over(site, job_id)
    assert sorted(row["attempt"] for row in await site.items()) == [1] * 8 + [2] * 12
    assert len(site.fake.asked) == ITEMS + 2

"""A batch whose worker is killed in the middle: what was answered stays, and the rest is answered by another worker."""

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
from db.migrations import migrate
from db.roles import set_tenant
from db.unit import SqlUnits
from domain.access import Role
from domain.inference import InferenceSubmit, InferenceTask, Message, NewItem, ProviderKind, submit
from tests.app.test_faults import a_moment
from tests.factories import access
from tests.factories.access import Tenant
from tests.fake_llm import FakeLlm, Json, Say, Stall
from tests.installation import COMMAND, ROOT, Installation

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

    def start(self) -> "subprocess.Popen[str]":
        """Start a worker."""
        self.logs.append(self.installation.folder.parent / f"worker-{len(self.logs)}.log")
        with self.logs[-1].open("w") as log:
            self.workers.append(
                subprocess.Popen(
                    [COMMAND, "worker", "--queues", "inference"], cwd=ROOT, env=self.installation.environment,
                    text=True, stdout=log, stderr=log,
                )
            )  # fmt: skip
        return self.workers[-1]

    async def submit(self) -> UUID:
        items = [NewItem(f"req_{number:03}", (Message("user", "Hello."),)) for number in range(ITEMS)]
        async with self.units.write(self.tenant.caller(Role.JUNIOR_BROKER)) as unit:
            return await submit(unit, InferenceSubmit(InferenceTask.CHAT, items))

    async def items(self) -> list[Record]:
        return list(await self.owner.fetch(STATUSES, self.tenant.id))

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something, as long as the newest worker lives."""
        async with asyncio.timeout(90):
            while not await holds():
                assert self.workers[-1].poll() is None, self.logs[-1].read_text()
                await a_moment(0.05)


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    async with FakeLlm(ProviderKind.LLAMA_CPP).serving() as fake:
        models = folder / "models.toml"
        models.write_text(
            f'[[providers]]\nname = "gpu"\nkind = "LLAMA_CPP"\nurl = "{fake.url}"\nmodel = "m1"\nat_once = 2\n'
        )
        settings = {"VELOCITY_LEASE_SECONDS": "2", "VELOCITY_INFERENCE_SETTINGS": str(models)}
        installation = Installation(folder / "var", settings | {"VELOCITY_WORKER_POLL_SECONDS": "0.5"})
        installation.folder.mkdir()
        with installation.server as server:
            await migrate(server.addresses.owner)
            owner = await asyncpg.connect(server.addresses.owner)
            engine = create_write_engine(server.addresses.app, size=2)
            made = Site(installation, fake, await access.tenant(owner), owner, SqlUnits(engine))
            await set_tenant(owner, made.tenant.id)
            try:
                yield made
            finally:
                for process in made.workers:
                    if process.poll() is None:
                        process.kill()
                    process.wait()
                await engine.dispose()
                await owner.close()


async def test_a_killed_worker_loses_no_answer_and_asks_none_twice(site: Site) -> None:
    fake, stalls = site.fake, [Stall("Hel"), Stall("Hel")]

    def halfway(_body: Json) -> Say | Stall:
        """Answer eight, and then begin two answers that never end."""
        begun = len(fake.asked)
        return Say() if begun <= 8 else stalls[begun % 2]

    async def two_begun() -> bool:
        return fake.running == 2 and len(fake.asked) == 10

    async def over() -> bool:
        return bool(await site.owner.fetchval("SELECT status = 'SUCCEEDED' FROM jobs WHERE id = $1", job_id))

    fake.otherwise = halfway
    first = site.start()
    job_id = await site.submit()
    await site.until(two_begun)
    first.send_signal(signal.SIGKILL)
    before = await site.items()
    fake.otherwise = Say()
    second = site.start()
    await site.until(over)
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

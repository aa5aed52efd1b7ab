"""Workers as real processes, killed at random, stopped for too long, drained, and with a database that is restarted.

Every job ends once and leaves one mark. `VELOCITY_WORKER_KILLS` says how many workers are killed, 10 unless it is set,
over twenty times as many jobs.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection, Record

from db.engine import create_write_engine
from db.roles import set_tenant
from db.unit import SqlUnits
from domain.access import Role
from domain.jobs import InferenceTask, JobKind, NewJob
from tests.app.test_faults import a_moment
from tests.clusters import copied
from tests.factories import access
from tests.factories.access import Tenant
from tests.installation import ROOT, Installation, end_all

KILLS = int(os.environ.get("VELOCITY_WORKER_KILLS", "10"))
JOBS = 20 * KILLS
PATIENCE = 120 + 6 * KILLS
LEASE = "2"


@dataclass(slots=True)
class Site:
    """An installation with a tenant, and the workers that were started there."""

    installation: Installation
    tenant: Tenant
    owner: "Connection[Record]"
    units: SqlUnits
    folder: Path
    workers: list[subprocess.Popen[str]] = field(default_factory=list)
    logs: list[IO[str]] = field(default_factory=list)

    def start(self, **settings: str) -> subprocess.Popen[str]:
        """Start a worker."""
        log = (self.folder / f"worker-{len(self.workers)}.log").open("w+")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.app.worker_main"], cwd=ROOT, text=True, stderr=log,
            stdout=subprocess.DEVNULL, env=self.installation.environment | settings,
        )  # fmt: skip
        self.workers.append(process)
        self.logs.append(log)
        return process

    def logged(self, process: subprocess.Popen[str]) -> str:
        return Path(self.logs[self.workers.index(process)].name).read_text(encoding="utf-8")

    async def enqueue(self, count: int = 1, **payload: Any) -> list[UUID]:
        attempts = payload.pop("max_attempts", 100)
        async with self.units.write(self.tenant.caller(Role.JUNIOR_BROKER)) as unit:
            return [
                await unit.jobs.enqueue(
                    NewJob(kind=JobKind.INFERENCE, task=InferenceTask.CHAT, payload=payload, max_attempts=attempts)
                )
                for _ in range(count)
            ]

    async def statuses(self) -> Counter[str]:
        rows = await self.rows("SELECT status, count(*) FROM jobs WHERE tenant_id = $1 GROUP BY 1")
        return Counter({row[0]: row[1] for row in rows})

    async def rows(self, statement: str) -> list[Record]:
        """Ask as the owner, again if the database was just restarted."""
        while True:
            try:
                if self.owner.is_closed():
                    self.owner = await asyncpg.connect(self.installation.server.addresses.owner)
                await set_tenant(self.owner, self.tenant.id)
                return list(await self.owner.fetch(statement, self.tenant.id))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await a_moment(0.1)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await holds():
                await a_moment(0.05)

    async def until_ended(self, count: int) -> None:
        async def ended() -> bool:
            found = await self.statuses()
            return sum(found.values()) - found["QUEUED"] - found["RUNNING"] >= count

        await self.until(ended)

    async def events(self, kind: str) -> Counter[UUID]:
        rows = await self.rows(f"SELECT subject_id FROM events WHERE tenant_id = $1 AND kind = '{kind}'")
        return Counter(row[0] for row in rows)

    async def ends(self) -> Counter[UUID]:
        """How often each job was told to have ended."""
        rows = await self.rows(
            "SELECT subject_id FROM events WHERE tenant_id = $1 AND kind = 'JobChanged'"
            " AND payload ->> 'status' NOT IN ('QUEUED', 'RUNNING')"
        )
        return Counter(row[0] for row in rows)

    async def restart(self, how: str) -> None:
        """Restart PostgreSQL."""
        server = self.installation.server
        command = ("pg_ctl", "-D", str(server.cluster), "-l", str(server.directory / "log"), "-m", how, "-w", "restart")
        done = await asyncio.to_thread(server._run, *command)
        assert done.returncode == 0, done.stdout


@pytest.fixture
async def site(folder: Path, blank: Path) -> AsyncIterator[Site]:
    """A fresh installation; its workers are gone afterwards."""
    settings = {"VELOCITY_LEASE_SECONDS": LEASE, "VELOCITY_WORKER_JOBS": "4", "VELOCITY_WORKER_POLL_SECONDS": "0.5"}
    installation = Installation(folder / "var", settings)
    copied(blank, installation.server.directory)
    with installation.server as server:
        owner = await asyncpg.connect(server.addresses.owner)
        engine = create_write_engine(server.addresses.app, size=2)
        made = Site(installation, await access.tenant(owner), owner, SqlUnits(engine), folder)
        try:
            yield made
        finally:
            end_all(made.workers)
            for log in made.logs:
                log.close()
            await engine.dispose()
            await made.owner.close()


@asynccontextmanager
async def kept_up(site: Site, count: int) -> AsyncIterator[None]:
    """Keep so many workers up, as whatever starts them at boot would."""

    async def keep() -> None:
        up = [site.start() for _ in range(count)]
        while True:
            up = [process if process.poll() is None else site.start() for process in up]
            await a_moment(0.1)

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def test_every_job_ends_once_whoever_is_killed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(6)  # noqa: S311 -- the same victims in every run.
    wanted = await site.enqueue(JOBS - 2, seconds=0.02)
    poison = await site.enqueue(2, poison=True, max_attempts=2)
    killed = 0
    async with kept_up(site, 3):
        for number in range(KILLS):
            await site.until_ended(number * JOBS // (KILLS + 1))
            running = [process for process in site.workers if process.poll() is None]
            chance.choice(running).send_signal(signal.SIGKILL)
            killed += 1
        await site.until_ended(JOBS)
    attempts = await site.rows("SELECT id, status, attempt, error_code FROM jobs WHERE tenant_id = $1")
    with capsys.disabled():
        again = sum(row["attempt"] - 1 for row in attempts)
        died = sum(process.poll() == -signal.SIGKILL for process in site.workers)
        sys.stdout.write(f"\n{JOBS} jobs, {killed} workers killed, {died} died; {again} attempts were made again.\n")
    assert {
        row["id"]: (row["status"], row["attempt"], row["error_code"]) for row in attempts if row["id"] in poison
    } == dict.fromkeys(poison, ("FAILED", 2, "LEASE_EXPIRED"))
    assert {row["status"] for row in attempts if row["id"] not in poison} == {"SUCCEEDED"}
    assert await site.events("Marked") == Counter(wanted)
    assert await site.ends() == Counter([*wanted, *poison])
    assert await site.rows("SELECT id FROM pgqueuer.pgqueuer WHERE $1::uuid IS NOT NULL") == []


async def changes_nothing(site: Site, late: "subprocess.Popen[str]", job_id: UUID) -> None:
    """Let a worker go on that stood still while its job was done elsewhere, and see that it leaves all as it is."""
    before = await everything(site)
    late.send_signal(signal.SIGCONT)

    async def lost() -> bool:
        return "lease_lost" in site.logged(late)

    await site.until(lost)
    assert await everything(site) == before
    assert await site.events("Marked") == Counter([job_id])
    assert await site.ends() == Counter([job_id])


async def test_a_worker_that_was_stopped_past_its_lease_changes_nothing(site: Site) -> None:
    go = site.folder / "go"
    [job_id] = await site.enqueue(until=str(go))
    late = site.start()
    await site.until(lambda: is_running(site, attempt=1))
    late.send_signal(signal.SIGSTOP)
    site.start()
    await site.until(lambda: is_running(site, attempt=2))
    go.touch()
    await site.until_ended(1)
    await changes_nothing(site, late, job_id)


async def test_a_worker_that_was_stopped_within_a_unit_keeps_nobody_waiting(site: Site) -> None:
    [job_id] = await site.enqueue(stop=True)
    late = site.start()
    await site.until(lambda: is_stopped(late))
    # It has locked its job in a transaction that it does not end, and would for as long as it stands still.
    site.start()
    await site.until_ended(1)
    await changes_nothing(site, late, job_id)


async def test_jobs_end_once_though_the_database_is_restarted_in_the_middle(site: Site) -> None:
    wanted = await site.enqueue(60, seconds=0.05)
    async with kept_up(site, 2):
        for ended, how in ((5, "fast"), (20, "immediate"), (40, "fast")):
            await site.until_ended(ended)
            await site.restart(how)
        await site.until_ended(60)
    assert await site.statuses() == Counter(SUCCEEDED=60)
    assert await site.events("Marked") == Counter(wanted)
    assert await site.ends() == Counter(wanted)
    assert len(site.workers) == 2, "No worker died of it."


async def test_a_worker_that_is_told_to_stop_ends_what_runs_and_begins_nothing(site: Site) -> None:
    go = site.folder / "go"
    await site.enqueue(4, until=str(go))
    await site.enqueue(4)
    # A worker that is slow to go on must not lose its jobs meanwhile: that is another test's.
    worker = site.start(VELOCITY_LEASE_SECONDS="60")

    async def full() -> bool:
        return (await site.statuses())["RUNNING"] == 4

    async def drains() -> bool:
        return "worker_draining" in site.logged(worker)

    await site.until(full)
    worker.send_signal(signal.SIGTERM)
    await site.until(drains)
    go.touch()
    assert await asyncio.to_thread(worker.wait) == 0
    assert await site.statuses() == Counter(SUCCEEDED=4, QUEUED=4)


async def test_a_worker_that_may_not_wait_gives_its_jobs_back(site: Site) -> None:
    await site.enqueue(2, until=str(site.folder / "never"), max_attempts=1)
    worker = site.start(VELOCITY_WORKER_GRACE_SECONDS="0")

    async def full() -> bool:
        return (await site.statuses())["RUNNING"] == 2

    await site.until(full)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait) == 0
    rows = await site.rows("SELECT status, attempt, max_attempts, error_code FROM jobs WHERE tenant_id = $1")
    assert [tuple(row) for row in rows] == [("QUEUED", 1, 2, None)] * 2


async def is_stopped(worker: subprocess.Popen[str]) -> bool:
    stat = await asyncio.to_thread(Path(f"/proc/{worker.pid}/stat").read_text)
    return stat.rpartition(")")[2].split()[0] == "T"


async def is_running(site: Site, attempt: int) -> bool:
    rows = await site.rows("SELECT status, attempt, progress_value FROM jobs WHERE tenant_id = $1")
    return [tuple(row) for row in rows] == [("RUNNING", attempt, attempt)]


async def everything(site: Site) -> list[Record]:
    """All that is stored of jobs and told of them."""
    jobs = await site.rows("SELECT * FROM jobs WHERE tenant_id = $1")
    return jobs + await site.rows("SELECT * FROM events WHERE tenant_id = $1 ORDER BY sequence")

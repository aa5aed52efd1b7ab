"""Folders for installations of their own, and a demo as `velocity seed` leaves it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from asyncpg import Connection, Record

from app.database import Database
from app.seeding import load_demo
from app.settings import Settings
from app.wiring import System, system
from db.migrations import migrate
from db.server import temporary_server


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder. Not pytest's: each run closes its root to others, and as root PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
async def demo_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system with a small demo, boards and all, on a server of its own."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("demo"))
    with temporary_server() as server:
        await migrate(server.addresses.owner)
        found = Database(server.addresses.app, server.addresses.owner, embedded=True)
        await load_demo(settings, found, 0.05)
        async with system(settings, found) as opened:
            yield opened


@pytest.fixture
async def nobodys_jobs(owner_connection: "Connection[Record]") -> None:
    """End what other tests asked for and nobody did: a worker takes the jobs of every tenant."""
    await owner_connection.execute(
        "UPDATE slots SET job_id = NULL, job_tenant_id = NULL, lease_token = NULL, leased_at = NULL"
    )
    await owner_connection.execute(
        "UPDATE jobs SET status = 'CANCELLED', finished_at = now(), lease_token = NULL, leased_until = NULL"
        " WHERE status IN ('QUEUED', 'RUNNING')"
    )
    await owner_connection.execute("DELETE FROM pgqueuer.pgqueuer")

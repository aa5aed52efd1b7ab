"""Folders for installations of their own, and a demo as `velocity seed` leaves it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

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

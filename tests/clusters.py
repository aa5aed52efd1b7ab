"""Clusters of PostgreSQL that have every table already: copies of one that was migrated once, which takes seconds."""

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from db.migrations import migrate
from db.server import PostgresServer

# No test is about a crash of the machine: those of PostgreSQL's processes lose nothing by this.
FASTER = "fsync = off\nfull_page_writes = off\n"


@asynccontextmanager
async def migrated() -> AsyncIterator[Path]:
    """Make a folder for a server that has every table and no row, to be copied; nothing runs in it any more."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        with PostgresServer(Path(name), durable=False) as server:
            await migrate(server.addresses.owner)
        with (server.cluster / "postgresql.conf").open("a") as settings:
            settings.write(FASTER)
        yield server.directory


def copied(source: Path, target: Path) -> None:
    """Copy a folder with the owners of its files; as root, PostgreSQL's are another user's."""
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{source}/.", target], check=True)


@contextmanager
def copied_server(source: Path) -> Iterator[PostgresServer]:
    """Run a server on a copy that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        copied(source, Path(name))
        with PostgresServer(Path(name), durable=False) as server:
            yield server

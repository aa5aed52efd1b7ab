"""Which database this process uses: the operator's, or the embedded one under the data folder."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from app.failures import CannotContinue
from app.settings import Settings
from db.migrations import current_revision, newest_revision
from db.roles import role_faults
from db.server import PostgresServer, ServerFailed

OLDEST_VERSION: Final = 16
CONNECT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Database:
    """Addresses of the database: `app` serves, `owner` migrates and seeds."""

    app: str
    owner_or_none: str | None
    embedded: bool

    @property
    def owner(self) -> str:
        """The owner's address; raises CannotContinue."""
        if self.owner_or_none is None:
            raise CannotContinue("Set DATABASE_OWNER_URL to the same database as its owner: this needs it.")
        return self.owner_or_none


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Find the database, starting the embedded server where none is configured, and stopping it afterwards."""
    prepare_folder(settings.data_dir)
    if settings.database_url is not None:
        yield Database(settings.database_url, settings.database_owner_url, embedded=False)
        return
    server = embedded_server(settings)
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    try:
        # A thread cannot be cancelled: a stop that comes meanwhile waits below, or PostgreSQL would be left running.
        await asyncio.shield(starting)
        yield Database(server.addresses.app, server.addresses.owner, embedded=True)
    finally:
        with suppress(ServerFailed):
            await starting
        await asyncio.to_thread(server.stop)


def embedded_server(settings: Settings) -> PostgresServer:
    """Return the server under the data folder, not started."""
    return PostgresServer(settings.data_dir / "postgres")


def prepare_folder(folder: Path) -> None:
    """Make the data folder where there is none; raises CannotContinue unless files can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotContinue(
            f"The data folder {folder} cannot be written to ({error.strerror})."
            " Make it writable, or set VELOCITY_DATA_DIR."
        ) from error


async def check_answers(address: str, variable: str) -> None:
    """Connect once; raises CannotContinue naming the setting where that fails or the server is too old."""
    try:
        connection = await asyncpg.connect(address, timeout=CONNECT_SECONDS)
    except (asyncpg.InterfaceError, ValueError) as error:
        raise CannotContinue(f"{variable} is no address like postgresql://user:password@host:5432/name.") from error
    except (OSError, asyncpg.PostgresError) as error:
        reason = error.args[0] if isinstance(error, asyncpg.PostgresError) else str(error) or type(error).__name__
        raise CannotContinue(
            f"The database of {variable} does not answer: {reason}. Start the server, or correct {variable}."
        ) from error
    version = connection.get_server_version().major
    await connection.close()
    if version < OLDEST_VERSION:
        raise CannotContinue(f"{variable} leads to PostgreSQL {version}. Use {OLDEST_VERSION} or newer.")


async def check_serves(address: str) -> None:
    """Raise CannotContinue unless the database is at the newest revision and the role is bound by its policies."""
    connection = await asyncpg.connect(address)
    try:
        revision, wanted = await current_revision(connection), newest_revision()
        if revision != wanted:
            raise CannotContinue(
                f"The database is at revision {revision or 'none'}; this release needs {wanted}."
                " Set DATABASE_OWNER_URL, or run `velocity migrate` where it is set."
            )
        if faults := await role_faults(connection):
            raise CannotContinue(f"{' '.join(faults)} Let DATABASE_URL name the role velocity_app.")
    finally:
        await connection.close()

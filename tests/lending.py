"""A connection that is lent to one after the other, who each find it as if it were new."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from asyncpg import Connection, Record


@dataclass(slots=True)
class Lending:
    """One connection to a database, made when it is wanted first, and anew if it was lost."""

    dsn: str
    connection: "Connection[Record] | None" = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator["Connection[Record]"]:
        """Lend it; afterwards it holds no transaction, lock, setting or table of whoever had it."""
        if self.connection is None or self.connection.is_closed():
            self.connection = await asyncpg.connect(self.dsn)
        connection = self.connection
        try:
            yield connection
        finally:
            await self._take_back(connection)

    async def _take_back(self, connection: "Connection[Record]") -> None:
        try:
            await connection.reset()
            await connection.execute("DISCARD TEMP")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # Some tests end connections, this one among them.
            connection.terminate()

    async def close(self) -> None:
        """End the connection."""
        if self.connection is not None and not self.connection.is_closed():
            await self.connection.close()

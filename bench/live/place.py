"""Where live parts run: a database of its own, made anew for each run, since they write; durable, as it is shipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from app.commands.access_token import access_token
from app.database import Database
from app.demo.team import SAFFRON
from app.seeding import load_demo
from app.settings import Settings
from bench.dataset import Place, forget
from db.migrations import migrate
from db.server import PostgresServer
from domain.access import Role

SCALE: Final = 0.1
TOKEN_LIFE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lively(Place):
    """A place with an access token of the demo's director, who sees all that happens."""

    token: str


@asynccontextmanager
async def lively(folder: Path) -> AsyncIterator[Lively]:
    """Make and start a small demo database; stop it afterwards."""
    home = folder / "live"
    settings = Settings(data_dir=home, access_token_seconds=round(TOKEN_LIFE.total_seconds()))
    server = PostgresServer(home / "postgres")
    await asyncio.to_thread(forget, server, home)
    home.mkdir(parents=True)
    await asyncio.to_thread(server.start)
    try:
        await migrate(server.addresses.owner)
        found = Database(server.addresses.app, server.addresses.owner, embedded=True)
        await load_demo(settings, found, SCALE)
        token = await access_token(settings, SAFFRON.email(Role.SALES_DIRECTOR), TOKEN_LIFE)
        yield Lively(settings, server.addresses, server, token)
    finally:
        await asyncio.to_thread(server.stop)

"""Loading the demo tenants, and the one password that their users share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from app.access.secrets import kept
from app.assets.objects import object_store
from app.database import Database
from app.failures import CannotContinue
from app.settings import Settings
from db.roles import tenant_ids


def _password_file(settings: Settings) -> Path:
    return settings.data_dir / "demo.password"


def demo_password(settings: Settings) -> str | None:
    """Return the demo users' password, or None where this data folder has seen no demo."""
    path = _password_file(settings)
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


async def is_empty(owner: str) -> bool:
    """Whether a migrated database has no tenant."""
    connection = await asyncpg.connect(owner)
    try:
        return not await tenant_ids(connection)
    finally:
        await connection.close()


async def load_demo(settings: Settings, found: Database, scale: float) -> str:
    """Load the demo tenants into a migrated database and say what was loaded; raises CannotContinue."""
    from app.demo.filling import fill_boards  # noqa: PLC0415 -- as below.
    from app.demo.reels import files  # noqa: PLC0415 -- as below.
    from app.demo.seed import DemoRefused, seed  # noqa: PLC0415 -- words and pictures that most starts do not need.
    from app.wiring import system  # noqa: PLC0415 -- whoever only wants the password needs no program.

    if not await is_empty(found.owner):
        raise CannotContinue(
            "There are tenants already, and the demo is loaded only into an empty database."
            " Set VELOCITY_DATA_DIR to a new folder, or DATABASE_URL to a new database."
        )
    now = datetime.now(UTC)
    try:
        summary = await seed(
            found.owner,
            scale=scale,
            password=kept(_password_file(settings)),
            asset_folder=settings.assets,
            now=now,
        )
    except DemoRefused as error:
        raise CannotContinue(str(error)) from error
    if settings.asset_store != "disk":
        async with object_store(settings) as objects:
            for each in files():
                await objects.put(each.key, each.content, each.content_type)
    async with system(settings.model_copy(update={"read_connections": 1, "write_connections": 1}), found) as opened:
        await fill_boards(opened, now)
    return str(summary)

"""Removing what nobody came back for: uploads that expired before anything used them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import check_serves, database
from app.settings import Settings
from app.wiring import ports
from domain.assets import UploadPorts, sweep
from domain.errors import DomainError

log = structlog.get_logger()


async def swept(settings: Settings) -> int:
    """Sweep once, for `velocity sweep`; return how many uploads were removed."""
    single = settings.model_copy(update={"read_connections": 1, "write_connections": 2})
    async with database(single) as found:
        await check_serves(found.app)
        async with ports(single, found) as opened:
            return await sweep(opened.uploads, datetime.now(UTC))


async def sweep_regularly(uploads: UploadPorts, seconds: float) -> None:
    """Sweep every so often until cancelled. A sweep that fails is tried again the next time."""
    while True:
        try:
            removed = await sweep(uploads, datetime.now(UTC))
        except (DomainError, OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("sweep_failed", error=type(error).__name__)
        else:
            if removed:
                log.info("uploads_swept", removed=removed)
        await asyncio.sleep(seconds)

"""Uvicorn and asyncpg as the product sets them up, for the Python servers that it is compared with."""

from __future__ import annotations

import os

import asyncpg
import uvicorn
from asyncpg import Connection, Pool, Record
from starlette.types import ASGIApp

from bench.places import HOST, POOL
from db.engine import READ_SETTINGS


async def pool_of(dsn: str, settings: dict[str, str] | None = None) -> Pool[Record]:
    """Connect as the product's read pool does: the same settings, the same size, and nothing reset between loans."""
    return await asyncpg.create_pool(
        dsn,
        min_size=POOL,
        max_size=POOL,
        max_queries=1_000_000_000,
        max_inactive_connection_lifetime=0,
        statement_cache_size=1000,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
        server_settings=READ_SETTINGS | (settings or {}),
        reset=_keep,
    )


async def serve(app: ASGIApp) -> None:
    """Serve on the port that the environment names, until the process is ended."""
    config = uvicorn.Config(
        app,
        host=HOST,
        port=int(os.environ["PORT"]),
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    await uvicorn.Server(config).serve()


async def _keep(_connection: Connection[Record]) -> None:
    """Between loans nothing changes."""

"""The database that every server reads: the demo tenants, one long series of scores, and the views of the peers.

Made once for a size and kept: a later run reuses it as long as the migrations are the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
from asyncpg import Connection, Record

from app.database import Database
from app.demo.team import SAFFRON
from app.seeding import load_demo
from app.settings import Settings
from bench.places import BENCH, PEERS, ROOT
from db.access.accounts import SqlAccounts
from db.engine import ReadPool, create_write_engine
from db.migrations import migrate
from db.roles import set_tenant
from db.server import Addresses, PostgresServer, ServerFailed
from domain.access import Caller, Role, caller_of
from domain.leads import LeadStage

VERSION: Final = 2
"""Raised when databases that were made before are of no use any more."""
MONTHS: Final = timedelta(days=170)
"""How long the series is in time. It ends a day before the newest partition begins to fill."""
OTHERS: Final = 900
BATCH: Final = 100
"""How many of them one statement adds: triggers hold what it added in memory."""
TIMES_LONGER: Final = 100
"""At scale 10 the long series has this many times the points of each other person: one tenth of all."""

# A client's page is only as good as its richest person: one whose leads are all the broker's own, so that no list below
# it has rows that somebody else alone would see.
RICHEST: Final = """\
SELECT p.id FROM people p
WHERE p.merged_into_id IS NULL AND p.household_id IS NOT NULL
  AND EXISTS (SELECT FROM leads l WHERE l.person_id = p.id AND l.assignee_id = ANY ($1))
  AND NOT EXISTS (SELECT FROM leads l WHERE l.person_id = p.id AND (l.assignee_id = ANY ($1)) IS NOT TRUE)
ORDER BY (SELECT count(*) FROM (SELECT FROM interactions i WHERE i.person_id = p.id LIMIT 20) x)
       + (SELECT count(*) FROM facts f WHERE f.person_id = p.id)
       + (SELECT count(*) FROM relationships r WHERE r.person_id = p.id)
       + 3 * (SELECT count(*) FROM opportunities o WHERE o.person_id = p.id)
       + (SELECT count(*) FROM tasks t WHERE t.person_id = p.id)
       + (SELECT count(*) FROM threads t WHERE t.person_id = p.id)
       + (SELECT count(*) FROM consents c WHERE c.person_id = p.id) DESC, p.id
LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was made: whom the documents ask about, and how many rows there are. Times are RFC 3339."""

    made_of: str
    scale: float
    points: int
    tenant_id: str
    viewer_id: str
    members: list[str]
    person_id: str
    series_person_id: str
    series_from: str
    series_to: str
    rows: dict[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Place:
    """A database that runs, and the settings that find it."""

    settings: Settings
    addresses: Addresses
    server: PostgresServer

    @property
    def database(self) -> Database:
        """The addresses, as the application takes them."""
        return Database(self.addresses.app, self.addresses.owner, embedded=True)


@dataclass(frozen=True, slots=True)
class Ground(Place):
    """A dataset in a database that runs."""

    dataset: Dataset


@asynccontextmanager
async def ground(folder: Path, scale: float, points: int) -> AsyncIterator[Ground]:
    """Start the database of a size, making it first where it is missing, and stop it afterwards.

    `points` is the length of the long series. What other people have grows with the scale, to nine times as much at 10.
    """
    home = folder / f"scale-{scale:g}-points-{points}"
    kept = home / "dataset.json"
    settings = Settings(data_dir=home, access_token_seconds=86_400)
    server = PostgresServer(home / "postgres", durable=False)
    wanted = made_of()
    if not kept.exists() or json.loads(kept.read_text())["made_of"] != wanted:
        # Somebody stopped half-way, or the tables have changed since.
        await asyncio.to_thread(forget, server, home)
    home.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(server.start)
    try:
        if not kept.exists():
            made = await _make(settings, server.addresses, scale, points, wanted)
            kept.write_text(json.dumps(asdict(made), indent=2) + "\n")
        dataset = Dataset(**json.loads(kept.read_text()))
        await _show_to_peers(server.addresses, dataset)
        yield Ground(settings, server.addresses, server, dataset)
    finally:
        await asyncio.to_thread(server.stop)


def forget(server: PostgresServer, home: Path) -> None:
    """Remove a database that is of no use. A server that a killed run left behind is stopped first."""
    if server.cluster.exists():
        with suppress(ServerFailed):
            server.start()
            server.stop()
    shutil.rmtree(home, ignore_errors=True)


def made_of() -> str:
    """Return what tells databases apart that look different inside."""
    digest = hashlib.sha256(str(VERSION).encode())
    migrations = ROOT / "db" / "migrations"
    for path in sorted([*migrations.rglob("*.sql"), *migrations.glob("versions/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


async def broker(found: Database, dataset: Dataset) -> Caller:
    """Return the signed-in broker as the application knows them."""
    pool, engine = await ReadPool.open(found.app, size=1), create_write_engine(found.app, size=1)
    try:
        accounts = SqlAccounts(pool, engine, b"", lambda: datetime.now(UTC))
        standing = await accounts.standing(UUID(dataset.tenant_id), UUID(dataset.viewer_id))
    finally:
        await engine.dispose()
        await pool.close()
    caller = caller_of(standing) if standing is not None else None
    if caller is None:
        raise SystemExit("The broker of the benchmarks may not sign in.")
    return caller


async def _make(settings: Settings, addresses: Addresses, scale: float, points: int, wanted: str) -> Dataset:
    started = time.monotonic()
    await migrate(addresses.owner)
    await load_demo(settings, Database(addresses.app, addresses.owner, embedded=True), scale)
    connection = await asyncpg.connect(addresses.owner)
    try:
        tenant_id, viewer_id, members = await _broker_of(connection)
        person_id = await _richest(addresses, tenant_id, members)
        last = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        lengths = (points, round(points / TIMES_LONGER * scale / 10))
        series_person_id = await _add_series(connection, tenant_id, person_id, lengths, last)
        rows = await _counted(connection, tenant_id)
    finally:
        await connection.close()
    await _settle(addresses)
    return Dataset(
        made_of=wanted,
        scale=scale,
        points=points,
        tenant_id=str(tenant_id),
        viewer_id=str(viewer_id),
        members=[str(member) for member in members],
        person_id=str(person_id),
        series_person_id=str(series_person_id),
        series_from=(last - MONTHS).isoformat(),
        series_to=last.isoformat(),
        rows=rows,
        seconds=round(time.monotonic() - started, 1),
    )


async def _settle(addresses: Addresses) -> None:
    """Do now what PostgreSQL would do in the background of the first run."""
    connection = await asyncpg.connect(addresses.superuser)
    try:
        for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            await connection.execute(statement, timeout=3600)
    finally:
        await connection.close()


async def _broker_of(connection: Connection[Record]) -> tuple[UUID, UUID, list[UUID]]:
    """Return the demo's senior broker, with everybody whose leads count as their own."""
    email = SAFFRON.email(Role.SENIOR_BROKER)
    viewer = await connection.fetchrow("SELECT tenant_id, id FROM users WHERE email = $1", email)
    if viewer is None:
        raise SystemExit("The demo has no senior broker.")
    team = await connection.fetch(
        "SELECT DISTINCT m.user_id FROM team_members m WHERE (m.tenant_id, m.team_id) IN"
        " (SELECT tenant_id, team_id FROM team_members WHERE tenant_id = $1 AND user_id = $2) AND m.user_id <> $2"
        " ORDER BY m.user_id",
        viewer["tenant_id"],
        viewer["id"],
    )
    return viewer["tenant_id"], viewer["id"], [viewer["id"], *(row["user_id"] for row in team)]


async def _richest(addresses: Addresses, tenant_id: UUID, members: list[UUID]) -> UUID:
    """Ask as the application: row-level security names the tenant, which every index begins with."""
    connection = await asyncpg.connect(addresses.app)
    try:
        await set_tenant(connection, tenant_id)
        found: UUID = await connection.fetchval(RICHEST, members)
    finally:
        await connection.close()
    return found


async def _add_series(
    connection: Connection[Record], tenant_id: UUID, but: UUID, lengths: tuple[int, int], last: datetime
) -> UUID:
    """Give one person a series, others theirs, and return who the one is: anybody but the one whose page is read."""
    people = await connection.fetch(
        "SELECT id FROM people WHERE tenant_id = $1 AND id <> $2 AND merged_into_id IS NULL ORDER BY id LIMIT $3",
        tenant_id,
        but,
        OTHERS + 1,
    )
    [one, *others] = [row["id"] for row in people]
    statement, first = (BENCH / "series.sql").read_text(), last - MONTHS
    alone, beside = lengths
    batches = [([one], alone), *((others[start : start + BATCH], beside) for start in range(0, len(others), BATCH))]
    for whose, length in batches:
        apart = MONTHS.total_seconds() / length
        await connection.execute(statement, tenant_id, whose, length, first, apart, timeout=3600)
    found: UUID = one
    return found


async def _counted(connection: Connection[Record], tenant_id: UUID) -> dict[str, int]:
    tables: Sequence[str] = ("people", "leads", "property_interests", "properties", "interactions", "qd_scores")
    return {
        table: await connection.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant_id)  # noqa: S608 -- the names are above
        for table in tables
    }


async def _show_to_peers(addresses: Addresses, dataset: Dataset) -> None:
    """Make the views anew: they cost nothing, and their text may have changed."""
    constants = {
        "tenant": f"'{UUID(dataset.tenant_id)}'::uuid",
        "viewer": f"'{UUID(dataset.viewer_id)}'::uuid",
        "members": f"'{{{','.join(str(UUID(member)) for member in dataset.members)}}}'::uuid[]",
        "stages": f"'{{{','.join(stage.name for stage in LeadStage)}}}'::text[]",
    }
    connection = await asyncpg.connect(addresses.owner)
    try:
        await connection.execute((PEERS / "views.sql").read_text().format(**constants))
    finally:
        await connection.close()

"""The demo tenants in PostgreSQL: loaded whole or not at all, by an owner with and without BYPASSRLS."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from argon2 import PasswordHasher
from asyncpg import Connection, Record

from app.demo import seed as seeding
from app.demo.rows import COLUMNS
from app.demo.seed import DemoRefused, SeedSummary, seed
from app.demo.team import MERIDIAN, SAFFRON
from db.engine import create_write_engine
from db.migrations import migrate
from db.people.next_best_action import refresh
from db.roles import set_tenant, tenant_ids
from db.server import temporary_server
from tests.clusters import copied_server

SCALE = 0.05
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PASSWORD = "amaltas-in-april"


@dataclass(frozen=True, slots=True)
class Loaded:
    owner: "Connection[Record]"
    owner_dsn: str
    app_dsn: str
    summary: SeedSummary
    assets: Path


@pytest.fixture(scope="module", params=[False, True], ids=["socket", "tcp"])
async def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Loaded]:
    """A server of its own with the demo in it; over TCP its owner is bound by row-level security."""
    assets = tmp_path_factory.mktemp("assets")
    with temporary_server(tcp=request.param) as server:
        addresses = server.addresses
        await migrate(addresses.owner)
        summary = await seed(addresses.owner, scale=SCALE, password=PASSWORD, asset_folder=assets, now=NOW)
        owner = await asyncpg.connect(addresses.owner)
        yield Loaded(owner, addresses.owner, addresses.app, summary, assets)
        await owner.close()


async def tenants(loaded: Loaded) -> dict[str, UUID]:
    """Return the tenants' ids by name."""
    found = {}
    for tenant_id in await tenant_ids(loaded.owner):
        await set_tenant(loaded.owner, tenant_id)
        found[await loaded.owner.fetchval("SELECT name FROM tenants WHERE id = $1", tenant_id)] = tenant_id
    return found


async def test_every_row_arrives(loaded: Loaded) -> None:
    found = await tenants(loaded)

    assert set(found) == {SAFFRON.name, MERIDIAN.name} == set(loaded.summary.sign_ins)
    for table in COLUMNS:
        counts = []
        for tenant_id in found.values():
            await set_tenant(loaded.owner, tenant_id)
            counts.append(
                await loaded.owner.fetchval(f'SELECT count(*) FROM "{table}" WHERE tenant_id = $1', tenant_id)
            )
        assert sum(counts) == loaded.summary.rows[table], table
        assert all(counts) or table == "provider_settings", (table, counts)


async def test_the_password_signs_in(loaded: Loaded) -> None:
    application = await asyncpg.connect(loaded.app_dsn)
    try:
        for plan in (SAFFRON, MERIDIAN):
            for role, _ in plan.sign_ins:
                row = await application.fetchrow("SELECT * FROM sign_in_user($1)", plan.email(role))
                assert row is not None
                assert PasswordHasher().verify(row["password_hash"], PASSWORD)
    finally:
        await application.close()


async def test_a_second_time_is_refused(loaded: Loaded) -> None:
    with pytest.raises(DemoRefused, match="Saffron Crescent is there already"):
        await seed(loaded.owner_dsn, scale=SCALE, password=PASSWORD, asset_folder=loaded.assets, now=NOW)


@pytest.mark.parametrize("scale", [0, -1, 101])
async def test_a_scale_out_of_range_is_refused(loaded: Loaded, scale: float) -> None:
    with pytest.raises(DemoRefused, match="above 0 and at most 100"):
        await seed(loaded.owner_dsn, scale=scale, password=PASSWORD, asset_folder=loaded.assets, now=NOW)


async def test_pictures_lie_where_the_media_say(loaded: Loaded) -> None:
    await set_tenant(loaded.owner, (await tenants(loaded))[SAFFRON.name])
    media = await loaded.owner.fetch("SELECT DISTINCT object_key, bytes, content_type FROM property_media")

    assert len(media) >= 8
    for row in media:
        content = (loaded.assets / row["object_key"]).read_bytes()
        assert len(content) == row["bytes"] < 8_000
        assert hashlib.sha256(content).hexdigest() in row["object_key"]
        assert content.startswith(b"\x89PNG")


async def test_people_entered_twice_are_found(loaded: Loaded) -> None:
    await set_tenant(loaded.owner, (await tenants(loaded))[SAFFRON.name])
    evidence = await loaded.owner.fetch("SELECT DISTINCT unnest(evidence) FROM person_duplicates")

    assert {row[0] for row in evidence} == {"PHONE", "EMAIL", "NAME"}


async def test_the_product_would_decide_the_same_next_steps(loaded: Loaded) -> None:
    tenant_id = (await tenants(loaded))[SAFFRON.name]
    await set_tenant(loaded.owner, tenant_id)
    kept = """SELECT id, last_contacted_at, next_best_action_kind, next_best_action_title, next_best_action_reason,
        next_best_action_due_at, next_best_action_computed_at FROM people WHERE tenant_id = $1 ORDER BY id"""
    seeded = [tuple(row) for row in await loaded.owner.fetch(kept, tenant_id)]
    engine = create_write_engine(loaded.app_dsn)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("SELECT set_config('app.tenant_id', $1, true)", (str(tenant_id),))
        await refresh(connection, tenant_id, [row[0] for row in seeded], NOW)
    await engine.dispose()

    assert [tuple(row) for row in await loaded.owner.fetch(kept, tenant_id)] == seeded
    assert {row[2] for row in seeded} >= {None, "CALL", "MESSAGE", "REVIEW"}


async def test_a_failed_load_leaves_nothing(blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("the last step")

    monkeypatch.setattr(seeding, "rebuild", fails)
    with copied_server(blank) as server:
        with pytest.raises(RuntimeError, match="the last step"):
            await seed(server.addresses.owner, scale=SCALE, password=PASSWORD, asset_folder=tmp_path, now=NOW)

        owner = await asyncpg.connect(server.addresses.owner)
        assert await tenant_ids(owner) == []
        await owner.close()

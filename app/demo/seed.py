"""`velocity seed`: generates the two demo tenants and loads them in one transaction."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from argon2 import PasswordHasher
from asyncpg import Connection, Record

from app.demo.generate import generate
from app.demo.load import load
from app.demo.pictures import store
from app.demo.pipeline import OLDEST
from app.demo.reels import files
from app.demo.team import MERIDIAN, SAFFRON, TenantPlan
from db.partitions import ensure_partitions
from db.people.duplicates import rebuild
from db.roles import set_tenant, tenant_ids

TENANTS: Final = (SAFFRON, MERIDIAN)
_BIGGEST: Final = 100.0


class DemoRefused(Exception):
    """The demo was not loaded, and nothing was changed. The message says why."""


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """What was loaded: rows by table over both tenants. `sign_ins` are the fixed addresses, by tenant name and role."""

    scale: float
    seconds: float
    rows: dict[str, int]
    sign_ins: dict[str, dict[str, str]]

    def __str__(self) -> str:
        shown = ("people", "leads", "properties", "interactions", "qd_scores")
        counts = ", ".join(f"{self.rows.get(table, 0):,} {table.replace('_', ' ')}" for table in shown)
        return f"Loaded {' and '.join(self.sign_ins)}: {counts} in {self.seconds:.1f} s."


async def seed(owner_dsn: str, *, scale: float, password: str, asset_folder: Path, now: datetime) -> SeedSummary:
    """Load the demo tenants into a migrated database, as its owner; all of it or nothing.

    `scale` 1 is about 2 000 people; fractions work. Every demo user has `password`. `now` is the reference instant that
    all dates are counted from. Pictures go to `asset_folder`. Raises DemoRefused if the demo is there already.
    """
    if not 0 < scale <= _BIGGEST:
        raise DemoRefused(f"The scale is a number above 0 and at most {_BIGGEST:g}.")
    started = time.monotonic()
    now = now.astimezone(UTC)
    owner = await asyncpg.connect(owner_dsn)
    try:
        await _refuse_if_present(owner)
        first = (now - OLDEST - timedelta(days=60)).date()
        await ensure_partitions(owner, first, now.date())
        store(asset_folder, files())
        password_hash = PasswordHasher().hash(password)
        rows: Counter[str] = Counter()
        async with owner.transaction():
            for plan in TENANTS:
                rows += await _seed_tenant(owner, plan, scale, password_hash, now)
        await owner.execute("ANALYZE")
    finally:
        await owner.close()
    return SeedSummary(scale, time.monotonic() - started, dict(rows), _sign_ins())


async def _seed_tenant(
    owner: Connection[Record], plan: TenantPlan, scale: float, password_hash: str, now: datetime
) -> Counter[str]:
    batches = generate(plan, scale, password_hash, now)
    tenant_id = plan.tenant_id(now)
    await set_tenant(owner, tenant_id)
    rows = await load(owner, batches)
    await rebuild(owner, tenant_id, now)
    return rows


async def _refuse_if_present(owner: Connection[Record]) -> None:
    """Raise DemoRefused if one of the demo's tenants is there already."""
    names = {plan.name for plan in TENANTS}
    for tenant_id in await tenant_ids(owner):
        await set_tenant(owner, tenant_id)
        name = await owner.fetchval("SELECT name FROM tenants WHERE id = $1", tenant_id)
        if name in names:
            raise DemoRefused(f"The demo tenant {name} is there already. Begin with an empty database to load it anew.")


def _sign_ins() -> dict[str, dict[str, str]]:
    return {plan.name: {role.name: plan.email(role) for role, _ in plan.sign_ins} for plan in TENANTS}

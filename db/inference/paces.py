"""The buckets that all processes share: each question is one statement, by the database's clock.

No lock outlives it. Each moment is taken once the row is locked: whoever had to wait must not turn time back.
"""

from __future__ import annotations

import asyncio
from typing import Final

from asyncpg import Record

from db.engine import ReadPool
from db.errors import answering
from domain.inference import Turn
from domain.inference.pacing import BURST_SHARE, FREE_AGAIN, GROW, LEAST_PER_MINUTE, MINUTE, SHRINK, WHOLE

SECONDS: Final = 2.0
"""Who asks a model waits no longer for the bucket than this."""

_KNOWN: Final = f"""
    insert into provider_paces (provider, tokens, recent, counted_at)
    values ($1, greatest(1, coalesce($2::double precision, 0) * {BURST_SHARE}), 0, clock_timestamp())
    on conflict do nothing
"""
# What is in the bucket now, and how many requests of the last minute are still remembered: each fades within a minute.
_FILLED: Final = f"""
    held as materialized (select * from provider_paces where provider = $1 for update),
    timed as materialized (select held.*, clock_timestamp() as now from held),
    rated as materialized (
        select timed.*, least(per_minute, $2::double precision) as rate,
            greatest(0, extract(epoch from now - counted_at)::double precision) as passed
        from timed
    ),
    filled as materialized (
        select rated.*, recent * exp(-least(passed / {MINUTE}, 100)) as still,
            case when rate is null then tokens
                else least(greatest(1, rate * {BURST_SHARE}), tokens + passed * rate / {MINUTE}) end as held_tokens
        from rated
    )
"""
_TAKE: Final = f"""
    with {_FILLED},
    asked as materialized (
        select filled.*, greatest(0, extract(epoch from blocked_until - now)::double precision,
            case when rate is not null and held_tokens < {WHOLE} then (1 - held_tokens) * {MINUTE} / rate end) as wait
        from filled
    ),
    taken as (
        update provider_paces p set recent = asked.still + 1, counted_at = asked.now,
            tokens = asked.held_tokens - case when asked.rate is null then 0 else 1 end
        from asked where p.provider = asked.provider and asked.wait = 0
    )
    select wait, extract(epoch from now)::double precision as at, rate, per_minute is not null as slowed from asked
"""
_LIMITED: Final = f"""
    with {_FILLED},
    decided as materialized (
        select filled.*, coalesce(slowed_at < to_timestamp($3::double precision), true) as fresh,
            greatest({LEAST_PER_MINUTE}, {SHRINK} * coalesce(rate, greatest(still, 1))) as slower,
            now + make_interval(secs => $4::double precision) as until
        from filled
    )
    update provider_paces p set recent = decided.still, counted_at = decided.now,
        per_minute = case when fresh then slower else p.per_minute end,
        found = case when fresh then slower else p.found end,
        tokens = case when fresh then least(held_tokens, 1) else held_tokens end,
        slowed_at = case when fresh then decided.now else p.slowed_at end,
        blocked_until = greatest(p.blocked_until, decided.until)
    from decided where p.provider = decided.provider
    returning least(p.per_minute, $2::double precision) as rate
"""
_ANSWERED: Final = f"""
    with {_FILLED},
    grown as materialized (
        select filled.*, rate * {GROW} as faster,
            coalesce(rate * {GROW} >= coalesce($2::double precision, found * {FREE_AGAIN}), true) as free
        from filled
    )
    update provider_paces p set recent = grown.still, counted_at = grown.now, tokens = grown.held_tokens,
        per_minute = case when free or grown.per_minute is null then null else faster end,
        found = case when free or grown.per_minute is null then null else p.found end
    from grown where p.provider = grown.provider
    returning least(p.per_minute, $2::double precision) as rate
"""


class SqlPaces:
    """The port `Paces`."""

    def __init__(self, pool: ReadPool) -> None:
        """Write through `pool`, whose connections may: each statement is a transaction of its own."""
        self._pool = pool

    async def take(self, provider: str, most: float | None) -> Turn:
        """Count a request if one may go now, and say how long to wait if none may."""
        row = await self._asked(_TAKE, provider, most)
        return Turn(row["wait"], row["at"], row["rate"], row["slowed"])

    async def limited(
        self, provider: str, most: float | None, turn: Turn, retry_after: float | None
    ) -> float | None:  # fmt: skip
        """Note a 429, once for all requests that were on their way."""
        rate: float | None = (await self._asked(_LIMITED, provider, most, turn.at, retry_after))["rate"]
        return rate

    async def answered(self, provider: str, most: float | None) -> float | None:
        """Note an answer."""
        rate: float | None = (await self._asked(_ANSWERED, provider, most))["rate"]
        return rate

    async def _asked(self, statement: str, provider: str, most: float | None, *given: float | None) -> Record:
        with answering():
            async with asyncio.timeout(SECONDS):
                rows = await self._pool.fetch_once(None, statement, provider, most, *given)
                if not rows:
                    # Nobody has asked this provider before.
                    await self._pool.fetch_once(None, _KNOWN, provider, most)
                    rows = await self._pool.fetch_once(None, statement, provider, most, *given)
        return rows[0]

"""Where processes tell what they see of providers. A row that is not told again is not believed for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final
from uuid import UUID

import orjson

from db.engine import ReadPool
from db.errors import answering
from domain.inference import CircuitState, Sighting
from domain.values import new_id

SECONDS: Final = 2.0
BELIEVED_SECONDS: Final = 20
"""A process that has not told for so long has nothing to tell, or is no more."""

_TELL: Final = f"""
    with given as (
        select * from json_to_recordset($2::json) as given (
            provider text, circuit text, opens_in double precision, latency_ms double precision, answered integer,
            failed integer, in_flight integer, waiting integer)
    ),
    gone as (
        delete from provider_sightings s where s.told_at < now() - interval '1 hour'
            or s.process = $1 and s.provider not in (select provider from given)
    )
    insert into provider_sightings as s (
        process, provider, told_at, circuit, opens_at, latency_ms, answered, failed, in_flight, waiting)
    select $1, provider, now(), circuit,
        case when circuit = '{CircuitState.OPEN.name}' then now() + make_interval(secs => opens_in) end, latency_ms,
        answered, failed, in_flight, waiting
    from given
    on conflict (process, provider) do update set
        told_at = excluded.told_at, circuit = excluded.circuit, opens_at = excluded.opens_at,
        latency_ms = excluded.latency_ms, answered = excluded.answered, failed = excluded.failed,
        in_flight = excluded.in_flight, waiting = excluded.waiting
"""
# A circuit whose time is over while nobody tells of it is half open.
_OTHERS: Final = f"""
    select provider, latency_ms, answered, failed, in_flight, waiting,
        case when opens_at <= now() then '{CircuitState.HALF_OPEN.name}' else circuit end as circuit,
        greatest(0, coalesce(extract(epoch from opens_at - now())::double precision, 0)) as opens_in
    from provider_sightings
    where process <> $1 and told_at > now() - interval '{BELIEVED_SECONDS} seconds'
    order by process, provider
"""


class SqlSightings:
    """The port `Sightings` of one process."""

    def __init__(self, pool: ReadPool) -> None:
        """Write through `pool`, whose connections may, as a process that nobody has heard of yet."""
        self._pool = pool
        self.process: Final[UUID] = new_id()

    async def tell(self, seen: Sequence[Sighting]) -> None:
        """Tell what this process sees now, in place of what it told before."""
        rows = orjson.dumps([{**asdict(each), "circuit": each.circuit.name} for each in seen]).decode()
        with answering():
            async with asyncio.timeout(SECONDS):
                await self._pool.fetch_once(None, _TELL, self.process, rows)

    async def others(self) -> Sequence[Sighting]:
        """Return what the other processes have told lately."""
        with answering():
            async with asyncio.timeout(SECONDS):
                rows = await self._pool.fetch_once(None, _OTHERS, self.process)
        return [
            Sighting(
                row["provider"], CircuitState[row["circuit"]], row["opens_in"], row["latency_ms"], row["answered"],
                row["failed"], row["in_flight"], row["waiting"],
            )
            for row in rows
        ]  # fmt: skip

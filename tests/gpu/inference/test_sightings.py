"""What processes tell each other of providers, and what is made of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg
import pytest
from asyncpg import Connection, Record

from app.inference import telling
from db.engine import BRIEF_SETTINGS, ReadPool
from db.inference.sightings import SqlSightings
from domain.errors import Unavailable
from domain.inference import CircuitState, ModelUnavailable, ProviderStatus, Sighting, together
from gpu.inference.overview import Overview
from tests.fake_llm import NESTED, Refuse
from tests.gpu.inference.routing import ASKED, TENANT, routed
from tests.serving import PATIENCE

OPEN, HALF_OPEN, CLOSED = CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED


@pytest.fixture
async def brief(app_dsn: str) -> AsyncIterator[ReadPool]:
    pool = await ReadPool.open(app_dsn, size=2, settings=BRIEF_SETTINGS)
    yield pool
    await pool.close()


@pytest.fixture
def name() -> str:
    """A provider that no other test knows."""
    return f"p{uuid4().hex[:12]}"


async def seen_by(sightings: SqlSightings, name: str) -> list[Sighting]:
    return [each for each in await sightings.others() if each.provider == name]


async def test_a_process_hears_what_the_others_told_last(brief: ReadPool, name: str) -> None:
    one, other = SqlSightings(brief), SqlSightings(brief)
    await one.tell([Sighting(name, latency_ms=20.0, answered=3, in_flight=1)])
    await one.tell([Sighting(name, OPEN, 60.0, 25.5, answered=3, failed=4, in_flight=2, waiting=7)])
    [heard] = await seen_by(other, name)
    assert 40 < heard.opens_in <= 60
    assert heard == Sighting(name, OPEN, heard.opens_in, 25.5, answered=3, failed=4, in_flight=2, waiting=7)
    assert await seen_by(one, name) == []
    await one.tell([])
    assert await seen_by(other, name) == []


async def test_an_open_circuit_of_which_nobody_tells_is_half_open_and_then_nobody_s(
    brief: ReadPool, name: str, owner_connection: "Connection[Record]"
) -> None:
    one, other = SqlSightings(brief), SqlSightings(brief)
    await one.tell([Sighting(name, OPEN, 0.0, failed=5)])
    [heard] = await seen_by(other, name)
    assert (heard.circuit, heard.opens_in, heard.latency_ms) == (HALF_OPEN, 0, None)
    older = "UPDATE provider_sightings SET told_at = told_at - make_interval(secs => $2) WHERE provider = $1"
    await owner_connection.execute(older, name, 21)
    assert await seen_by(other, name) == []
    await owner_connection.execute(older, name, 3600)
    await other.tell([])
    assert await owner_connection.fetchval("SELECT count(*) FROM provider_sightings WHERE provider = $1", name) == 0


def test_the_worst_circuit_counts_and_averages_are_by_answers() -> None:
    own = Sighting("p0", latency_ms=100.0, answered=1, failed=1, in_flight=1)
    others = [
        Sighting("p0", HALF_OPEN, latency_ms=400.0, answered=2, waiting=3),
        Sighting("p0", OPEN, 7.0, failed=4),
        Sighting("p1", OPEN, 9.0, answered=100),
    ]
    assert together(own, others) == Sighting("p0", OPEN, 7.0, 300.0, answered=3, failed=5, in_flight=1, waiting=3)
    assert together(own, others).error_rate == 5 / 8
    assert together(own, []) == own
    idle = Sighting("p0", latency_ms=80.0)
    assert (together(idle, []), idle.error_rate, idle.quiet, own.quiet) == (idle, None, True, False)


@dataclass
class Deaf:
    """A place to tell things that nobody can reach for a while."""

    told: list[list[Sighting]] = field(default_factory=list)
    raising: list[Exception] = field(default_factory=list)

    async def tell(self, seen: Sequence[Sighting]) -> None:
        if self.raising:
            raise self.raising.pop(0)
        self.told.append(list(seen))

    async def others(self) -> Sequence[Sighting]:
        return ()


async def test_a_process_goes_on_telling_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.inference.TELL_SECONDS", 0.0)
    monkeypatch.setattr("app.inference.LOOK_SECONDS", 0.0)
    deaf = Deaf(raising=[Unavailable(), asyncpg.QueryCanceledError(), asyncpg.InterfaceError("closed")])
    async with routed({}, {}) as setting, telling(setting.router, deaf):
        setting.router.endpoints["p0"].breaker.open(60)
        async with asyncio.timeout(PATIENCE):
            while not deaf.told:
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)
    # What is quiet is not told of, and at the end nothing is.
    assert [[each.provider for each in seen] for seen in (deaf.told[0], deaf.told[-1])] == [["p0"], []]
    assert deaf.told[0][0].circuit is OPEN


async def test_a_process_with_nothing_to_tell_tells_nothing() -> None:
    deaf = Deaf()
    async with routed({}) as setting, telling(setting.router, deaf):
        assert all(each.quiet for each in setting.router.sightings())
    assert deaf.told == []


async def test_a_circuit_that_opens_in_a_worker_is_shown_by_another_process(brief: ReadPool, name: str) -> None:
    async with routed({"name": name}) as worker:
        shared = {"name": name, "url": worker.fakes[name].url}
        async with routed(shared) as server:
            here = SqlSightings(brief)
            overview = Overview(server.router, sightings=here)
            [before] = await overview.states(TENANT)
            assert (before.circuit, before.status, before.error_rate) == (CLOSED, ProviderStatus.HEALTHY, None)
            worker.fakes[name].otherwise = Refuse(500, NESTED)
            async with telling(worker.router, SqlSightings(brief)):
                for _ in range(2):
                    with pytest.raises(ModelUnavailable):
                        await worker.models.complete(ASKED)
                async with asyncio.timeout(PATIENCE):
                    while (state := (await overview.states(TENANT))[0]).circuit is CLOSED:
                        assert state.error_rate in {None, 1.0}
                assert (state.circuit, state.status, state.error_rate) == (OPEN, ProviderStatus.DEGRADED, 1.0)
                assert state.reason == "it failed too often and is left alone for a while"
                assert await overview.state(TENANT, state.provider.id) == state
            # Whoever has gone sees nothing any more.
            [after] = await overview.states(TENANT)
    assert (after.circuit, after.status, after.reason) == (CLOSED, ProviderStatus.HEALTHY, None)

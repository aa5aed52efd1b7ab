"""Limits: one process's own and those that all share keep the same rules, and the shared ones hold for everybody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from asyncpg import Connection, Record

from db.engine import BRIEF_SETTINGS, ReadPool
from db.inference import paces
from db.inference.paces import SqlPaces
from domain.errors import Unavailable
from domain.inference import ModelUnavailable, Paces, ProviderKind, RefusalCode, Turn
from gpu.inference.capabilities import Memory
from gpu.inference.pacing import OwnPaces, Pace
from gpu.inference.router import Chance, Router
from gpu.inference.settings import InferenceSettings
from tests.fake_llm import FakeLlm, Refuse, Say, Stall
from tests.gpu.inference.routing import ASKED, TENANT, ByHand, Time
from tests.gpu.inference.test_breaker import Clock

LIMITED = '{"status":429,"title":"Too Many Requests"}'
EARLIER = """UPDATE provider_paces SET counted_at = counted_at - make_interval(secs => $2),
    slowed_at = slowed_at - make_interval(secs => $2), blocked_until = blocked_until - make_interval(secs => $2)
    WHERE provider = $1"""


@dataclass
class Kept:
    """Buckets, and what lets time pass for them."""

    paces: Paces
    passes: Callable[[float], Awaitable[None]]
    provider: str

    async def take(self, most: float | None = None) -> Turn:
        return await self.paces.take(self.provider, most)

    async def limited(self, most: float | None, turn: Turn, retry_after: float | None = None) -> float | None:
        return await self.paces.limited(self.provider, most, turn, retry_after)

    async def answered(self, most: float | None = None) -> float | None:
        return await self.paces.answered(self.provider, most)


@pytest.fixture
async def brief(app_dsn: str) -> AsyncIterator[ReadPool]:
    """What statements are sent through that are a transaction of their own."""
    pool = await ReadPool.open(app_dsn, size=2, settings=BRIEF_SETTINGS)
    yield pool
    await pool.close()


@pytest.fixture(params=["own", "shared"])
def kept(
    request: pytest.FixtureRequest, brief: ReadPool, owner_connection: "Connection[Record]"
) -> Kept:  # fmt: skip
    """Each kind of buckets."""
    provider, clock = f"p{uuid4().hex[:12]}", Clock()

    async def turn_the_clock(seconds: float) -> None:
        clock.seconds += seconds

    async def turn_back_the_row(seconds: float) -> None:
        await owner_connection.execute(EARLIER, provider, seconds)

    if request.param == "own":
        return Kept(OwnPaces(clock), turn_the_clock, provider)
    return Kept(SqlPaces(brief), turn_back_the_row, provider)


async def test_nothing_is_limited_until_the_provider_says_so(kept: Kept) -> None:
    turns = [await kept.take() for _ in range(100)]
    assert {(each.wait, each.per_minute, each.slowed) for each in turns} == {(0, None, False)}
    found = await kept.limited(None, turns[-1], 7)
    assert found == pytest.approx(50, rel=0.05)
    after = await kept.take()
    assert (after.per_minute, after.slowed) == (found, True)
    assert after.wait == pytest.approx(7, rel=0.05)
    rates = [await kept.answered() for _ in range(27)]
    assert rates[-1] == pytest.approx((found or 0) * 1.05**27)
    # Four times as often as when it was found: there is no limit any more.
    assert [await kept.answered() for _ in range(2)] == [pytest.approx((found or 0) * 1.05**28), None]


async def test_a_configured_limit_is_kept_halved_and_found_again(kept: Kept) -> None:
    assert [(await kept.take(60)).wait for _ in range(10)] == [0] * 10
    refused = await kept.take(60)
    assert refused.per_minute == 60
    assert refused.wait == pytest.approx(1, abs=0.2)
    await kept.passes(1)
    turn = await kept.take(60)
    assert turn.wait == 0
    assert await kept.limited(60, turn) == 30
    assert (await kept.take(60)).wait == pytest.approx(2, abs=0.4)
    # An operator's change counts at once.
    assert (await kept.take(20)).per_minute == 20
    rates = [await kept.answered(60) for _ in range(20)]
    assert rates == [*(pytest.approx(30 * 1.05**number) for number in range(1, 15)), *[60] * 6]
    assert (await kept.take(90)).per_minute == 90


async def test_requests_that_were_on_their_way_together_slow_it_down_once(kept: Kept) -> None:
    turns = [await kept.take(60) for _ in range(4)]
    assert [await kept.limited(60, each) for each in turns] == [30] * 4
    await kept.passes(10)
    assert await kept.limited(60, await kept.take(60)) == 15


async def test_a_limit_never_falls_to_nothing(kept: Kept) -> None:
    rates = []
    for _ in range(20):
        rates.append(await kept.limited(10, await kept.take(10)))
        await kept.passes(60)
    assert (rates[:3], rates[-1]) == ([5, 2.5, 1.25], 1)
    assert (await kept.take(10)).wait == 0
    assert (await kept.take(10)).wait <= 60


async def test_a_bucket_that_nobody_used_for_long_is_full(kept: Kept) -> None:
    await kept.take(60)
    await kept.passes(10_000_000)
    assert [(await kept.take(60)).wait == 0 for _ in range(11)] == [True] * 10 + [False]


async def test_the_longest_time_that_was_said_counts(kept: Kept) -> None:
    turns = [await kept.take() for _ in range(2)]
    await kept.limited(None, turns[0], 500)
    await kept.limited(None, turns[1], 20)
    assert (await kept.take()).wait == pytest.approx(500, rel=0.01)
    await kept.passes(501)
    assert (await kept.take()).wait == 0


async def test_of_many_at_once_only_so_many_get_a_turn(brief: ReadPool, app_dsn: str) -> None:
    provider = f"p{uuid4().hex[:12]}"
    other = await ReadPool.open(app_dsn, size=4, settings=BRIEF_SETTINGS)
    try:
        asked = [SqlPaces(pool).take(provider, 18) for pool in (brief, other) for _ in range(20)]
        turns = await asyncio.gather(*asked)
    finally:
        await other.close()
    assert sorted(each.wait > 0 for each in turns) == [False] * 3 + [True] * 37


@dataclass
class Away:
    """Buckets that are not there."""

    asked: int = 0

    async def take(self, *_given: object) -> Turn:
        self.asked += 1
        raise Unavailable

    async def limited(self, *_given: object) -> float | None:
        raise Unavailable

    async def answered(self, *_given: object) -> float | None:
        raise Unavailable


async def test_where_the_shared_bucket_is_away_each_process_keeps_its_own() -> None:
    clock, away = Clock(), Away()
    pace = Pace("p0", 6, away, clock)
    turn = await pace.take()
    assert (turn.wait, pace.wait(), away.asked) == (0, 0, 1)
    assert (await pace.take()).wait == pytest.approx(10)
    assert pace.wait() == pytest.approx(10)
    await pace.limited(turn, 60)
    assert (pace.per_minute, pace.wait()) == (3, 60)
    clock.seconds += 60
    slowed = await pace.take()
    await pace.answered(slowed)
    assert (slowed.slowed, pace.per_minute) == (True, 3 * 1.05)


async def test_nobody_waits_long_for_a_bucket_that_somebody_holds(
    brief: ReadPool, owner_connection: "Connection[Record]", monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, shared = f"p{uuid4().hex[:12]}", SqlPaces(brief)
    assert (await shared.take(provider, 6)).wait == 0
    monkeypatch.setattr(paces, "SECONDS", 0.2)
    async with owner_connection.transaction():
        await owner_connection.execute("SELECT FROM provider_paces WHERE provider = $1 FOR UPDATE", provider)
        with pytest.raises(Unavailable):
            await shared.take(provider, 6)
    # What was given up has counted nothing: ten seconds make one request.
    await owner_connection.execute(EARLIER, provider, 10)
    assert [(await shared.take(provider, 6)).wait > 0 for _ in range(2)] == [False, True]


def two_routers(fake: FakeLlm, pool: ReadPool, name: str, **given: object) -> list[Router]:
    """Two processes that ask one provider, as far as anybody outside can tell."""
    provider = {"name": name, "kind": "VLLM", "url": fake.url, "model": "m1", "at_once": 8, **given}
    settings = InferenceSettings.model_validate({"providers": [provider]})
    chances = [Chance(clock=time.clock, sleep=time.wait, jitter=lambda: 0.5) for time in (Time(), Time())]
    return [Router(settings, ByHand(), Memory(None), each, SqlPaces(pool)) for each in chances]


async def test_two_processes_keep_one_limit_together(brief: ReadPool) -> None:
    async with FakeLlm(ProviderKind.VLLM).serving() as fake:
        routers = two_routers(fake, brief, f"p{uuid4().hex[:12]}", requests_per_minute=12)
        asked = [router.of(TENANT).complete(ASKED) for router in routers for _ in range(5)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        for router in routers:
            await router.close()
        # A sixth of a minute's requests at once; the next one is five seconds away.
        assert len(fake.asked) == 2
    refused = [each for each in found if isinstance(each, ModelUnavailable)]
    assert len(refused) == 8
    assert {each.tried[0].code for each in refused} == {RefusalCode.RATE_LIMITED}


async def test_what_one_process_is_told_slows_down_the_other(brief: ReadPool) -> None:
    async with FakeLlm(ProviderKind.VLLM).serving() as fake:
        one, other = two_routers(fake, brief, f"p{uuid4().hex[:12]}")
        assert (await other.of(TENANT).complete(ASKED)).text == "Hello there."
        fake.script.append(Refuse(429, LIMITED, {"retry-after": "600"}))
        fake.otherwise = Say("Too early.")
        for router in (one, other, other):
            with pytest.raises(ModelUnavailable) as raised:
                await router.of(TENANT).complete(ASKED)
            assert raised.value.tried[0].code is RefusalCode.RATE_LIMITED
            assert raised.value.retry_after == pytest.approx(600, rel=0.05)
        assert len(fake.asked) == 2
        for router in (one, other):
            await router.close()


async def test_one_request_tries_an_open_circuit_although_the_bucket_is_asked_between(brief: ReadPool) -> None:
    async with FakeLlm(ProviderKind.VLLM).serving() as fake:
        router, other = two_routers(fake, brief, f"p{uuid4().hex[:12]}")
        [endpoint] = router.endpoints.values()
        endpoint.breaker.open(0)
        fake.otherwise = stall = Stall()
        asked = [asyncio.create_task(router.of(TENANT).complete(ASKED)) for _ in range(6)]
        while not fake.running:
            await asyncio.wait(asked, timeout=0.01)
        while endpoint.waiting:
            await asyncio.wait(asked, timeout=0.01)
        assert fake.most_running == 1
        stall.released.set()
        assert {(await each).text for each in asked} == {"Hello there."}
        for each in (router, other):
            await each.close()

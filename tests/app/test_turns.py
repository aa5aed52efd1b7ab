"""A single question beside a long batch: it has its turn, and does not wait for the batch to end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.wiring import System
from app.worker.turns import Turns
from domain.inference import ProviderKind
from tests.api import Api
from tests.app.test_batches_walk import ended, submitted, working
from tests.fake_llm import FakeLlm, Say, Stall
from tests.serving import PATIENCE


def test_a_line_has_an_order_and_the_next_is_called() -> None:
    turns = Turns()
    with turns.stand(["a"]) as one:
        with turns.stand(["a", "b"]) as two, turns.stand(["b"]) as three:
            assert [each.first for each in (one, two, three)] == [True, True, False]
            assert (turns.standing("a"), turns.standing("b"), turns.standing("c")) == (2, 2, 0)
        assert (turns.standing("a"), turns.standing("b")) == (1, 0)


async def test_whoever_leaves_calls_the_next_one() -> None:
    turns = Turns()
    with turns.stand(["a"]):
        behind = turns.stand(["a"])
        standing = behind.__enter__()
        waiting = asyncio.create_task(standing.wait(3600))
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert standing.first
    for resource in (None, "a"):
        waiting = asyncio.create_task(standing.wait(3600))
        await asyncio.wait([waiting], timeout=0)
        turns.call("b")
        turns.call(resource)
        async with asyncio.timeout(PATIENCE):
            await waiting
    behind.__exit__(None, None, None)
    await standing.wait(0)


@pytest.mark.usefixtures("nobodys_jobs")
async def test_a_question_is_asked_before_the_next_item_of_a_batch(api: Api, system: System, tmp_path: Path) -> None:
    stall = Stall()

    def behaviour(body: Any) -> Say | Stall:
        return stall if body["messages"][0]["content"] in {"Number 1.", "Number 2."} else Say()

    async with FakeLlm(ProviderKind.VLLM).serving() as fake, working(system, fake, tmp_path) as worker:
        fake.otherwise = behaviour
        batch = await submitted(api, "CHAT", 60)
        never = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE):
            while fake.running < 2:
                await asyncio.wait([never], timeout=0.01)
            before = len(fake.asked)
            question = await submitted(api, "CHAT", 1)
            while worker._holding.turns.standing("walk") < 1:
                await asyncio.wait([never], timeout=0.01)
            stall.released.set()
            assert (await ended(api, question))["completedCount"] == 1
            assert (await ended(api, batch))["completedCount"] == 60
    # Number 0 again is the question: it is the first that is asked once there is a place.
    said = [each.body["messages"][0]["content"] for each in fake.asked]
    assert said[before] == "Number 0."

"""Work for what the mode has closed: it is given back, waits as QUEUED, and is not begun before something opens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from db.jobs.slots import SqlSlots
from domain import jobs
from domain.jobs import Claim, JobKind, Lease, Outcome, RunningJob, Slot, SlotKind, Succeeded
from tests.app.test_worker import CHAT, Shop, shop

__all__ = ["shop"]

pytestmark = pytest.mark.usefixtures("nobodys_jobs")


@pytest.fixture
async def models(shop: Shop) -> AsyncIterator[str]:
    """The only server of language models; nothing of the installation's own is left besides."""
    await shop.owner.execute("DELETE FROM slots")
    await shop.holding.slots.declare(SlotKind.LLM, "models", 1)
    yield "models"
    await shop.owner.execute("DELETE FROM slots")


async def answering(_job: RunningJob, lease: Lease) -> Outcome:
    """Ask a model, in a place of its server."""
    async with lease.slot(SlotKind.LLM, ["models"]):
        return Succeeded()


async def test_a_job_is_given_back_when_all_that_it_needs_is_closed(shop: Shop, models: str) -> None:
    await shop.holding.slots.open(SlotKind.LLM, models, to=False)
    row = await shop.done(answering)

    # It has as many attempts left as before.
    assert (row["status"], row["attempt"], row["max_attempts"], row["error_code"]) == ("QUEUED", 1, 4, None)


class Counting(SqlSlots):
    """Slots that count how often one is asked for."""

    takes = 0

    async def take(self, claim: Claim, kind: SlotKind, resources: Sequence[str]) -> Slot | None:
        self.takes += 1
        return await super().take(claim, kind, resources)


async def test_what_has_a_place_goes_on_and_waits_for_another(shop: Shop, models: str) -> None:
    """A mode drains: it takes nothing away from what runs."""
    slots = Counting(shop.system.engine)
    shop.holding = replace(shop.holding, slots=slots)

    async def both(job: RunningJob, lease: Lease) -> Outcome:
        async with lease.slot(SlotKind.LLM, [models]):
            await slots.open(SlotKind.LLM, models, to=False)
            waiting = asyncio.create_task(answering(job, lease))
            # The first was for the place that it has.
            while slots.takes < 5:
                await asyncio.to_thread(lambda: None)
            assert not waiting.done()
            await slots.open(SlotKind.LLM, models, to=True)
        return await waiting

    assert (await shop.done(both))["status"] == "SUCCEEDED"


async def test_nothing_begins_that_would_only_wait(shop: Shop, models: str) -> None:
    slots, queue = shop.holding.slots, shop.holding.queue
    await slots.open(SlotKind.LLM, models, to=False)
    job_id = await shop.enqueue(CHAT)
    closed = await queue.claim("one", [JobKind.INFERENCE], 5)
    await slots.open(SlotKind.LLM, models, to=True)
    opened = await queue.claim("one", [JobKind.INFERENCE], 5)

    assert closed == []
    assert [claim.job.id for claim in opened] == [job_id]
    async with shop.system.units.write(await shop.caller()) as unit:
        await jobs.finish(unit, [jobs.End(job_id, opened[0].token, Succeeded(), 0.0)])

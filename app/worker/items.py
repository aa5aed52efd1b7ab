"""Runs the items of an inference job: as many at once as the provider serves, each answer stored when it is there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from app.worker.leases import LeasedPlaces, until_ended
from app.worker.replies import Reply, reply
from domain.asking import failed
from domain.inference import (
    Answered,
    Completion,
    InferenceTask,
    Item,
    ModelRefused,
    ModelUnavailable,
    Names,
    Provider,
    finish_item,
    wanted_model,
    words_of,
)
from domain.jobs import Cancelled, Failed, Lease, Outcome, Partial, RunningJob, Succeeded
from domain.structured import AnswerRefused, StructuredAnswers
from gpu.inference.router import Router, TenantModels

MOST_AT_ONCE: Final = 64
AT_ONCE: Final = 50
"""How many items are given up in one unit."""


class ItemsHandler:
    """The handler of what was submitted as items, whatever its task."""

    def __init__(self, router: Router, answers: StructuredAnswers) -> None:
        """Ask the router's models; tasks that have a shape are asked through `answers`."""
        self._router = router
        self._answers = answers

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Answer the items that have no answer yet."""
        if job.task is None:
            return Failed("INVALID", "This job has no task.", retryable=False)
        async with lease.unit() as unit:
            items = await unit.inference.begin_items(job.id)
            names = await unit.inference.names_among(
                sorted(words_of(message.content for item in items for message in item.messages))
            )
        batch = _Batch(
            job=job,
            task=job.task,
            lease=lease,
            models=self._router.of(job.tenant_id, LeasedPlaces(lease)),
            answers=self._answers,
            providers={each.name: each.provider for each in self._router.settings.providers},
            names=Names(names),
            left=deque(items),
        )
        return await batch.run()


@dataclass(slots=True, eq=False, kw_only=True)
class _Batch:
    """One attempt at a job's items."""

    job: RunningJob
    task: InferenceTask
    lease: Lease
    models: TenantModels
    answers: StructuredAnswers
    providers: Mapping[str, Provider]
    names: Names
    left: deque[Item]
    postponed: ModelUnavailable | ModelRefused | None = None
    failure: Failed | None = None
    refused: list[tuple[Item, Failed]] = field(default_factory=list)
    """What was not answered, and might be another time."""
    stopping: bool = False
    progressed: bool = False
    """Whether an item was answered: a batch of a thousand must not end because a provider is slow to answer them."""

    @property
    def last(self) -> bool:
        """Whether there is no other attempt."""
        return self.job.attempt >= self.job.max_attempts and not self.progressed

    async def run(self) -> Outcome:
        ended = await until_ended(self.lease, self._run_all())
        return ended if isinstance(ended, Cancelled) else await self._outcome()

    async def _run_all(self) -> None:
        runners = [asyncio.create_task(self._run_items()) for _ in range(await self._width())]
        try:
            await asyncio.gather(*runners)
        finally:
            for runner in runners:
                runner.cancel()
            await asyncio.gather(*runners, return_exceptions=True)

    async def _width(self) -> int:
        """Return how many items run at once: no more than are left, and as many as the first provider serves."""
        if not self.left:
            return 0
        request = Completion(self.task, self.left[0].messages, model=wanted_model(self.job))
        return min(len(self.left), MOST_AT_ONCE, await self.models.at_once(request))

    async def _run_items(self) -> None:
        while self.left and not self.stopping:
            item = self.left.popleft()
            result = await self._answered(item)
            if result is not None:
                await self._store(item, result)

    async def _answered(self, item: Item) -> Answered | Failed | None:
        """Return what becomes of an item; None where another attempt may have more luck."""

        async def on_text(text: str) -> None:
            await self.lease.delta(item.request_id, text)

        # Whatever else fails, such as the database, fails the attempt: the next one asks again.
        try:
            replied = await reply(
                self.answers, self.models, self.task, item.messages,
                names=self.names.within(item.messages), model=wanted_model(self.job), on_text=on_text,
            )  # fmt: skip
        except (ModelUnavailable, ModelRefused) as error:
            return self._refused(item, error)
        except AnswerRefused as error:
            return Failed("ANSWER_REFUSED", error.message, retryable=True)
        return self._reply(replied)

    def _refused(self, item: Item, error: ModelUnavailable | ModelRefused) -> Failed | None:
        nobody = isinstance(error, ModelUnavailable)
        refused = _failed(error, retryable=isinstance(error, ModelUnavailable) or error.retryable)
        if not refused.retryable:
            return refused
        self.postponed = error
        self.refused.append((item, refused))
        # Where nobody can answer, the next item would only hear the same.
        self.stopping = self.stopping or nobody
        return None

    def _reply(self, replied: Reply) -> Answered:
        counted = replied.usage.prompt_tokens > 0
        return Answered(
            provider=self.providers[replied.provider],
            model=replied.model,
            text=replied.text,
            value=replied.value,
            repaired=replied.repaired,
            prompt_tokens=replied.usage.prompt_tokens if counted else None,
            completion_tokens=replied.usage.completion_tokens if counted else None,
            prompt=replied.prompt,
        )

    async def _store(self, item: Item, result: Answered | Failed) -> None:
        if isinstance(result, Failed):
            self.failure = result
        async with self.lease.unit() as unit:
            await finish_item(unit, self.job, item, result)
        self.progressed = self.progressed or isinstance(result, Answered)

    async def _give_up(self, reason: Failed) -> None:
        """Let every item that has no answer after the last attempt say why."""
        results = [*self.refused, *((item, reason) for item in self.left)]
        self.failure = reason
        for start in range(0, len(results), AT_ONCE):
            async with self.lease.unit() as unit:
                for item, result in results[start : start + AT_ONCE]:
                    await finish_item(unit, self.job, item, result)

    async def _outcome(self) -> Outcome:
        if self.postponed is not None:
            if not self.last:
                return replace(failed(self.postponed), progressed=self.progressed)
            await self._give_up(_failed(self.postponed, retryable=True))
        async with self.lease.unit() as unit:
            done, unanswered = await unit.inference.counts(self.job.id)
        if unanswered == 0:
            return Succeeded()
        if done == 0 and self.failure is not None:
            # Every item has failed for good: another attempt of the job would find nothing to do.
            return replace(self.failure, retryable=False)
        return Partial() if done else Failed("FAILED", "No item has an answer.", retryable=False)


def _failed(error: ModelUnavailable | ModelRefused, *, retryable: bool) -> Failed:
    code = error.refusal.name if isinstance(error, ModelRefused) else error.code
    return Failed(code, error.message, retryable)

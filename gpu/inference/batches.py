"""Runs the items of an inference job: as many at once as the provider serves, each answer stored when it is there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from domain.errors import DomainError, Unavailable
from domain.inference import (
    Answered,
    Completion,
    Item,
    ItemError,
    Message,
    ModelRefused,
    ModelUnavailable,
    Provider,
    Replies,
    Reply,
    finish_item,
    named,
    wanted_model,
    words_of,
)
from domain.jobs import Cancelled, Failed, Lease, LeaseLost, Outcome, Partial, RunningJob, SlotKind, Succeeded
from domain.jobs.ports import Signal
from gpu.inference.router import Router, TenantModels

MOST_AT_ONCE: Final = 64


class LeasedPlaces:
    """The places of providers that running jobs of all processes share: the slots that a lease can have."""

    def __init__(self, lease: Lease) -> None:
        """Take slots for the job of `lease`."""
        self._lease = lease

    def place(self, provider: str) -> AbstractAsyncContextManager[object]:
        """Wait for a slot of a provider, and hold it."""
        return self._lease.slot(SlotKind.LLM, [provider])


class ItemsHandler:
    """The handler of what was submitted as items, whatever its task."""

    def __init__(self, router: Router, replies: Replies) -> None:
        """Ask the router's models by way of `replies`."""
        self._router = router
        self._replies = replies

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Answer the items that have no answer yet."""
        if job.task is None:
            return Failed("INVALID", "This job has no task.", retryable=False)
        async with lease.unit() as unit:
            items = await unit.inference.begin_items(job.id)
            names = await unit.inference.names_among(
                sorted(words_of(message.content for item in items for message in item.messages))
            )
        models = self._router.of(job.tenant_id, LeasedPlaces(lease))
        batch = _Batch(
            job=job, lease=lease, models=models, replies=self._replies, providers=self._providers(), names=names,
            left=deque(items),
        )  # fmt: skip
        return await batch.run()

    def _providers(self) -> dict[str, Provider]:
        return {each.name: Provider(each.id, each.name, each.kind) for each in self._router.settings.providers}


@dataclass(slots=True, eq=False, kw_only=True)
class _Batch:
    """One attempt at a job's items."""

    job: RunningJob
    lease: Lease
    models: TenantModels
    replies: Replies
    providers: Mapping[str, Provider]
    names: Sequence[str]
    left: deque[Item]
    postponed: ModelUnavailable | ModelRefused | None = None
    failure: ItemError | None = None
    hopeless: ItemError | None = None
    """What every item that is left is told, where this is the last attempt and nobody can answer."""
    stopping: bool = False

    @property
    def last(self) -> bool:
        """Whether there is no other attempt."""
        return self.job.attempt >= self.job.max_attempts

    async def run(self) -> Outcome:
        runners = [asyncio.create_task(self._run_items()) for _ in range(await self._width())]
        watchers = [asyncio.create_task(_happens(each)) for each in (self.lease.cancelled, self.lease.lost)]
        working = asyncio.gather(*runners)
        try:
            ends: set[asyncio.Future[Any]] = {working, *watchers}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self.lease.lost.is_set():
                raise LeaseLost
            if not working.done():
                return Cancelled()
            await working
        finally:
            for task in (*runners, *watchers):
                task.cancel()
            await asyncio.gather(*runners, *watchers, working, return_exceptions=True)
        return await self._outcome()

    async def _width(self) -> int:
        """Return how many items run at once: no more than are left, and as many as the first provider serves."""
        if not self.left or self.job.task is None:
            return 0
        request = Completion(self.job.task, self.left[0].messages, model=wanted_model(self.job))
        return min(len(self.left), MOST_AT_ONCE, await self.models.at_once(request))

    async def _run_items(self) -> None:
        while self.left and not self.stopping:
            item = self.left.popleft()
            result = self.hopeless or await self._answered(item)
            if result is not None:
                await self._store(item, result)

    async def _answered(self, item: Item) -> Answered | ItemError | None:
        """Return what becomes of an item; None where another attempt may have more luck."""
        if self.job.task is None:
            return None

        async def on_text(text: str) -> None:
            await self.lease.delta(item.request_id, text)

        messages: tuple[Message, ...] = item.messages
        try:
            reply = await self.replies.reply(
                self.models, self.job.task, messages, names=named(self.names, messages), model=wanted_model(self.job),
                on_text=on_text,
            )  # fmt: skip
        except LeaseLost:
            raise
        except (ModelUnavailable, ModelRefused) as error:
            return self._refused(error)
        except Unavailable as error:
            return self._failed(error, retryable=True)
        return self._reply(reply)

    def _refused(self, error: ModelUnavailable | ModelRefused) -> ItemError | None:
        nobody = isinstance(error, ModelUnavailable)
        retryable = isinstance(error, ModelUnavailable) or error.retryable
        if retryable and not self.last:
            self.postponed = error
            # Where nobody can answer, the next item would only hear the same.
            self.stopping = self.stopping or nobody
            return None
        failed = self._failed(error, retryable=retryable)
        if nobody:
            self.hopeless = failed
        return failed

    def _reply(self, reply: Reply) -> Answered | ItemError:
        counted = reply.prompt_tokens > 0
        return Answered(
            provider=self.providers[reply.provider],
            model=reply.model,
            text=reply.text,
            value=reply.value,
            repaired=reply.repaired,
            prompt_tokens=reply.prompt_tokens if counted else None,
            completion_tokens=reply.completion_tokens if counted else None,
        )

    def _failed(self, error: DomainError, *, retryable: bool) -> ItemError:
        code = error.refusal.name if isinstance(error, ModelRefused) else error.code
        return ItemError(code, error.message[:2000], retryable)

    async def _store(self, item: Item, result: Answered | ItemError) -> None:
        if isinstance(result, ItemError):
            self.failure = result
        async with self.lease.unit() as unit:
            await finish_item(unit, self.job, item, result)

    async def _outcome(self) -> Outcome:
        if self.postponed is not None and not self.last:
            wait = self.postponed.retry_after
            code = "UNAVAILABLE" if isinstance(self.postponed, ModelUnavailable) else self.postponed.refusal.name
            pause = None if wait is None else timedelta(seconds=wait)
            return Failed(code, self.postponed.message[:2000], retryable=True, retry_after=pause)
        async with self.lease.unit() as unit:
            done, failed = await unit.inference.counts(self.job.id)
        if failed == 0:
            return Succeeded()
        if done == 0 and self.failure is not None:
            # Every item has failed for good: another attempt of the job would find nothing to do.
            return Failed(self.failure.code, self.failure.message, retryable=False)
        return Partial() if done else Failed("FAILED", "No item has an answer.", retryable=False)


async def _happens(signal: Signal) -> None:
    await signal.wait()

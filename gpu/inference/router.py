"""The one loop that asks providers until one answers: fallback, circuits, limits and retries are all here."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from domain.inference import (
    CircuitState,
    Completed,
    Completion,
    Message,
    ModelRefused,
    ModelUnavailable,
    OnText,
    Paces,
    Places,
    Pseudonyms,
    RefusalCode,
    Sighting,
    Switches,
    Tried,
    Turn,
)
from gpu.inference.bodies import Question
from gpu.inference.breaker import Monotonic
from gpu.inference.capabilities import Capabilities, Memory
from gpu.inference.chat import Reply, converse
from gpu.inference.choosing import Choice, Choices, chosen
from gpu.inference.endpoints import Endpoint
from gpu.inference.failures import SENTENCES, Failure, without_quotation
from gpu.inference.pacing import OwnPaces
from gpu.inference.profiles import SchemaMode
from gpu.inference.quoting import repeats
from gpu.inference.settings import InferenceSettings
from gpu.inference.tallies import CANCELLED, Tallies

MOST_TRIES: Final = 3
"""How often one provider's model is asked for one request."""
PATIENCE: Final = 20.0
"""Seconds that one request waits in all, between tries and for circuits; then the job goes back to the queue."""
PATIENCE_WITH_LIMITS: Final = 120.0
"""And so many for its turn where all share a limit: that others have theirs first is no failure of anybody."""
FIRST_PAUSE: Final = 0.5
TRIED_BY_ANOTHER: Final = float("inf")

FAULTS_OF_REQUESTS: Final = frozenset({RefusalCode.INVALID_REQUEST, RefusalCode.CONTEXT_TOO_LONG})

log = structlog.get_logger()


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Chance:
    """What a loop takes from outside: time that never goes back, the date, waiting and chance."""

    clock: Monotonic = time.monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], Awaitable[None]] = _sleep
    jitter: Callable[[], float] = random.random


class Router:
    """Every provider of this process, for all tenants."""

    def __init__(
        self,
        settings: InferenceSettings,
        switches: Switches,
        memory: Memory,
        chance: Chance | None = None,
        paces: Paces | None = None,
    ) -> None:
        """Make the providers that are configured; nobody is asked yet. `paces` are those that processes share."""
        self.chance: Final = chance or Chance()
        self.tallies: Final = Tallies()
        self.settings: Final = settings
        self.switches: Final = switches
        self.capabilities: Final = Capabilities(memory)
        shared = paces or OwnPaces(self.chance.clock)
        self.endpoints: Final[Mapping[str, Endpoint]] = {
            each.name: Endpoint(each, shared, self.chance.clock, self.chance.now) for each in settings.providers
        }

    def of(self, tenant_id: UUID, places: Places | None = None) -> TenantModels:
        """Return the models of a tenant, for somebody who asks within `places`."""
        return TenantModels(self, tenant_id, places)

    def sightings(self) -> list[Sighting]:
        """Return what this process sees of each provider."""
        return [each.sighting for each in self.endpoints.values()]

    async def close(self) -> None:
        """Close every connection."""
        await self.capabilities.close()
        await asyncio.gather(*(each.close() for each in self.endpoints.values()))


class TenantModels:
    """The models of one tenant."""

    def __init__(self, router: Router, tenant_id: UUID, places: Places | None) -> None:
        """Follow the tenant's switches."""
        self._router = router
        self._tenant_id = tenant_id
        self._places = places

    async def complete(self, request: Completion, *, on_text: OnText | None = None) -> Completed:
        """Ask until somebody answers. Raises ModelUnavailable and ModelRefused."""
        return await _Loop(self._router, request, on_text, await self._choices(request), self._places).run()

    async def at_once(self, request: Completion) -> int:
        """Return how many such requests the provider that is asked first serves at once; 1 where nobody is."""
        candidates = (await self._choices(request)).candidates
        return candidates[0].endpoint.settings.at_once if candidates else 1

    async def _choices(self, request: Completion) -> Choices:
        router = self._router
        switches = await router.switches.of(self._tenant_id)
        return chosen(router.endpoints, router.settings.rules, switches, request)


@dataclass(slots=True, eq=False)
class _Candidate:
    """Somebody who may still answer this request."""

    choice: Choice
    tries: int = 0
    not_before: float = 0.0
    failure: Failure | None = None
    asked_again: bool = False

    def wait(self, now: float) -> float:
        """Seconds until it may be asked; infinite where somebody else is being tried on an open circuit."""
        endpoint, model = self.choice.endpoint, self.choice.model
        circuits = (endpoint.breaker, endpoint.of_model(model))
        if any(each.state is CircuitState.HALF_OPEN and not each.passes() for each in circuits):
            return TRIED_BY_ANOTHER
        return max(self.not_before - now, endpoint.pace.wait(), *(each.opens_in for each in circuits))

    def limited(self, now: float) -> bool:
        """Whether it is the limit that is waited for, and nothing that would take as long."""
        endpoint, model = self.choice.endpoint, self.choice.model
        others = (self.not_before - now, endpoint.breaker.opens_in, endpoint.of_model(model).opens_in)
        return endpoint.pace.wait() > max(others)

    def tried(self) -> Tried:
        """Return why it has not answered."""
        endpoint, model = self.choice.endpoint, self.choice.model
        if self.failure is not None:
            code, reason = self.failure.code, self.failure.reason()
        elif endpoint.pace.wait() > 0:
            code = RefusalCode.RATE_LIMITED
            reason = SENTENCES[code]
        else:
            code = RefusalCode.CIRCUIT_OPEN
            reason = SENTENCES[code]
        return Tried(endpoint.settings.name, model, code, reason)


class _Loop:
    """One request on its way."""

    def __init__(
        self, router: Router, request: Completion, on_text: OnText | None, choices: Choices, places: Places | None
    ) -> None:  # fmt: skip
        self._router = router
        self._places = places
        self._chance = router.chance
        self._request = request
        self._on_text = on_text
        self._passed_over = choices.passed_over
        self._candidates = [_Candidate(each) for each in choices.candidates]
        self._live = list(self._candidates)
        self._waited = 0.0
        self._limited = 0.0
        self._delivered = False

    async def run(self) -> Completed:
        while self._live:
            now = self._chance.clock()
            candidate = min(self._live, key=lambda each: max(0.0, each.wait(now)))
            wait = candidate.wait(now)
            if wait == TRIED_BY_ANOTHER:
                if not await self._another(candidate.choice.endpoint):
                    break
                continue
            if wait > 0:
                if not await self._wait(candidate, wait):
                    break
                continue
            async with self._placed(candidate.choice.endpoint):
                if candidate.wait(self._chance.clock()) > 0:
                    continue
                try:
                    completed = await self._ask(candidate)
                except Failure as failure:
                    await self._note(candidate, failure)
                else:
                    if completed is not None:
                        return completed
        raise self._given_up()

    async def _wait(self, candidate: _Candidate, seconds: float) -> bool:
        """Wait, unless that takes longer than there is patience left."""
        limited, endpoint = candidate.limited(self._chance.clock()), candidate.choice.endpoint
        if seconds > (PATIENCE_WITH_LIMITS - self._limited if limited else PATIENCE - self._waited):
            return False
        if limited:
            self._limited += seconds
        else:
            self._waited += seconds
        if endpoint.pace.wait() > 0:
            self._router.tallies.waited_for(endpoint.settings.name, seconds)
        await self._chance.sleep(seconds)
        return True

    @staticmethod
    async def _another(endpoint: Endpoint) -> bool:
        """Wait until another request has tried whether an open circuit can be closed; false where that takes long."""
        try:
            async with asyncio.timeout(PATIENCE):
                await endpoint.moved.wait()
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def _placed(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """Wait for one of the provider's places, of all processes and then of this one, and hold it."""
        everywhere = nullcontext() if self._places is None else self._places.place(endpoint.settings.name)
        async with AsyncExitStack() as stack:
            endpoint.waiting += 1
            try:
                await stack.enter_async_context(everywhere)
                await stack.enter_async_context(endpoint.places)
            finally:
                endpoint.waiting -= 1
            yield

    async def _ask(self, candidate: _Candidate) -> Completed | None:
        """Ask somebody who may be asked; None where the provider's limit, which all share, does not let us yet."""
        endpoint, model = candidate.choice.endpoint, candidate.choice.model
        # From here on nobody else tries an open circuit of theirs.
        endpoint.enter(model)
        try:
            turn = await endpoint.pace.take()
            if turn.wait > 0:
                return None
            reply = await self._counted(candidate.choice, turn)
        finally:
            endpoint.left(model)
        settings = endpoint.settings
        pseudonyms = None if settings.stays else self._request.pseudonyms
        return Completed(
            text=reply.text if pseudonyms is None else pseudonyms.restore(reply.text),
            finish_reason=reply.finish,
            provider=settings.name,
            model=model,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            on_premise=settings.stays,
        )

    async def _counted(self, choice: Choice, turn: Turn) -> Reply:
        """Ask, and note what became of it wherever that counts."""
        endpoint, model = choice.endpoint, choice.model
        name, task, tallies = endpoint.settings.name, self._request.task, self._router.tallies
        begun = self._chance.clock()
        try:
            reply = await self._converse(choice)
        except Failure as failure:
            tallies.requests[name, task, failure.code.name] += 1
            endpoint.failed(model, failure)
            if failure.code is RefusalCode.RATE_LIMITED:
                await endpoint.pace.limited(turn, failure.retry_after)
            raise
        except asyncio.CancelledError:
            tallies.requests[name, task, CANCELLED] += 1
            raise
        seconds = self._chance.clock() - begun
        tallies.answered(name, task, seconds, (reply.prompt_tokens, reply.completion_tokens))
        endpoint.answered(model, seconds)
        await endpoint.pace.answered(turn)
        return reply

    async def _converse(self, choice: Choice) -> Reply:
        request, endpoint, model = self._request, choice.endpoint, choice.model
        settings = endpoint.settings
        mode = SchemaMode.NONE
        if request.schema is not None:
            mode = await self._router.capabilities.mode(endpoint.wire, settings, model)
        pseudonyms = None if settings.stays else request.pseudonyms
        messages = request.messages
        if pseudonyms is not None:
            messages = tuple(Message(each.role, pseudonyms.hide(each.content)) for each in messages)
        # Some refuse what might run past the end of the context, and others forget its beginning unsaid.
        most = request.max_tokens if choice.room is None else min(request.max_tokens, choice.room)
        question = Question(model, messages, most, request.temperature, request.schema, mode)
        told = None if self._on_text is None else _Telling(self._deliver, pseudonyms)
        reply = await converse(endpoint.wire, settings, question, None if told is None else told.take)
        if told is not None:
            await told.end()
        return reply

    async def _deliver(self, text: str) -> None:
        if text and self._on_text is not None:
            self._delivered = True
            await self._on_text(text)

    async def _note(self, candidate: _Candidate, failure: Failure) -> None:
        """Decide what a failure means for this request: another try, another provider, or its end."""
        endpoint, model = candidate.choice.endpoint, candidate.choice.model
        texts = [each.content for each in self._request.messages]
        failure = without_quotation(failure, texts, endpoint.key)
        if repeats(failure.detail, texts, self._request.pseudonyms):
            failure = Failure(failure.code, failure.status, failure.retry_after)
        # A key that is not taken any more is for somebody to mend.
        tell = log.warning if failure.code is RefusalCode.UNAUTHORIZED else log.info
        tell(
            "model_failed", provider=endpoint.settings.name, model=model, code=failure.code.name,
            status=failure.status, began=self._delivered,
        )  # fmt: skip
        candidate.failure = failure
        candidate.tries += 1
        if self._delivered:
            # Somebody has read the beginning: another answer would begin differently. The attempt has failed.
            raise ModelRefused(failure.code, f"{endpoint.settings.name} ({model}): {failure.reason()}.", retryable=True)
        if failure.code is RefusalCode.INVALID_REQUEST and self._request.schema is not None:
            # Perhaps it does not take the schema any more as it did.
            await self._router.capabilities.forget(endpoint.settings, model)
            if not candidate.asked_again:
                candidate.asked_again = True
                return
        if not failure.retryable or candidate.tries >= MOST_TRIES:
            self._live.remove(candidate)
            return
        pause = FIRST_PAUSE * 2 ** (candidate.tries - 1) * (0.5 + self._chance.jitter())
        candidate.not_before = self._chance.clock() + max(pause, failure.retry_after or 0.0)

    def _given_up(self) -> ModelRefused | ModelUnavailable:
        tried = (*(each.tried() for each in self._candidates), *self._passed_over)
        if tried and all(each.code in FAULTS_OF_REQUESTS for each in tried):
            last = tried[-1]
            return ModelRefused(last.code, f"{last.provider} ({last.model}): {last.reason}.", retryable=False)
        now = self._chance.clock()
        waits = [wait for each in self._live if (wait := each.wait(now)) != TRIED_BY_ANOTHER]
        reason = ""
        if not tried and self._router.endpoints:
            wanted = self._request.model
            reason = "No provider is configured for this task." if wanted is None else f"No provider serves {wanted}."
        return ModelUnavailable(tried, reason=reason, retry_after=min(waits) if waits else None)


class _Telling:
    """Hands on what comes, with names in place of pseudonyms, as soon as no pseudonym can be cut in two."""

    def __init__(self, deliver: OnText, pseudonyms: Pseudonyms | None) -> None:
        self._deliver = deliver
        self._pseudonyms = pseudonyms
        self._held = ""

    async def take(self, text: str) -> None:
        if self._pseudonyms is None:
            await self._deliver(text)
            return
        self._held += text
        settled = self._pseudonyms.settled(self._held)
        ready, self._held = self._held[:settled], self._held[settled:]
        if ready:
            await self._deliver(self._pseudonyms.restore(ready))

    async def end(self) -> None:
        if self._held and self._pseudonyms is not None:
            held, self._held = self._held, ""
            await self._deliver(self._pseudonyms.restore(held))

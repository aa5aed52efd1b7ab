"""What is known of one provider: how it answered so far, how busy it is, and whether it is asked at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.inference import Paces, ProviderStatus, RefusalCode, Sighting
from gpu.inference.breaker import MOST_SECONDS, Breaker, Monotonic
from gpu.inference.failures import ITS_OWN_FAULT, Failure
from gpu.inference.pacing import Pace
from gpu.inference.probing import Found, examined
from gpu.inference.profiles import PROFILES
from gpu.inference.settings import ProviderSettings
from gpu.inference.wire import Wire

SMOOTHING: Final = 0.2
"""How much the newest answer counts in the average of how long answers take."""
AILING_SECONDS: Final = 15.0
"""For so long a provider that could not be reached comes last; then it is asked in its turn again."""
LOOK_SECONDS: Final = 3.0
"""For so long somebody waits to hear how a provider is. One that takes longer is looked at beside that."""


class Endpoint:
    """One provider in this process."""

    def __init__(
        self, settings: ProviderSettings, paces: Paces, clock: Monotonic, now: Callable[[], datetime]
    ) -> None:  # fmt: skip
        """Begin with nothing known; `paces` says how often everybody together may ask."""
        self.settings: Final = settings
        self.wire: Final = Wire(settings)
        self.pace: Final = Pace(settings.name, settings.requests_per_minute, paces, clock)
        self.breaker: Final = Breaker(clock)
        self.places: Final = asyncio.Semaphore(settings.at_once)
        self.in_flight = 0
        self.moved = asyncio.Event()
        """Happens when the next request ends; whoever waits for another's try of an open circuit looks again."""
        self.waiting = 0
        """How many requests of this process have chosen it and wait for a place."""
        self.latency_ms: float | None = None
        self.found = Found()
        self._by_model: Final[dict[str, Breaker]] = {}
        self._clock = clock
        self._now = now
        self._ailing_until = float("-inf")
        self._looked: float | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def id(self) -> UUID:
        """The provider's id."""
        return self.settings.id

    @property
    def key(self) -> str | None:
        """The key, to find it where it must not be."""
        return None if self.settings.key is None else self.settings.key.get_secret_value()

    def of_model(self, model: str) -> Breaker:
        """Return the circuit of one model of this provider."""
        if model not in self._by_model:
            self._by_model[model] = Breaker(self._clock)
        return self._by_model[model]

    def serves(self, model: str) -> bool:
        """Whether a model may be asked for by its name."""
        named = {self.settings.model, self.settings.fallback_model, *self.settings.models}
        return model in named or any(each.name == model for each in self.found.models)

    def context_tokens(self, model: str) -> int | None:
        """Return how many tokens a model takes, as far as that is known."""
        told = next((each.context_length for each in self.found.models if each.name == model), None)
        return self.settings.context_tokens or told

    def enter(self, model: str) -> None:
        """Count a request that begins."""
        self.breaker.enter()
        self.of_model(model).enter()
        self.in_flight += 1

    def left(self, model: str) -> None:
        """Count a request that ended, however it did."""
        self.in_flight -= 1
        self.breaker.leave()
        self.of_model(model).leave()
        self.moved.set()
        self.moved = asyncio.Event()

    def answered(self, model: str, seconds: float) -> None:
        """Note an answer."""
        self.breaker.succeeded()
        self.of_model(model).succeeded()
        milliseconds = seconds * 1000
        before = milliseconds if self.latency_ms is None else self.latency_ms
        self.latency_ms = before + SMOOTHING * (milliseconds - before)
        self.found = replace(self.found, status=ProviderStatus.HEALTHY)
        self._ailing_until = float("-inf")

    def failed(self, model: str, failure: Failure) -> None:
        """Note a failure: against the provider, against one model, or against nobody."""
        if failure.code is RefusalCode.UNAUTHORIZED:
            self.breaker.open(MOST_SECONDS)
        elif failure.code is RefusalCode.MODEL_NOT_FOUND:
            self.of_model(model).open(MOST_SECONDS)
        elif failure.code in ITS_OWN_FAULT:
            self.of_model(model).failed()
            if failure.code is not RefusalCode.MALFORMED:
                self.breaker.failed()
            if failure.code in {RefusalCode.UNREACHABLE, RefusalCode.ENGINE_DEAD}:
                self.found = replace(self.found, status=ProviderStatus.DOWN)
                self._ailing_until = self._clock() + AILING_SECONDS

    @property
    def ailing(self) -> bool:
        """Whether it could not be reached a moment ago."""
        return self._clock() < self._ailing_until

    @property
    def sighting(self) -> Sighting:
        """What this process sees of it."""
        answered, failed = self.breaker.outcomes
        return Sighting(
            provider=self.settings.name,
            circuit=self.breaker.state,
            opens_in=self.breaker.opens_in,
            latency_ms=self.latency_ms,
            answered=answered,
            failed=failed,
            in_flight=self.in_flight,
            waiting=self.waiting,
        )

    async def look(self, *, at_once: bool = False, patience: float = LOOK_SECONDS) -> Found:
        """Return how the provider is; it is asked unless somebody has only just done so.

        Nobody waits for longer than `patience`: whoever does not say in time how it is, is as it was known before.
        """
        profile = PROFILES[self.settings.kind]
        recent = self._looked is not None and self._clock() - self._looked < profile.probe_every
        if self._looking is None and (at_once or not recent):
            self._looking = asyncio.create_task(self._look())
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=patience)
        if self.found.status is ProviderStatus.UNKNOWN:
            return replace(self.found, reason="it has not said yet how it is")
        return self.found

    async def _look(self) -> None:
        try:
            found = await examined(self.wire, self.settings)
            self.found = replace(found, at=self._now())
            self._looked = self._clock()
            if found.status is ProviderStatus.DOWN:
                self._ailing_until = self._looked + AILING_SECONDS
        finally:
            self._looking = None

    async def close(self) -> None:
        """Close the connections."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await self.wire.close()

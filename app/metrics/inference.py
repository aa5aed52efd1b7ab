"""What `/metrics` tells of models: what this process asked of each provider, and how circuits stand everywhere.

Labels are the providers of the settings, tasks and codes: what clients send adds none.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from domain.errors import Unavailable
from domain.inference import CircuitState, InferenceTask, Sighting, Sightings
from domain.structured import Fault
from gpu.inference.router import Router
from gpu.inference.tallies import Kept, Spread

READ_SECONDS: Final = 2.0
SHAPED: Final = [task for task in InferenceTask if task is not InferenceTask.CHAT]


class Asked(Collector):
    """The counters of one process, and the circuits of all of them as they were told last."""

    def __init__(self, router: Router, sightings: Sightings) -> None:
        """Read the counters of `router`, and what others tell by `sightings`."""
        self._router: Final = router
        self._sightings: Final = sightings
        self._others: Sequence[Sighting] = ()

    async def read(self) -> None:
        """Hear what the other processes see."""
        self._others = ()
        if self._router.endpoints:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(READ_SECONDS):
                    self._others = await self._sightings.others()

    def collect(self) -> list[Metric]:
        """Return the families."""
        return [*self._requests(), *self._limits(), *self._answers(), self._circuits()]

    def _requests(self) -> list[Metric]:
        tallies = self._router.tallies
        requests = CounterMetricFamily(
            "velocity_model_requests", "Requests of this process to models, by what became of them.",
            labels=["provider", "task", "outcome"],
        )  # fmt: skip
        for (provider, task, outcome), count in tallies.requests.items():
            requests.add_metric([provider, task.name, outcome], count)
        seconds = HistogramMetricFamily("velocity_model_seconds", "How long answers took.", labels=["provider"])
        tokens = CounterMetricFamily("velocity_model_tokens", "Tokens, as providers count.", labels=["provider", "of"])
        for provider in self._router.endpoints:
            spread = tallies.seconds.get(provider) or Spread()
            seconds.add_metric([provider], buckets=spread.cumulative(), sum_value=spread.total)
            tokens.add_metric([provider, "prompt"], tallies.prompt_tokens[provider])
            tokens.add_metric([provider, "completion"], tallies.completion_tokens[provider])
        return [requests, seconds, tokens]

    def _limits(self) -> list[Metric]:
        tallies = self._router.tallies
        waits = CounterMetricFamily(
            "velocity_model_limit_waits", "How often requests waited for a provider's limit.", labels=["provider"]
        )
        waited = CounterMetricFamily(
            "velocity_model_limit_wait_seconds", "For how long they did, in all.", labels=["provider"]
        )
        limit = GaugeMetricFamily(
            "velocity_model_requests_per_minute", "The limit of a provider that has one, as heard of last.",
            labels=["provider"],
        )  # fmt: skip
        for provider, endpoint in self._router.endpoints.items():
            waits.add_metric([provider], tallies.waits[provider])
            waited.add_metric([provider], tallies.waited.get(provider, 0.0))
            if endpoint.pace.per_minute is not None:
                limit.add_metric([provider], endpoint.pace.per_minute)
        return [waits, waited, limit]

    def _answers(self) -> list[Metric]:
        tallies = self._router.tallies
        answers = CounterMetricFamily(
            "velocity_model_answers", "Answers that were to have a shape.", labels=["task", "outcome"]
        )
        again = CounterMetricFamily("velocity_model_answers_asked_again", "Of these, by task.", labels=["task"])
        for task in SHAPED:
            for kept in Kept:
                answers.add_metric([task.name, kept.name], tallies.answers[task, kept])
            again.add_metric([task.name], tallies.asked_again[task])
        faults = CounterMetricFamily("velocity_model_answer_faults", "Why they could not be used.", labels=["fault"])
        for fault in Fault:
            faults.add_metric([fault.name], tallies.faults[fault])
        return [answers, again, faults]

    def _circuits(self) -> Metric:
        """Count processes: one that has not told for a while has nothing to tell, and counts no more."""
        family = GaugeMetricFamily(
            "velocity_model_circuits", "In how many processes the circuit of a provider stands how.",
            labels=["provider", "state"],
        )  # fmt: skip
        seen = Tally((each.provider, each.circuit) for each in (*self._router.sightings(), *self._others))
        for provider in self._router.endpoints:
            for state in CircuitState:
                family.add_metric([provider, state.name], seen[provider, state])
        return family

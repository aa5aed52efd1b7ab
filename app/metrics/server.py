"""What `/metrics` tells Prometheus."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from app.metrics.inference import Asked
from app.metrics.jobs import Working
from db.engine import ReadPool
from db.reading.answers import SqlAnswers
from domain.errors import DomainError
from graph.errors import MISTAKE
from graph.http import Open
from graph.http.connections import CLOSES, EVENT_STREAM, SOCKET

SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
OUTCOMES: Final = ("ok", "error")


class Statements(Collector):
    """Counts the read statements of the pool when asked."""

    def __init__(self, pool: ReadPool) -> None:
        """Read the pool's own counter."""
        self._pool = pool

    def collect(self) -> list[CounterMetricFamily]:
        """Return the family."""
        family = CounterMetricFamily("velocity_read_statements", "Statements sent by the read pool.")
        family.add_metric([], self._pool.statements)
        return [family]


class Reading(Collector):
    """How queries are answered: by one statement or by resolvers, and what the caches of both hold."""

    def __init__(self, shared: Open, answers: SqlAnswers, turned_away: Tally[str]) -> None:
        """Read the counters of one execution, its connections and its hub, and of who did not get as far."""
        self._open = shared
        self._hub = shared.hub
        self._execution = shared.execution
        self._turned_away = turned_away
        self._answers = answers

    def collect(self) -> list[Metric]:
        """Return the families."""
        paths = CounterMetricFamily("velocity_queries", "Queries by what answered them.", labels=["path"])
        paths.add_metric(["compiled"], self._execution.compiled)
        paths.add_metric(["resolved"], self._execution.fallbacks.total())
        reasons = CounterMetricFamily("velocity_query_fallbacks", "Why resolvers answered.", labels=["reason"])
        for reason, count in self._execution.fallbacks.items():
            reasons.add_metric([reason], count)
        refusals = CounterMetricFamily("velocity_refusals", "Errors that were answered, by code.", labels=["code"])
        for code in codes():
            count = self._execution.refusals[code] + self._turned_away[code] + self._hub.refusals[code]
            refusals.add_metric([code], count)
        documents = self._execution.documents
        caches = (("documents", documents), ("statements", self._answers))
        hits = CounterMetricFamily("velocity_cache_hits", "What was found in a cache.", labels=["cache"])
        misses = CounterMetricFamily("velocity_cache_misses", "What was made anew.", labels=["cache"])
        evictions = CounterMetricFamily("velocity_cache_evictions", "What had to go.", labels=["cache"])
        size = GaugeMetricFamily("velocity_cache_entries", "What a cache holds.", labels=["cache"])
        for name, cache in caches:
            hits.add_metric([name], cache.hits)
            misses.add_metric([name], cache.misses)
            evictions.add_metric([name], cache.evictions)
            size.add_metric([name], len(cache))
        return [paths, reasons, refusals, hits, misses, evictions, size, *self._following()]

    def _following(self) -> list[Metric]:
        subscriptions = GaugeMetricFamily("velocity_subscriptions", "Subscriptions that are followed now.")
        subscriptions.add_metric([], self._hub.subscriptions)
        groups = GaugeMetricFamily("velocity_subscription_groups", "Different questions that they ask.")
        groups.add_metric([], self._hub.groups)
        evaluations = CounterMetricFamily("velocity_event_statements", "Statements that answered events.")
        evaluations.add_metric([], self._hub.evaluations)
        told = CounterMetricFamily("velocity_event_frames", "Events told to subscribers.")
        told.add_metric([], self._hub.told)
        skipped = CounterMetricFamily(
            "velocity_skipped_events", "Events that gave way to newer ones, for slow clients."
        )
        skipped.add_metric([], self._hub.skipped)
        connections = GaugeMetricFamily("velocity_connections", "Connections that stay open.", labels=["carrier"])
        for carrier in (SOCKET, EVENT_STREAM):
            connections.add_metric([carrier], self._open.connections[carrier])
        closes = CounterMetricFamily("velocity_socket_closes", "Sockets that have ended, by code.", labels=["code"])
        for code in CLOSES:
            closes.add_metric([code], self._open.closes[code])
        return [subscriptions, groups, evaluations, told, skipped, connections, closes]


def codes() -> list[str]:
    """Return every code that an error can have: what clients send adds none."""
    found, waiting = {MISTAKE}, [DomainError]
    while waiting:
        kind = waiting.pop()
        found.add(kind.code)
        waiting += kind.__subclasses__()
    return sorted(found)


class Metrics:
    """The metrics of one process."""

    def __init__(self, pool: ReadPool, working: Working, asked: Asked) -> None:
        """Register everything; counters show from the start, at zero."""
        self.registry: Final = CollectorRegistry()
        self.working: Final = working
        self.registry.register(working)
        self._asked: Final = asked
        self.registry.register(asked)
        self._reading: Reading | None = None
        self.turned_away: Final[Tally[str]] = Tally()
        """How many requests were refused before anybody looked at what they ask, by the error's code."""
        self.registry.register(Statements(pool))
        ProcessCollector(registry=self.registry)
        self.operations: Final = Counter(
            "velocity_operations", "GraphQL requests by outcome.", ["outcome"], registry=self.registry
        )
        for outcome in OUTCOMES:
            self.operations.labels(outcome)
        self.seconds: Final = Histogram(
            "velocity_operation_seconds", "How long GraphQL requests took.", buckets=SECONDS, registry=self.registry
        )
        self.masked: Final = Counter(
            "velocity_masked_errors", "Errors that clients saw only as an id.", registry=self.registry
        )
        self.refused: Final = Counter(
            "velocity_refused_tokens", "Requests whose access token was not good.", registry=self.registry
        )

    def watch(self, shared: Open, answers: SqlAnswers) -> None:
        """Show the counters of what connections share, in place of those of the ones before them."""
        if self._reading is not None:
            self.registry.unregister(self._reading)
        self._reading = Reading(shared, answers, self.turned_away)
        self.registry.register(self._reading)

    async def page(self, _request: Request) -> Response:
        """Answer `/metrics`."""
        await asyncio.gather(self.working.read(), self._asked.read())
        return Response(generate_latest(self.registry), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

"""What `/metrics` tells Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from db.engine import ReadPool

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


class Metrics:
    """The metrics of one process."""

    def __init__(self, pool: ReadPool) -> None:
        """Register everything; counters show from the start, at zero."""
        self.registry: Final = CollectorRegistry()
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

    async def page(self, _request: Request) -> Response:
        """Answer `/metrics`."""
        return Response(generate_latest(self.registry), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

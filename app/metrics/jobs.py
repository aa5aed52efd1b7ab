"""What `/metrics` tells of jobs: what waits in the whole installation and what serves it, and what the worker of this
process does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncEngine

from app.worker.working import LOST, Worker
from db.fleet.state import WorkerState, worker_states
from db.jobs.queue import Waiting, waiting
from domain.errors import DomainError
from domain.fleet import WorkerStatus
from domain.jobs import FINISHED, JobStatus

ENDS: Final = (*sorted(status.name for status in (*FINISHED, JobStatus.QUEUED)), LOST)
READ_SECONDS: Final = 2.0
"""Who asks for metrics gets them without the queues where the database takes longer."""


class Working(Collector):
    """Queues as they were read last, and the worker beside this server."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Read through `engine`."""
        self._engine = engine
        self._queues: Sequence[Waiting] = ()
        self._workers: Sequence[WorkerState] = ()
        self.worker: Worker | None = None

    async def read(self) -> None:
        """Look at the queues, and at what serves them."""
        self._queues, self._workers = (), ()
        with suppress(DomainError, TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                self._queues = await waiting(self._engine)
                self._workers = await worker_states(self._engine)

    def collect(self) -> list[Metric]:
        """Return the families."""
        depth = GaugeMetricFamily("velocity_jobs_queued", "Jobs that wait.", labels=["queue"])
        running = GaugeMetricFamily("velocity_jobs_running", "Jobs that run, on whatever machine.", labels=["queue"])
        oldest = GaugeMetricFamily("velocity_jobs_oldest_seconds", "For how long the oldest waits.", labels=["queue"])
        pace = GaugeMetricFamily("velocity_jobs_finished_per_minute", "Of the last five minutes.", labels=["queue"])
        for queue in self._queues:
            depth.add_metric([queue.name], queue.depth)
            running.add_metric([queue.name], queue.running)
            oldest.add_metric([queue.name], queue.oldest_seconds)
            pace.add_metric([queue.name], queue.finished_per_minute)
        serving = GaugeMetricFamily(
            "velocity_fleet_workers", "What serves work: 1 at the state that it has.", labels=["kind", "name", "state"]
        )
        for each in self._workers:
            for status in WorkerStatus:
                serving.add_metric([each.kind.name, each.name, status.name], each.status is status)
        beside = [] if self.worker is None else self._of_worker(self.worker)
        return [depth, running, oldest, pace, serving, *beside]

    @staticmethod
    def _of_worker(worker: Worker) -> list[Metric]:
        busy = GaugeMetricFamily("velocity_worker_jobs", "Jobs that the worker of this process runs.")
        busy.add_metric([], len(worker.running))
        places = GaugeMetricFamily("velocity_worker_places", "How many it may run.")
        places.add_metric([], 0 if worker.draining else worker.most)
        attempts = CounterMetricFamily(
            "velocity_worker_attempts", "Attempts that it ended, by where they left the job.", labels=["end"]
        )
        for end in ENDS:
            attempts.add_metric([end], worker.ended[end])
        return [busy, places, attempts]

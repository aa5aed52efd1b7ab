"""The rounds: every server answers every question in turn, so that a slow minute of the machine falls on all alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

from bench import load, processors
from bench.documents import Question
from bench.load import Measured
from bench.places import CONNECTIONS
from bench.servers import Server

ALONE: Final = "postgresql"
CROWD: Final = 64
"""How many clients come at once where memory is measured."""

Measure = Callable[[float], Measured]
"""Measures one cell for so many seconds."""

FEW: Final = 10
"""A server that answers fewer a second is loaded longer, or the first and the last request would decide."""
SLOW: Final = 3

Cells = dict[str, dict[str, list[Measured]]]
"""What was measured, by question and server: one entry for each round."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rounds, how long each cell is loaded, and for how long before the first round."""

    rounds: int
    seconds: float
    warm: float


def say(line: str) -> None:
    """Tell how far it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def interleaved(
    servers: Sequence[Server],
    asked: Sequence[Question],
    alone: Mapping[str, Measure],
    postgresql: Path,
    pace: Pace,
) -> Cells:
    """Measure every cell once in each round.

    `alone` measures what PostgreSQL does by itself, by question; `postgresql` is the folder of its cluster.
    """
    measures: dict[tuple[str, str], Measure] = {}
    for question in asked:
        for server in servers:
            measures[question.name, server.kind.name] = _over_http(server, question, postgresql)
        measures[question.name, ALONE] = alone[question.name]
    say(f"Warming {len(measures)} cells.")
    warmed = {cell: measure(pace.warm) for cell, measure in measures.items()}
    cells: Cells = {question.name: {} for question in asked}
    for number in range(1, pace.rounds + 1):
        for (question_name, server_name), measure in measures.items():
            slow = warmed[question_name, server_name].per_second < FEW
            measured = measure(pace.seconds * (SLOW if slow else 1))
            cells[question_name].setdefault(server_name, []).append(measured)
            failed = f", {measured.failed} FAILED" if measured.failed else ""
            say(f"  {number}/{pace.rounds}  {question_name:16} {server_name:12} {measured.per_second:9.1f}/s{failed}")
    return cells


def _over_http(server: Server, question: Question, postgresql: Path) -> Measure:
    target = server.targets[question.name]

    def measure(seconds: float) -> Measured:
        before = processors.used([server.process.pid]), processors.used(processors.working_in(postgresql))
        measured = load.measure(target, connections=CONNECTIONS, seconds=seconds)
        after = processors.used([server.process.pid]), processors.used(processors.working_in(postgresql))
        took = [(then - now) * 1e6 / max(1, measured.requests) for now, then in zip(before, after, strict=True)]
        return replace(measured, server_us=took[0], database_us=took[1])

    return measure


def one_client(server: Server, asked: Sequence[Question], pace: Pace) -> dict[str, Measured]:
    """Return what one client alone waits for each answer: medians over the rounds."""
    found: dict[str, list[Measured]] = {question.name: [] for question in asked}
    for question in asked:
        load.measure(server.targets[question.name], connections=1, seconds=pace.warm)
    for _ in range(pace.rounds):
        for question in asked:
            measured = load.measure(server.targets[question.name], connections=1, seconds=pace.seconds)
            found[question.name].append(measured)
    return {name: middle(measured) for name, measured in found.items()}


def crowded(servers: Sequence[Server], question: Question, seconds: float) -> dict[str, dict[str, float]]:
    """Return the memory of each process before, and its maximum under 64 concurrent clients, in MB."""
    found = {}
    for server in servers:
        before, _ = server.memory()
        server.forget()
        measured = load.measure(server.targets[question.name], connections=CROWD, seconds=seconds)
        _, most = server.memory()
        found[server.kind.name] = {
            "before_mb": round(before, 1), "most_mb": round(most, 1), "per_second": round(measured.per_second, 1),
            "failed": measured.failed,
        }  # fmt: skip
        say(f"  {server.kind.name:12} {before:6.0f} MB before, {most:6.0f} MB at most, {measured.failed} failed")
    return found


def middle(measured: Sequence[Measured]) -> Measured:
    """Return the median of each number, and the sum of what failed."""
    return Measured(
        median(each.per_second for each in measured),
        median(each.p50_ms for each in measured),
        median(each.p95_ms for each in measured),
        median(each.p99_ms for each in measured),
        sum(each.failed for each in measured),
        sum(each.requests for each in measured),
        median(each.server_us for each in measured),
        median(each.database_us for each in measured),
    )

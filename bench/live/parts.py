"""The parts of a run in which something stays open, and what each of them found."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from statistics import median
from typing import Any, Final, TypeVar

import uvloop

from bench.live import dashboards, fan_out, idle, ingest, jobs
from bench.live.place import Lively
from bench.live.servers import Following, followed, velocity, writer
from bench.places import kept
from bench.rounds import Pace, say
from bench.servers import Server, running

T = TypeVar("T")
M = TypeVar("M", dashboards.Waited, ingest.Ingested)

PARTS: Final = ("fan-out", "idle", "packets", "dashboards", "jobs")
LONGER: Final = 4
"""A session sends ten packets a second only, so that waiting is measured for longer than rates are."""


def measure(place: Lively, pace: Pace, parts: Sequence[str]) -> dict[str, Any]:
    """Measure the parts that are wanted."""
    found: dict[str, Any] = {}
    if "fan-out" in parts:
        say("One event stream and a thousand subscribers.")
        found["fan_out"] = _fan_out(place, pace)
    if "idle" in parts:
        say(f"Memory of {idle.IDLE} idle subscribers.")
        found["kb_of_an_idle_subscriber"] = _idle(place)
    if "packets" in parts:
        say("Perception packets.")
        found["packets"] = _packets(place, pace)
    if "dashboards" in parts:
        say("From a packet to its frames.")
        found["dashboards"] = _dashboards(place, pace)
    if "jobs" in parts:
        say("Jobs, beside bare PgQueuer.")
        found["jobs"] = _jobs(place, pace)
    return found


def _fan_out(place: Lively, pace: Pace) -> dict[str, Any]:
    """Measure every server alone with the writer, once in each round."""
    rounds: dict[str, dict[str, list[fan_out.Sent]]] = {}
    with _started_writer(place) as writing:
        for number in range(1, pace.rounds + 1):
            for following in followed(place):
                with _started(following) as server:
                    sent = _run(fan_out.measured(place, server, following, writing, pace.seconds))
                for at_once, each in sent.items():
                    rounds.setdefault(following.kind.name, {}).setdefault(at_once, []).append(each)
                    say(
                        f"  {number}/{pace.rounds}  {following.kind.name:12} {at_once} at once:"
                        f" {each.per_core:9,.0f} frames/s of a core, {each.per_second:9,.0f}/s"
                    )
    return {who: {at_once: _middle(each) for at_once, each in of.items()} for who, of in rounds.items()}


def _idle(place: Lively) -> dict[str, float]:
    found = {}
    with _started_writer(place) as writing:
        for following in followed(place):
            if following.kind.name == "sender":
                continue
            with _started(following) as server:
                each = _run(idle.measured(place, server, following, writing))
            found[following.kind.name] = round(each, 1)
            say(f"  {following.kind.name:12} {each:6.1f} KB each")
    return found


def _packets(place: Lively, pace: Pace) -> dict[str, Any]:
    rounds: dict[str, list[ingest.Ingested]] = {}
    with running([velocity(place)], (), None, kept() / "run") as [server]:
        for number in range(1, pace.rounds + 1):
            for way, each in _run(ingest.measured(place, server, pace.seconds)).items():
                rounds.setdefault(way, []).append(each)
                say(f"  {number}/{pace.rounds}  {way:8} {each.per_second:9,.0f} packets/s")
    return {way: _calmest(each, max(each, key=lambda one: one.per_second)) for way, each in rounds.items()}


def _dashboards(place: Lively, pace: Pace) -> dict[str, Any]:
    rounds = []
    with running([velocity(place)], (), None, kept() / "run") as [server]:
        for number in range(1, pace.rounds + 1):
            each = _run(dashboards.measured(place, server, pace.seconds * LONGER))
            rounds.append(each)
            say(
                f"  {number}/{pace.rounds}  p50 {each.p50_ms:.0f} ms, p95 {each.p95_ms:.0f}, p99 {each.p99_ms:.0f};"
                f" {each.server_ms:.1f} + {each.database_ms:.1f} ms of processor a batch; {each.elsewhere:.1f} cores"
                " worked for others"
            )
    return _calmest(rounds, min(rounds, key=lambda one: one.p99_ms))


def _calmest(rounds: Sequence[M], best: M) -> dict[str, Any]:
    """Return the best round, of which least is the neighbours' of the machine; and the median of each number."""
    return {name: round(each, 1) for name, each in asdict(best).items()} | {"median": _middle(rounds)}


def _jobs(place: Lively, pace: Pace) -> dict[str, Any]:
    rounds: dict[str, list[jobs.Worked]] = {}
    for number in range(1, pace.rounds + 1):
        for who, each in _run(jobs.measured(place, pace.seconds)).items():
            rounds.setdefault(who, []).append(each)
            say(
                f"  {number}/{pace.rounds}  {who:8} {each.enqueued_per_second:8,.0f} enqueued/s,"
                f" {each.finished_per_second:8,.0f} finished/s, begun after {each.claim_p50_ms:.1f} ms (p50),"
                f" {each.claim_p95_ms:.1f} ms (p95)"
            )
    return {who: _middle(each) for who, each in rounds.items()}


def _middle(rounds: Sequence[Any]) -> dict[str, float]:
    """Return the median of each number of the rounds."""
    every = [asdict(each) for each in rounds]
    return {name: round(median(each[name] for each in every), 1) for name in every[0]}


def _run(measuring: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(measuring)


@contextmanager
def _started(following: Following) -> Iterator[Server]:
    with running([following.kind], (), None, kept() / "run") as [server]:
        yield server


@contextmanager
def _started_writer(place: Lively) -> Iterator[Server]:
    with running([writer(place)], (), None, kept() / "run") as [server]:
        yield server

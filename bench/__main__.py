"""`make bench`: one run that makes its database, compares the servers, and writes what it found."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from app import logs
from app.commands.access_token import access_token
from app.demo.team import SAFFRON
from bench import alone, budgets, load, peers, report
from bench.dataset import Ground, ground
from bench.documents import Question, questions
from bench.live.parts import PARTS
from bench.live.parts import measure as live_parts
from bench.live.place import lively
from bench.places import CONNECTIONS, POOL, RESULTS, kept
from bench.rounds import ALONE, CROWD, Cells, Pace, crowded, interleaved, middle, one_client, say
from bench.servers import Server, compare, fixed, kinds, running
from bench.starting import second_start
from bench.statements import Statement, statements
from domain.access import Role

FULL: Final = Pace(rounds=3, seconds=4, warm=1)
QUICK: Final = Pace(rounds=1, seconds=2, warm=1)
SIZES: Final = {True: (1.0, 100_000), False: (10.0, 1_000_000)}
"""The scale of the demo, and the points of the long series: for a quick run, and for a full one."""
TOKEN_LIFE: Final = timedelta(days=1)
BOARD: Final = "LeadBoard, 20"
READS: Final = "reads"
HISTORY: Final = "QdHistory"


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="make bench", description="Compare Velocity with its peers.")
    parser.add_argument("--quick", action="store_true", help="scale 1 and one short round; writes no results")
    parser.add_argument("--scales", default="1", help="where growth is measured besides the run's own scale: 1,50")
    parser.add_argument(
        "--only", default="", help="questions to ask, by the beginning of their names: LeadBoard,Client"
    )
    parser.add_argument("--seconds", type=float, help="how long each cell is loaded")
    parser.add_argument(
        "--parts",
        default=",".join((READS, *PARTS)),
        help=f"what to run of {', '.join((READS, *PARTS))}; all is run else",
    )
    given = parser.parse_args()
    logs.configure("console")
    peers.install()
    pace = QUICK if given.quick else FULL
    if given.seconds is not None:
        pace = Pace(pace.rounds, given.seconds, pace.warm)
    others = [] if given.quick else [float(scale) for scale in given.scales.split(",") if scale]
    parts = tuple(given.parts.split(","))
    if unknown := set(parts) - {READS, *PARTS}:
        parser.error(f"There is no part {', '.join(unknown)}.")
    if READS not in parts:
        asyncio.run(run_live(pace, parts))
        return
    asyncio.run(run(quick=given.quick, pace=pace, others=others, only=tuple(given.only.split(",")), parts=parts))


async def run_live(pace: Pace, parts: Sequence[str]) -> None:
    """Measure some parts in which something stays open, and say what was found; no results are kept."""
    live = await _live(pace, parts)
    report.write({"live": live, "budgets": report.budgets(budgets.live(live))}, kept() / "quick.json")
    say("\n" + "\n".join([*report.live(live), "", *report.judged(report.budgets(budgets.live(live)))]))


async def run(*, quick: bool, pace: Pace, others: Sequence[float], only: tuple[str, ...], parts: Sequence[str]) -> None:
    """Measure everything, and say what was found."""
    scale, points = SIZES[quick]
    started_on = report.machine()
    say(f"The database is in {kept()}. It is made the first time, which takes minutes.")
    async with ground(kept(), scale, points) as at:
        token = await _signed_in(at)
        asked = [question for question in questions(at.dataset) if question.name.startswith(only)]
        found = await statements(at.settings, at.database, token.read_text(), asked)
        measured = await asyncio.to_thread(_measured, at, asked, found, token, pace)
    name = next((question for question in asked if question.name == "PersonName"), asked[0])
    start, idle = await asyncio.to_thread(second_start, at.settings.data_dir, token, name, kept() / "run")
    growth = {f"{scale:g}": measured["one_client_ms"]}
    for other in others:
        growth[f"{other:g}"] = await _grown(other, points, pace)
    live = await _live(pace, parts)
    results = {
        "when": report.now(),
        "machine": started_on,
        "versions": report.versions(),
        "dataset": asdict(at.dataset),
        "pace": asdict(pace),
        "connections": CONNECTIONS,
        "pool": POOL,
        "second_start_s": round(start, 2),
        "idle_mb": round(idle, 1),
        "growth_ms_of_one_client": growth,
        **measured,
        "live": live,
        "budgets": _budgets(measured, start, idle, live),
    }
    say("\n" + report.section(results))
    if quick or only != ("",) or set(PARTS) - set(parts):
        report.write(results, kept() / "quick.json")
        return
    report.write(results, RESULTS / "latest.json")
    report.into_readme(results)


async def _live(pace: Pace, parts: Sequence[str]) -> dict[str, Any]:
    """Measure the parts in which something stays open, in a database of their own."""
    if not set(PARTS) & set(parts):
        return {}
    async with lively(kept()) as place:
        return await asyncio.to_thread(live_parts, place, pace, parts)


def _measured(
    at: Ground, asked: Sequence[Question], found: Mapping[str, Statement], token: Path, pace: Pace
) -> dict[str, Any]:
    """Measure what needs the servers of the run's own scale."""
    folder = kept() / "run"
    with running([fixed()], (), token, folder) as [still]:
        nothing = folder / "nothing.json"
        nothing.write_bytes(b"{}")
        ceiling = load.measure(still.target(nothing), connections=CONNECTIONS, seconds=pace.seconds)
    wanted = kinds(at, token)
    with running(wanted, asked, token, folder) as servers:
        sizes = compare(servers, asked)
        cells = interleaved(servers, asked, alone.measures(at, found, folder), at.server.cluster, pace)
        say("One client alone.")
        waited = one_client(_named(servers, "velocity"), asked, pace)
        say(f"Memory under {CROWD} clients.")
        board = next((question for question in asked if question.name == BOARD), asked[0])
        memory = crowded(servers, board, pace.seconds)
    return {
        "load_generator_per_second": round(ceiling.per_second),
        "settings_of_connections": {kind.name: kind.settings for kind in wanted},
        "bytes_of_answers": sizes,
        "requests_per_second": _medians(cells),
        "processor_us_per_request": _processors(cells),
        "cells": {name: {who: [asdict(each) for each in of] for who, of in row.items()} for name, row in cells.items()},
        "one_client_ms": {name: {"p50": each.p50_ms, "p95": each.p95_ms} for name, each in waited.items()},
        "memory_under_64_clients": memory,
    }


async def _grown(scale: float, points: int, pace: Pace) -> dict[str, Any]:
    """Return what one client waits at another scale, in ms."""
    say(f"At scale {scale:g}.")
    async with ground(kept(), scale, points) as at:
        token = await _signed_in(at)
        asked, wanted = questions(at.dataset), [kind for kind in kinds(at, token) if kind.name == "velocity"]

        def measure() -> dict[str, Any]:
            with running(wanted, asked, token, kept() / "run") as [server]:
                alone = one_client(server, asked, pace)
            return {name: {"p50": each.p50_ms, "p95": each.p95_ms} for name, each in alone.items()}

        return await asyncio.to_thread(measure)


async def _signed_in(at: Ground) -> Path:
    """Sign the broker in, and return the file of the access token."""
    path = at.settings.data_dir / "token"
    path.touch(mode=0o600)
    path.write_text(await access_token(at.settings, SAFFRON.email(Role.SENIOR_BROKER), TOKEN_LIFE))
    return path


def _named(servers: Sequence[Server], name: str) -> Server:
    return next(server for server in servers if server.kind.name == name)


def _medians(cells: Cells) -> dict[str, dict[str, float]]:
    return {name: {who: round(middle(of).per_second, 2) for who, of in row.items()} for name, row in cells.items()}


def _processors(cells: Cells) -> dict[str, dict[str, dict[str, int]]]:
    """Return what a request costs the server and PostgreSQL, in microseconds of a processor."""
    return {
        name: {
            who: {"server": round(middle(of).server_us), "postgresql": round(middle(of).database_us)}
            for who, of in row.items()
            if who != ALONE
        }
        for name, row in cells.items()
    }


def _budgets(
    measured: Mapping[str, Any], start: float, idle: float, live: Mapping[str, Any]
) -> list[dict[str, object]]:
    rates = measured["requests_per_second"]
    found = budgets.ratios(rates) if set(budgets.BOARDS) <= rates.keys() else []
    history = measured["one_client_ms"].get(HISTORY)
    if history is not None:
        found += budgets.waits(history["p95"], start, idle)
    return report.budgets([*found, *budgets.live(live)])


if __name__ == "__main__":
    main()

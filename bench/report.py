"""What a run found: as JSON, and as tables for the README and the terminal."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench import peers
from bench.budgets import HIGH, Budget
from bench.load import generator
from bench.places import RESULTS, ROOT
from db.server import programs

BEGIN: Final = "<!-- written by `make bench`: begin -->"
END: Final = "<!-- written by `make bench`: end -->"
PACKAGES: Final = ("strawberry-graphql", "graphql-core", "asyncpg", "starlette", "uvicorn", "uvloop")
COMPARED: Final = {
    "resolvers": "own resolver path",
    "mercurius": "Mercurius, JIT",
    "postgraphile": "PostGraphile 5",
    "strawberry": "Strawberry, DataLoaders",
    "limit": "the limit",
    "postgresql": "PostgreSQL alone",
}
SHORT: Final = 10
"""From this ratio on, decimals say nothing."""
THOUSANDS: Final = 1_000
FOLLOWED: Final = {
    "velocity": "Velocity",
    "mercurius": "Mercurius",
    "strawberry": "Strawberry",
    "sender": "the limit",
}
VERDICTS: Final = {"goal": "reached", "floor": "above the floor", "missed": "**missed**"}


def machine() -> dict[str, Any]:
    """Return what the run ran on."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "processor": model[1].strip() if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory[1]) / 1e6) if memory else None,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "load_average_at_start": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Return the versions of everything that took part."""
    said = subprocess.run([str(programs() / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return {
        "python": platform.python_version(),
        "postgresql": said.stdout.split()[-1],
        **{name: version(name) for name in PACKAGES},
        **peers.versions(),
        "load": generator(),
    }


def write(found: Mapping[str, Any], path: Path) -> None:
    """Write the results of a run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def into_readme(found: Mapping[str, Any]) -> None:
    """Replace the table between the markers of the README."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise SystemExit(f"README.md lacks the lines {BEGIN} and {END}.")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{section(found)}\n{END}{after}", encoding="utf-8")


def section(found: Mapping[str, Any]) -> str:
    """Write the table of ratios, and what the machine was."""
    ran, rows, scale = found["machine"], found["dataset"]["rows"], found["dataset"]["scale"]
    sizes = f"{rows['leads']:,} leads, {rows['interactions']:,} interactions, {rows['qd_scores']:,} scores"
    told = (
        f"Requests a second of one process, and how many times as many as each of the others answers."
        f" {found['when'][:10]}, {ran['processor']}, {ran['cores']} cores for server, database and load together;"
        f" scale {scale:g} ({sizes});"
        f" {found['connections']} clients, pools of {found['pool']}, medians of {found['pace']['rounds']} rounds."
    )
    lines = [
        told,
        "",
        f"| Document | Velocity | {' | '.join(f'× {label}' for label in COMPARED.values())} |",
        f"|---|---:|{'---:|' * len(COMPARED)}",
    ]
    for question, rates in found["requests_per_second"].items():
        shown = [_ratio(rates["velocity"], rates[name]) for name in COMPARED]
        lines.append(f"| {question} | {rates['velocity']:,.0f}/s | {' | '.join(shown)} |")
    lines += ["", *_processors(found["processor_us_per_request"])]
    lines += ["", *live(found.get("live", {}))]
    lines += ["", *judged(found["budgets"])]
    lines += [
        "",
        f"The load generator alone: {found['load_generator_per_second']:,.0f}/s. Everything that was measured is in",
    ]
    lines += [f"[latest.json]({(RESULTS / 'latest.json').relative_to(ROOT)})."]
    return "\n".join(lines)


def _processors(found: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    """Write what a request costs in processor time, which says more than rates where the machine is shared."""
    shown = {"velocity": "Velocity", **{name: label for name, label in COMPARED.items() if name != "postgresql"}}
    lines = ["| ms of a processor: server + PostgreSQL | " + " | ".join(shown.values()) + " |"]
    lines += [f"|---|{'---:|' * len(shown)}"]
    for question, row in found.items():
        cells = [f"{row[name]['server'] / 1000:.2f} + {row[name]['postgresql'] / 1000:.2f}" for name in shown]
        lines.append(f"| {question} | {' | '.join(cells)} |")
    return lines


def live(found: Mapping[str, Any]) -> list[str]:
    """Write what was found where something stays open."""
    lines = []
    if "fan_out" in found:
        lines += [f"| 1,000 subscribers of one event stream | {' | '.join(FOLLOWED.values())} |"]
        lines += [f"|---|{'---:|' * len(FOLLOWED)}"]
        for at_once in ("one", "ten"):
            cells = [f"{found['fan_out'][name][at_once]['per_core']:,.0f}" for name in FOLLOWED]
            lines += [
                f"| frames/s of a core, {at_once} event{'s' * (at_once == 'ten')} at a time | {' | '.join(cells)} |"
            ]
        cells = [f"{found['fan_out'][name]['one']['per_second']:,.0f}" for name in FOLLOWED]
        lines += [f"| frames/s by the clock, one event at a time | {' | '.join(cells)} |"]
        cells = [f"{found['fan_out'][name]['one']['bytes_each']:,.0f}" for name in FOLLOWED]
        lines += [f"| bytes of a message | {' | '.join(cells)} |"]
        if "kb_of_an_idle_subscriber" in found:
            held = found["kb_of_an_idle_subscriber"]
            cells = [f"{held[name]:.0f} KB" if name in held else "" for name in FOLLOWED]
            lines += [f"| memory of an idle subscriber, of 5,000 | {' | '.join(cells)} |"]
        reader = found["fan_out"]["sender"]["one"]["reader_per_core"]
        lines += ["", f"Who reads them could read {reader:,.0f} frames/s of a core.", ""]
    if "dashboards" in found:
        waited = found["dashboards"]
        told = (
            f"From a packet to its frames, in the best round: p50 {waited['p50_ms']:.0f} ms, p95"
            f" {waited['p95_ms']:.0f} ms, p99 {waited['p99_ms']:.0f} ms (the median of all rounds is"
            f" {waited['median']['p99_ms']:.0f} ms); {waited['packets'] / waited['batches']:.1f} packets to a batch,"
            f" {waited['missing']:.0f} packets not told; {waited['server_ms']:.1f} ms of the server's processor and"
            f" {waited['database_ms']:.1f} of PostgreSQL's a batch, while {waited['elsewhere']:.1f} cores worked for"
            " others."
        )
        lines.append(told)
    if "jobs" in found:
        lines += ["", "| Jobs | enqueued/s | finished/s | begun after, p50 | p95 |", "|---|---:|---:|---:|---:|"]
        for who, name in (("velocity", "Velocity"), ("pgqueuer", "bare PgQueuer")):
            each = found["jobs"][who]
            lines.append(
                f"| {name} | {each['enqueued_per_second']:,.0f} | {each['finished_per_second']:,.0f}"
                f" | {each['claim_p50_ms']:.1f} ms | {each['claim_p95_ms']:.1f} ms |"
            )
    return lines


def judged(budgets: list[dict[str, Any]]) -> list[str]:
    """Write budgets as a table."""
    lines = ["| Budget | Measured | Floor | Goal | |", "|---|---:|---:|---:|---|"]
    for each in budgets:
        unit = each["unit"] if each["unit"] in HIGH else f" {each['unit']}"
        numbers = " | ".join(f"{_number(each[name])}{unit}" for name in ("measured", "floor", "goal"))
        lines.append(f"| {each['what']} | {numbers} | {VERDICTS[each['verdict']]} |")
    return lines


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= THOUSANDS else f"{value:g}"


def _ratio(ours: float, theirs: float) -> str:
    if not theirs:
        return "no answer in time"
    return f"{ours / theirs:.2f}" if ours < SHORT * theirs else f"{ours / theirs:.0f}"


def budgets(found: list[Budget]) -> list[dict[str, object]]:
    """Return budgets as the results hold them."""
    return [each.shown() for each in found]


def now() -> str:
    """Return the time of the run."""
    return datetime.now(UTC).isoformat(timespec="seconds")

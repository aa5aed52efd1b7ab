"""The floors and goals that the design sets, and whether a run kept them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Final

Rates = Mapping[str, Mapping[str, float]]
"""Requests a second, by question and server."""

PEERS: Final = ("mercurius", "postgraphile")
RATIOS: Final = {
    # What LeadBoard at 20 and at 100 is compared with: its floor and its goal.
    "the faster of Mercurius with JIT and PostGraphile 5": ((1.6, 2.5), (2.5, 4.0)),
    "plain Strawberry with DataLoaders": ((15.0, 25.0), (30.0, 45.0)),
    "the limit: bare asyncpg and ASGI, the identical statement": ((0.85, 0.95), (0.85, 0.95)),
}
HIGH: Final = frozenset({"×", "/s"})
BOARDS: Final = ("LeadBoard, 20", "LeadBoard, 100")


@dataclass(frozen=True, slots=True)
class Budget:
    """One line: what was measured, in `unit`, and what it should be. Ratios and rates should be high, all else low."""

    what: str
    measured: float
    floor: float
    goal: float
    unit: str

    @property
    def verdict(self) -> str:
        """Say whether it was kept: `goal`, `floor` or `missed`."""
        return "goal" if self._reaches(self.goal) else "floor" if self._reaches(self.floor) else "missed"

    def _reaches(self, bound: float) -> bool:
        return self.measured >= bound if self.unit in HIGH else self.measured <= bound

    def shown(self) -> dict[str, object]:
        """Return it for the results."""
        return {**asdict(self), "verdict": self.verdict}


def ratios(rates: Rates) -> list[Budget]:
    """Compare the boards with the peers and the limit."""
    found = []
    for what, bounds in RATIOS.items():
        for board, (floor, goal) in zip(BOARDS, bounds, strict=True):
            of = rates[board]
            other = {
                "the f": max(of[name] for name in PEERS),
                "plain": of["strawberry"],
                "the l": of["limit"],
            }[what[:5]]
            ratio = round(of["velocity"] / other, 2) if other else inf
            found.append(Budget(f"{board}, against {what}", ratio, floor, goal, "×"))
    return found


def waits(history_p95_ms: float, start_seconds: float, idle_mb: float) -> list[Budget]:
    """Judge what is not a ratio."""
    return [
        Budget("QdHistory, p95 of one client", round(history_p95_ms, 1), 60, 30, "ms"),
        Budget("second start to first answer", round(start_seconds, 2), 3, 2, "s"),
        Budget("resident memory, idle", round(idle_mb, 1), 200, 150, "MB"),
    ]


def live(found: Mapping[str, Any]) -> list[Budget]:
    """Judge those parts of a run in which something stays open that were run."""
    budgets = []
    if "fan_out" in found:
        sent = found["fan_out"]["velocity"]["one"]["per_core"]
        budgets.append(Budget("one event to 1,000 subscribers, frames of a core", round(sent), 60_000, 100_000, "/s"))
    if "dashboards" in found:
        waited = found["dashboards"]["p99_ms"]
        what = "packet in to score frame out, 50 sessions at 10 Hz, 200 dashboards, p99, best round"
        budgets.append(Budget(what, waited, 100, 50, "ms"))
    if "packets" in found:
        packets = {way: round(each["per_second"]) for way, each in found["packets"].items()}
        budgets.append(Budget("perception packets into the store, best round", packets["store"], 20_000, 50_000, "/s"))
        budgets.append(Budget("perception packets over HTTP, best round", packets["http"], 5_000, 10_000, "/s"))
        budgets.append(Budget("perception packets over the socket, best round", packets["socket"], 5_000, 10_000, "/s"))
    if "jobs" in found:
        ours, bare = (found["jobs"][who]["finished_per_second"] for who in ("velocity", "pgqueuer"))
        budgets.append(Budget("jobs finished, beside bare PgQueuer", round(ours / bare, 2), 0.3, 0.5, "×"))
    return budgets

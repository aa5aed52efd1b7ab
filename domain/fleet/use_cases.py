"""Setting the mode: decided and recorded in a unit; it comes about by `settling`, which may take as long as a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from domain.access import Actor
from domain.audit import AuditAction, Change
from domain.fleet.modes import FleetMode
from domain.fleet.settling import ModeSet
from domain.fleet.telemetry import HostStatus
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class WorkerStatus(Enum):
    """How a worker is."""

    IDLE = "IDLE"
    BUSY = "BUSY"
    DRAINING = "DRAINING"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class QueueState:
    """Work of one kind in the whole installation. `waits_for` says why none of it can begin, where that is so."""

    name: str
    depth: int
    running: int
    oldest_seconds: float | None
    finished_per_minute: float
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class HostSeen:
    """When a machine was last sampled, and whether it counts as there."""

    sampled_at: datetime | None
    status: HostStatus


@dataclass(frozen=True, slots=True)
class FleetView:
    """The fleet at a moment: hosts and workers by their ids, in the order in which they are shown."""

    mode: ModeSet
    set_by: Actor | None
    hosts: Mapping[UUID, HostSeen]
    workers: Sequence[UUID]
    queues: Sequence[QueueState]


class Fleet(Protocol):
    """The installation's machines, for whoever looks at them."""

    async def view(self) -> FleetView:
        """Return the fleet as it is; raises Unavailable."""

    async def settle(self) -> Sequence[str]:
        """Bring the mode about as far as a few seconds go; return what has not come about, or cannot be confirmed."""


@dataclass(frozen=True, slots=True)
class FleetModeSet:
    """What the machines are to work on from now on."""

    mode: FleetMode


class FleetStore(Protocol):
    """The installation's mode, within a unit of whatever tenant."""

    async def mode_for_update(self) -> ModeSet:
        """Return the mode that counts; nobody else sets one until the unit ends."""

    async def set_mode(self, set_: ModeSet) -> None:
        """Store a mode, set by the unit's caller."""


async def set_mode(unit: Unit, command: FleetModeSet) -> UUID:
    """Set the mode; return the id of the one that counts. Set again as it is, it stays since when it was."""
    current = await unit.fleet.mode_for_update()
    if current.mode is command.mode:
        return current.id
    made = ModeSet(new_id(), command.mode, unit.now)
    await unit.fleet.set_mode(made)
    unit.record(Change(AuditAction.UPDATE, "FleetModeSet", "fleet_modes", made.id, ("mode",)))
    return made.id

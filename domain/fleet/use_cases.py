"""Setting the mode: decided and recorded in a unit; it comes about by `settling`, which may take as long as a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.fleet.modes import FleetMode
from domain.fleet.settling import ModeSet
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


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

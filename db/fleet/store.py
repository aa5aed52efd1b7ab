"""The installation's mode, within a unit of whatever tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, text

from db.fleet.tables import fleet_modes
from domain.fleet import FleetMode, ModeSet

if TYPE_CHECKING:
    from db.unit import SqlUnit

CURRENT: Final = "select id, mode, since, set_by_noun, set_by_id from fleet_modes order by since desc, id desc limit 1"
# The newest row is locked and not the table, which would wait for a dump: who comes second finds another newest one.
_LOCKED: Final = text(f"{CURRENT} for update")


class SqlFleet:
    """The port `FleetStore`."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def mode_for_update(self) -> ModeSet:
        """Return the mode that counts; nobody else sets one until the unit ends."""
        while True:
            locked = (await self._unit.connection.execute(_LOCKED)).one()
            newest = (await self._unit.connection.execute(text(CURRENT))).one()
            if locked.id == newest.id:
                return ModeSet(newest.id, FleetMode[newest.mode], newest.since)

    async def set_mode(self, set_: ModeSet) -> None:
        """Store a mode, set by the unit's caller."""
        actor = self._unit.caller.actor
        await self._unit.connection.execute(
            insert(fleet_modes).values(
                id=set_.id, mode=set_.mode.name, since=set_.since, set_by_noun=actor.noun, set_by_id=actor.id
            )
        )

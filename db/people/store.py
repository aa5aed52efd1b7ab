"""How people are written."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from db.people import next_best_action

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlPeople:
    """The person store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def touch(self, person_id: UUID) -> None:
        """Compute again when somebody was last contacted and what to do next for them."""
        unit = self._unit
        await next_best_action.refresh(unit.connection, unit.caller.tenant_id, person_id, unit.now)

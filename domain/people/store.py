"""The port that keeps people."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class PersonStore(Protocol):
    """People of the unit's tenant."""

    async def touch(self, person_id: UUID) -> None:
        """Compute again when somebody was last contacted and what to do next for them, from what the unit has written.

        Call it last in a use case that changed a person's leads, interactions, tasks, threads or scores. It asks for
        no visibility: it follows a change that was allowed. A person who was absorbed or does not exist is left alone.
        """

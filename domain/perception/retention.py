"""What is done without anybody asking: what is kept too long is erased, erasures and left sessions are finished."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from domain.perception.consents import LONGEST_TERM, order, stop
from domain.perception.erasures import AT_ONCE, run
from domain.perception.kinds import ErasureScope, SessionStatus
from domain.perception.sessions import SessionComplete, Then, complete

if TYPE_CHECKING:
    from domain.access import Caller
    from domain.unit import Unit, Units


class Overdue(Protocol):
    """Finds, in all tenants, what has to be done; a hundred of each at a time."""

    def erasures(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield erasures that were ordered and are not finished, each with who acts."""

    def consents(self, moment: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield consents that have ended, or are too old, and let something be measured that is still kept."""

    def sessions(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield running sessions of which nothing has come since a moment."""

    def proposals(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield proposals that wait since before a moment."""

    def tasks(self, moment: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield tasks that came due and of which nobody was told."""


async def end(unit: Unit, consent_id: UUID) -> UUID | None:
    """Order the erasure of what one consent let be measured, if it is kept too long, and stop its sessions.

    It is looked at again, now that it is locked: None where it stands after all.
    """
    consent = await unit.consents.get_for_update(consent_id)
    if consent.stands(unit.now) and not await unit.perception.began_before(consent_id, unit.now - LONGEST_TERM):
        return None
    await stop(unit, [consent])
    scope = ErasureScope.CONSENT if consent.withdrawn_at is None else ErasureScope.SUBJECT
    return await order(unit, consent, scope)


async def sweep(units: Units, overdue: Overdue, now: datetime, most: int = AT_ONCE) -> int:
    """Order what is overdue and finish what was ordered; return how many erasures were finished."""
    async for caller, consent_id in overdue.consents(now):
        async with units.write(caller) as unit:
            await end(unit, consent_id)
    finished = 0
    async for caller, erasure_id in overdue.erasures():
        left = True
        while left:
            async with units.write(caller) as unit:
                left = await run(unit, erasure_id, most)
        finished += 1
    return finished


async def complete_if_left(unit: Unit, session_id: UUID, before: datetime, then: Then | None = None) -> bool:
    """Complete a session of which nothing has come since a moment, as whoever began it would; return whether it was so.

    It is looked at again, now that it is locked: somebody may have sent or ended something meanwhile.
    """
    session = await unit.perception.session_for_update(session_id)
    if session.status is not SessionStatus.RUNNING or await unit.perception.heard_since(session, before):
        return False
    await complete(unit, SessionComplete(session_id), then)
    return True


async def complete_left(units: Units, overdue: Overdue, before: datetime, then: Then | None = None) -> int:
    """Complete the sessions of which nothing has come since a moment, and do what follows; return how many."""
    completed = 0
    async for caller, session_id in overdue.sessions(before):
        async with units.write(caller) as unit:
            completed += await complete_if_left(unit, session_id, before, then)
    return completed

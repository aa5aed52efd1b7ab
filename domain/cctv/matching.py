"""Auto mode: who a visitor without a name may be, because their vehicle was seen at an earlier visit.

That a vehicle is known proves nothing about who came in it, and a match is for good: the session's scores and its
consent become the person's. So it is proposed, and a person decides. Of a vehicle that nobody knows, nothing is:
a lead needs a name, which `perceptionSessionMatch` is told by somebody who asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain import proposals
from domain.access import Actor
from domain.proposals import Evidence, FieldChange, Origin, Proposal, ProposalKind, ProposalSourceKind
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

RULE: Final = "The visitor came in a vehicle that was seen at an earlier session of this person alone."


async def finalise(unit: Unit, session_id: UUID) -> None:
    """Propose who the visitor of a completed session may be, if exactly one person is known by their vehicle."""
    found = await unit.cctv.recognised(session_id, unit.now)
    if len(found) != 1:
        return
    [known] = found
    await proposals.propose(
        unit,
        Proposal(
            new_id(),
            ProposalKind.MATCH,
            Actor("people", known.person_id),
            (FieldChange("session", None, {"id": f"session_{session_id}"}),),
            Origin(ProposalSourceKind.RULES),
            unit.now,
            reason=RULE,
            evidence=(Evidence(f"The same vehicle was seen at a session on {known.seen_at:%Y-%m-%d}."),),
        ),
    )

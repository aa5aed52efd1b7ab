"""What leads allow: moves along the pipeline, who works for whom, and how tags are written."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.access import Caller, Role
from domain.errors import Conflict, Invalid, Issue, NotAllowed
from domain.leads.kinds import LeadStage
from domain.leads.store import Lead, LeadMove

if TYPE_CHECKING:
    from domain.unit import Unit

OPEN_STAGES: Final = (
    LeadStage.NEW,
    LeadStage.CONTACTED,
    LeadStage.QUALIFIED,
    LeadStage.VISIT,
    LeadStage.NEGOTIATION,
)
"""The stages of a lead that is still alive, in order."""

REOPENED_STAGES: Final = (LeadStage.NEW, LeadStage.CONTACTED, LeadStage.QUALIFIED)
"""Where a closed lead begins again."""

MOST_TAGS: Final = 50
LONGEST_TAG: Final = 50
"""Characters, as in the tenant's catalogue of tags."""

ASSIGN_ANYWHERE: Final = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})
"""The roles that assign any lead to any active user, or to nobody."""


class StageNotAllowed(Conflict):
    """A lead does not move there from its stage."""


class StageMoved(Conflict):
    """Somebody moved this lead first."""


class AssigneeNotActive(Conflict):
    """Nobody works under this account: it was invited and not used yet, or is suspended."""


class OutsideTeam(NotAllowed):
    """You assign within your team only."""


class PersonFollowed(NotAllowed):
    """Somebody else follows this person."""


class PersonNotFollowed(NotAllowed):
    """You follow no lead of this person."""


def check_move(lead: Lead, command: LeadMove) -> None:
    """Decide a move. Open leads go to any other open stage, forward or back, and to LOST with a reason; only a
    negotiation is WON; a closed lead is reopened at QUALIFIED or before, and otherwise stays closed.

    Raises StageMoved, StageNotAllowed or Invalid.
    """
    if command.expected_stage is not None and command.expected_stage is not lead.stage:
        raise StageMoved(f"Somebody moved this lead to {lead.stage.name} first.", field="expectedStage")
    if command.to_stage is lead.stage:
        raise StageNotAllowed(f"This lead is already in {lead.stage.name}.", field="toStage")
    if (command.to_stage is LeadStage.LOST) is (command.lost_reason is None):
        raise Invalid("A lead is lost for a reason, and only a lost lead has one.", field="lostReason")
    if lead.stage not in OPEN_STAGES and command.to_stage not in REOPENED_STAGES:
        raise StageNotAllowed(f"A {lead.stage.name} lead is reopened at QUALIFIED or before.", field="toStage")
    if command.to_stage is LeadStage.WON and lead.stage is not LeadStage.NEGOTIATION:
        raise StageNotAllowed("A lead is won from NEGOTIATION.", field="toStage")


def check_assignee(caller: Caller, assignee_id: UUID | None) -> None:
    """Decide who may work on a lead: anybody or nobody for a director, the caller's own team for everybody else.

    A lead without an assignee is seen by directors only, so nobody else leaves one behind. Raises OutsideTeam.
    """
    if caller.role in ASSIGN_ANYWHERE:
        return
    if assignee_id is None:
        raise OutsideTeam("Only a sales director or an admin leaves a lead without an assignee.", field="assigneeId")
    if assignee_id not in caller.members:
        raise OutsideTeam(field="assigneeId")


async def check_active(unit: Unit, user_id: UUID | None) -> None:
    """Make sure that who is given work comes to do it; raises NotFound or AssigneeNotActive."""
    if user_id not in {None, unit.caller.user_id} and not await unit.leads.is_active(user_id, "assigneeId"):
        raise AssigneeNotActive(field="assigneeId")


def check_taking(caller: Caller, lead: Lead) -> None:
    """Decide from whom a lead may be taken: seeing a lead that was shared is not owning it. Raises OutsideTeam."""
    if caller.role in ASSIGN_ANYWHERE or lead.assignee_id is None or lead.assignee_id in caller.members:
        return
    raise OutsideTeam("This lead is shared with you, but another team works on it.", field="leadId")


def has_new_tag(lead: Lead, tags: list[str]) -> bool:
    """Whether one of these is none of the lead's, whatever its case."""
    return not {tag.casefold() for tag in tags} <= {tag.casefold() for tag in lead.tags}


def normalised_tags(tags: list[str]) -> list[str]:
    """Return tags in their order with single spaces, each once whatever its case; raises Invalid with every issue."""
    issues: list[Issue] = []
    kept: dict[str, str] = {}
    for number, tag in enumerate(tags):
        text = " ".join(unicodedata.normalize("NFC", tag).split())
        if not text:
            issues.append(Issue(f"tags.{number}", "A tag is not empty."))
        elif len(text) > LONGEST_TAG:
            issues.append(Issue(f"tags.{number}", f"A tag has at most {LONGEST_TAG} characters."))
        else:
            kept.setdefault(text.casefold(), text)
    if len(kept) > MOST_TAGS:
        issues.append(Issue("tags", f"A lead has at most {MOST_TAGS} tags; {len(kept)} were sent."))
    if issues:
        raise Invalid(issues=tuple(issues))
    return list(kept.values())

"""Interactions: messages, calls, e-mails, visits and notes, and how somebody logs one by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Invalid, Issue
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class InteractionKind(Enum):
    """How the business and a person met."""

    MESSAGE = "MESSAGE"
    CALL = "CALL"
    EMAIL = "EMAIL"
    VISIT = "VISIT"
    NOTE = "NOTE"


class Direction(Enum):
    """Who spoke: INBOUND came from the person."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


class ObjectionKind(Enum):
    """What holds a buyer back."""

    PRICE = "PRICE"
    LOCATION = "LOCATION"
    TIMING = "TIMING"
    TRUST = "TRUST"
    LAYOUT = "LAYOUT"
    FINANCE = "FINANCE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class CallDetail:
    """What is known of a call beside its summary."""

    duration_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class EmailDetail:
    """What was written."""

    subject: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class VisitDetail:
    """What was seen."""

    property_id: UUID


@dataclass(frozen=True, slots=True)
class NoteDetail:
    """What is to be remembered."""

    text: str


Detail = CallDetail | EmailDetail | VisitDetail | NoteDetail

KINDS: Final[dict[type[Detail], InteractionKind]] = {
    CallDetail: InteractionKind.CALL,
    EmailDetail: InteractionKind.EMAIL,
    VisitDetail: InteractionKind.VISIT,
    NoteDetail: InteractionKind.NOTE,
}
"""The kind that each detail stands for. Messages come with their thread and are never logged by hand."""


@dataclass(frozen=True, slots=True)
class InteractionLog:
    """A call, an e-mail, a visit or a note that somebody enters by hand."""

    person_id: UUID
    occurred_at: datetime
    detail: Detail
    direction: Direction | None = None
    summary: str | None = None

    @property
    def kind(self) -> InteractionKind:
        """What is being logged."""
        return KINDS[type(self.detail)]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said or written in an interaction: its words, or its summary where nobody kept them."""

    id: UUID
    kind: InteractionKind
    direction: Direction | None
    occurred_at: datetime
    text: str


class InteractionStore(Protocol):
    """Interactions of the unit's tenant."""

    async def add(self, interaction_id: UUID, person_id: UUID, command: InteractionLog, now: datetime) -> None:
        """Store an interaction of a person; raises NotFound for a property that does not exist."""

    async def heard(self, person_id: UUID, most: int) -> list[Heard]:
        """Return the newest interactions with a person in which something was said, each cut to LONGEST_HEARD."""


CLOCKS_APART: Final = timedelta(minutes=5)
"""How far a client's clock may run ahead of ours."""

LONGEST_HEARD: Final = 4_000
"""How many characters of an interaction are shown to a model."""

LONGEST_CALL: Final = 24 * 60 * 60
"""In seconds."""


def check(command: InteractionLog, now: datetime) -> None:
    """Refuse what cannot have happened; raises Invalid with every issue.

    An interaction lies in the past, a call lasts at most a day, and a note says something.
    """
    issues: list[Issue] = []
    if command.occurred_at > now + CLOCKS_APART:
        issues.append(Issue("occurredAt", "An interaction that is logged has happened already."))
    match command.detail:
        case CallDetail(duration_seconds=int(seconds)) if not 0 <= seconds <= LONGEST_CALL:
            issues.append(Issue("detail.call.durationSeconds", f"A call lasts 0 to {LONGEST_CALL} seconds."))
        case NoteDetail(text=text) if not text.strip():
            issues.append(Issue("detail.note.text", "A note says something."))
        case _:
            pass
    if issues:
        raise Invalid(issues=tuple(issues))


async def log(unit: Unit, command: InteractionLog) -> UUID:
    """Log an interaction with a person whose lead is the caller's own; it belongs to whoever absorbed the person."""
    check(command, unit.now)
    person_id = await unit.people.owned(command.person_id)
    interaction_id = new_id()
    await unit.interactions.add(interaction_id, person_id, command, unit.now)
    await unit.people.touch(person_id)
    kind = command.kind.name
    unit.record(
        Change(
            action=AuditAction.CREATE,
            event="InteractionLogged",
            noun="interactions",
            id=interaction_id,
            fields=("kind", "occurredAt", "detail"),
            person_id=person_id,
            payload=(("kind", kind),),
            activity=CrmActivityKind.INTERACTION_LOGGED,
            summary=f"{kind.capitalize()} logged",
        )
    )
    return interaction_id

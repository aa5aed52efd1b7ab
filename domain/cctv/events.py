"""Camera events: what a bridge saw, kept once, and tied to the visit that it is evidence of.

An event is tied to a session in two ways. A vehicle is recognised by its plate: it is tied already to this session, or
to an earlier one of the same person, who agreed to that by a consent to SHOWROOM_ENGAGEMENT by CCTV. Or it arrived: it
is the only vehicle of the half hour before the only session that began then. Where two would fit, neither is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.cctv.detections import Detection
from domain.cctv.plates import PlateKey
from domain.errors import Invalid
from domain.values import new_id

if TYPE_CHECKING:
    from domain.access import Actor
    from domain.cctv.profiles import Judged, Profile, Witnessed
    from domain.cctv.risk import Risk
    from domain.unit import Unit

LONGEST_CAMERA: Final = 100
AHEAD: Final = timedelta(minutes=5)
"""How far the clock of a camera may be ahead of ours."""
LATE: Final = timedelta(days=7)
"""How long a bridge may keep what it saw before it sends it."""
ARRIVAL: Final = timedelta(minutes=30)
"""How long before a session its visitor may have arrived."""
LONGEST_VISIT: Final = timedelta(hours=12)
"""A session that began longer ago is not the one that a vehicle belongs to."""


class CctvEventKind(Enum):
    """Where an event comes from, which decides what it can be evidence of."""

    ARRIVAL = "ARRIVAL"
    """From a camera where visitors arrive: time alone may tell whose vehicle it is."""
    SIGHTING = "SIGHTING"
    """From any other camera: a plate alone may."""
    DETECTIONS = "DETECTIONS"
    """A batch of detections: it belongs to no session."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a bridge saw, as it is kept: `plates` are tokens of the plate as hex, the one that is stored first."""

    camera: str
    at: datetime
    kind: CctvEventKind
    plates: tuple[str, ...] = ()
    detections: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True)
class Cameras:
    """What an installation knows of its cameras: the key to plates, and where visitors arrive.

    Where no camera is named, visitors may arrive at each of them.
    """

    plates: PlateKey
    arrivals: frozenset[str] = frozenset()

    def kind(self, camera: str) -> CctvEventKind:
        """Return what the events of a camera can be evidence of."""
        return CctvEventKind.ARRIVAL if not self.arrivals or camera in self.arrivals else CctvEventKind.SIGHTING


@dataclass(frozen=True, slots=True)
class CctvEvent:
    """An event as its rules see it."""

    id: UUID
    seen: Seen
    session_id: UUID | None
    sent_by: Actor


@dataclass(frozen=True, slots=True)
class Visit:
    """A session that an event may belong to: its vehicle is known there, or the session began soon after."""

    session_id: UUID
    recognised: bool
    began_after: bool


@dataclass(frozen=True, slots=True)
class Recognised:
    """Somebody at whose session the same vehicle was seen, and when that was last."""

    person_id: UUID
    seen_at: datetime


class CctvStore(Protocol):
    """Camera events of the unit's tenant."""

    async def add(self, event: CctvEvent) -> None:
        """Store an event."""

    async def visits(self, seen: Seen, now: datetime) -> list[Visit]:
        """Return the sessions that an event may belong to and whose consents allow it."""

    async def gather(self, session_id: UUID, now: datetime) -> list[UUID]:
        """Tie to a session what arrived before it, if that is one vehicle and no other session may claim it.

        Returns the events that are tied now.
        """

    async def untie(self, session_id: UUID, now: datetime) -> list[UUID]:
        """Untie the events of a session whose person did not agree to it, and forget the plate; return which."""

    async def recognised(self, session_id: UUID, now: datetime) -> list[Recognised]:
        """Return the people at whose sessions the vehicle of a nameless visitor was seen, and who agreed to it."""

    async def witnessed(self, event_id: UUID) -> Witnessed | None:
        """Return what a model may know of an event; None where it is no longer kept."""

    async def save_profile(self, event_id: UUID, profile: Profile, by: Judged) -> bool:
        """Store what a model made of an arrival; return whether the event is still kept."""

    async def save_risk(self, event_id: UUID, risk: Risk, by: Judged) -> bool:
        """Store how much a batch deserves a look; return whether the event is still kept."""

    async def forget(self, before: datetime, now: datetime, most: int) -> int:
        """Remove at most so many events from before a moment, and untie those to which nobody agrees any more.

        Returns how many events were removed or untied.
        """


def check_moment(at: datetime, now: datetime, field: str = "at") -> None:
    """Refuse an event of the future, or one that is too old to tell anything; raises Invalid."""
    if at > now + AHEAD:
        raise Invalid("This lies in the future: look at the camera's clock.", field=field)
    if at < now - LATE:
        raise Invalid(f"This is more than {LATE.days} days ago.", field=field)


def check_camera(camera: str) -> str:
    """Return a camera's name without spaces around it; raises Invalid."""
    name = " ".join(camera.split())
    if not (1 <= len(name) <= LONGEST_CAMERA and name.isprintable()):
        raise Invalid(f"A camera's name has 1 to {LONGEST_CAMERA} characters.", field="camera")
    return name


def chosen(visits: Sequence[Visit]) -> UUID | None:
    """Return the one session in which a vehicle is recognised; None where that is none, or more than one."""
    known = [visit.session_id for visit in visits if visit.recognised]
    return known[0] if len(known) == 1 else None


async def keep(unit: Unit, seen: Seen) -> UUID:
    """Store an event and tie it to the session that it is evidence of, if that is certain."""
    check_moment(seen.at, unit.now)
    visits = [] if seen.kind is CctvEventKind.DETECTIONS else await unit.cctv.visits(seen, unit.now)
    event = CctvEvent(new_id(), seen, chosen(visits), unit.caller.actor)
    await unit.cctv.add(event)
    fields = ("camera", "at", "detections", *(["plate"] if seen.plates else []))
    unit.record(Change(AuditAction.CREATE, "CctvEventAdded", "cctv_events", event.id, fields))
    began = [visit.session_id for visit in visits if visit.began_after]
    if event.session_id is None and seen.kind is CctvEventKind.ARRIVAL and len(began) == 1:
        await gather(unit, began[0])
    return event.id


async def gather(unit: Unit, session_id: UUID) -> None:
    """Tie to a session what arrived before it, where that is certain."""
    for event_id in await unit.cctv.gather(session_id, unit.now):
        unit.record(Change(AuditAction.UPDATE, "CctvEventTied", "cctv_events", event_id, ("session",)))


async def settle(unit: Unit, session_id: UUID) -> None:
    """Untie what is evidence of a session whose visitor has a name now and did not agree to it."""
    for event_id in await unit.cctv.untie(session_id, unit.now):
        unit.record(Change(AuditAction.UPDATE, "CctvEventUntied", "cctv_events", event_id, ("session", "plate")))

"""Batches of packets: checked, scored, and accepted once. Each is one unit and one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain import notifications, qd
from domain.access import Actor
from domain.audit import AuditAction
from domain.errors import Conflict, Invalid
from domain.notifications import News, NotificationKind
from domain.perception import pace, spikes
from domain.perception.consents import ConsentEnded
from domain.perception.kinds import SessionStatus
from domain.perception.sessions import Session, SessionEnded, audience, changed, remembered, scene_at
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_BATCHES: Final = 2**31 - 1


class BatchTooLate(Conflict):
    """A batch that was numbered later has been accepted; scoring does not go back."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face as it was sent: one of two forms, each any JSON."""

    blend_shapes: object = None
    landmarks: object = None


@dataclass(frozen=True, slots=True)
class SentPacket:
    """A packet as it was sent."""

    at: datetime
    face: Face | None = None
    video_ms: int | None = None

    def raw(self) -> qd.RawPacket:
        """Return it as scoring reads it."""
        face = self.face or Face()
        return qd.RawPacket(self.at, self.video_ms, face.blend_shapes, face.landmarks)


@dataclass(frozen=True, slots=True)
class PerceptionIngest:
    """A batch of packets; batches of a session are numbered from 1."""

    session_id: UUID
    sequence: int
    packets: Sequence[SentPacket]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a batch was answered: the score at its end, and as what the face was given there, None for no face."""

    accepted_count: int
    duplicate: bool
    last_sequence: int
    reading: qd.Reading
    form: qd.FaceForm | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored of a batch."""

    id: UUID
    session: Session
    sequence: int
    at: datetime
    answer: Ingested
    scene_id: UUID | None
    readings: Sequence[qd.Reading]
    """Those of which something is known; they become scores."""
    memory: Mapping[str, object]


async def ingest(unit: Unit, command: PerceptionIngest) -> Ingested:
    """Score a batch; one that was accepted before is answered as it was then. A gap in the numbers is accepted.

    The consent is checked again for each batch. Raises Invalid, NotFound, SessionEnded, ConsentEnded or BatchTooLate.
    """
    if not 1 <= command.sequence <= MOST_BATCHES:
        raise Invalid("Batches are numbered from 1.", field="sequence")
    packets = qd.parsed([packet.raw() for packet in command.packets], unit.now)
    watched = await unit.perception.watched(command.session_id, before=command.sequence)
    session = watched.session
    if command.sequence <= session.last_sequence:
        return await _again(unit, session, command.sequence)
    if session.status is not SessionStatus.RUNNING:
        raise SessionEnded(field="sessionId")
    if not session.consent.stands(unit.now):
        raise ConsentEnded(field="sessionId")
    kept = pace.keep(pace.restored(watched.memory.get("pace")), packets)
    state, readings = qd.advance(remembered(watched.memory), packets)
    rises, spiked = spikes.watch(spikes.restored(watched.memory.get("rises")), readings)
    last = readings[-1]
    answer = Ingested(
        len(packets), duplicate=False, last_sequence=command.sequence, reading=last,
        form=packets[-1].form if last.face else None,
    )  # fmt: skip
    scene_id = scene_at(watched.scenes, packets[-1].video_ms)
    batch = Batch(
        id=new_id(),
        session=session,
        sequence=command.sequence,
        at=unit.now,
        answer=answer,
        scene_id=scene_id,
        readings=[reading for reading in readings if reading.confidence > 0],
        memory={"qd": qd.stored(state), "rises": spikes.stored(rises), "pace": pace.stored(kept)},
    )
    await unit.perception.ingest(batch)
    payload = [("batch", str(batch.id)), *([("scene", str(scene_id))] if scene_id is not None else [])]
    unit.record(changed(AuditAction.UPDATE, "PerceptionScored", session, ("scores",), *payload))
    if spiked:
        await notifications.tell(unit, _spike(session), await audience(unit, session))
    return answer


def _spike(session: Session) -> News:
    return News(
        NotificationKind.QD_SPIKE, spikes.RULE, "Interest has risen quickly", Actor("perception_sessions", session.id)
    )


async def _again(unit: Unit, session: Session, sequence: int) -> Ingested:
    """Answer a batch that was accepted before; not even that once the session was stopped."""
    if session.status is SessionStatus.STOPPED:
        raise SessionEnded(field="sessionId")
    found = await unit.perception.batch(session.id, sequence)
    if found is None:
        raise BatchTooLate(field="sequence")
    return found

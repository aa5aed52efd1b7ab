"""What happened in the showroom: videos, measured visits of clients and of passers-by, and who was told of them."""

import hashlib
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from app.demo.cctv import Witnessed
from app.demo.chance import between, days, generator, identifier, pick
from app.demo.consents import Held
from app.demo.diary import Diary
from app.demo.faces import Face, Scene
from app.demo.qd import Measured
from app.demo.reels import SCENE_MS, reels
from app.demo.rows import Batch
from app.demo.team import User
from app.demo.world import World
from domain import qd
from domain.access import Role
from domain.notifications import NotificationKind
from domain.perception import (
    ConsentMethod,
    ConsentPurpose,
    ErasureScope,
    ErasureStatus,
    Modality,
    SessionStatus,
    SubjectKind,
    SurfaceKind,
    receipted,
)
from domain.perception.erasures import Erased
from domain.perception.spikes import RULE

_PASSERS_BY: Final = 4
_SIGNED: Final = timedelta(minutes=2)
_PARTS: Final = ("at", "score", "engagement", "valence", "attention", "confidence")
_RATE_MS: Final = 500
_NEWS: Final = timedelta(days=14)
_SPIKE: Final = (NotificationKind.QD_SPIKE, RULE, "Interest has risen quickly")
_COMPLETE: Final = (NotificationKind.SESSION_COMPLETE, "A session is completed.", "A session is complete")


def write_videos(batch: Batch, world: World, slug: str) -> None:
    """Add the videos with their scenes."""
    random = generator(slug, "videos")
    for number, reel in enumerate(reels()):
        at = world.now - days(200 - 20 * number)
        video_id = identifier(random, at)
        batch.add(
            "videos", id=video_id, title=reel.title, object_key=reel.file.key, content_type=reel.file.content_type,
            duration_ms=reel.duration_ms, created_at=at, updated_at=at,
        )  # fmt: skip
        scenes = [identifier(random, at) for _ in reel.scenes]
        for place, (scene_id, title) in enumerate(zip(scenes, reel.scenes, strict=True)):
            batch.add(
                "scenes", id=scene_id, video_id=video_id, title=title, start_ms=place * SCENE_MS,
                end_ms=(place + 1) * SCENE_MS,
            )  # fmt: skip
        world.videos.append((video_id, tuple(scenes)))


def write_sessions(diary: Diary, visits: list[Measured], held: Held | None) -> None:
    """Add a session for each measured visit. Where the consent has ended, what was measured is gone."""
    if held is None:
        return
    world, random = diary.world, generator("showroom", diary.person.id.hex)
    for visit in visits:
        video_id, scenes = pick(random, world.videos)
        kept = held.ended_at is None
        final = dict(zip(_PARTS, visit.parts, strict=True))
        measured: dict[str, object] = {f"final_qd_{name}": value for name, value in final.items()} if kept else {}
        if kept:
            measured |= {"peak_score": final["score"], "peak_scene_id": pick(random, scenes)}
        host = _host(diary, visit)
        world.batch.add(
            "perception_sessions", id=visit.id, status=SessionStatus.COMPLETED.name, surface=SurfaceKind.IPAD.name,
            person_id=diary.person.id, consent_id=held.id, video_id=video_id, started_by_noun="users",
            started_by_id=host.id, started_at=visit.started_at, ended_at=visit.ended_at, measured=kept,
            last_sequence=visit.batches, packet_count=visit.batches * 50, **measured,
        )  # fmt: skip
        if visit.ended_at > world.now - _NEWS:
            _tell(world, host, visit.id, visit.ended_at, _COMPLETE)
    if visits and held.withdrawn and held.ended_at is not None:
        counts = {"perception_sessions": len(visits), "qd_scores": len(visits)}
        _erase(world, held, held.ended_at, by=_host(diary, visits[0]), person_id=diary.person.id, counts=counts)


def _host(diary: Diary, visit: Measured) -> User:
    """Return who received the person then."""
    uses = diary.measurements[ConsentPurpose.SHOWROOM_ENGAGEMENT]
    return min(uses, key=lambda use: abs(use[0] - visit.started_at))[1]


def _erase(world: World, held: Held, at: datetime, *, by: User, person_id: UUID | None, counts: dict[str, int]) -> None:
    erasure_id, done = identifier(generator("erasure", held.id.hex), at), at + timedelta(seconds=1)
    world.batch.add(
        "erasures", id=erasure_id, consent_id=held.id, person_id=person_id, scope=ErasureScope.SUBJECT.name,
        status=ErasureStatus.DONE.name, requested_by_noun="users", requested_by_id=by.id, requested_at=at,
        finished_at=done,
    )  # fmt: skip
    stores = ("perception_batches", "perception_sessions", "qd_scores", "visitor_scores")
    erased = [Erased(store, counts.get(store, 0), hashlib.sha256(held.id.bytes).digest()) for store in stores]
    for receipt in receipted(erasure_id, [], erased, done):
        world.batch.add(
            "erasure_receipts", erasure_id=erasure_id, store=receipt.store, erased_rows=receipt.rows,
            erased_at=receipt.erased_at, proof_hash=receipt.proof_hash,
        )  # fmt: skip


def write_passers_by(world: World, slug: str) -> list[Witnessed]:
    """Add sessions of visitors without a name, whom the demo's junior received. The last one took the consent back.

    Returns those that cameras may have seen arrive.
    """
    random = generator(slug, "passers-by")
    witnessed = []
    host = world.firm.user(Role.JUNIOR_BROKER)
    for number in range(_PASSERS_BY):
        at = world.now - days(number + 0.4)
        ended_at = at + timedelta(milliseconds=reels()[0].duration_ms)
        consent_id, session_id = identifier(random, at), identifier(random, at)
        withdrawn_at = ended_at + timedelta(minutes=20) if number == _PASSERS_BY - 1 else None
        world.batch.add(
            "consents", id=consent_id, subject_kind=SubjectKind.VISITOR.name,
            purpose=ConsentPurpose.SHOWROOM_ENGAGEMENT.name, modality=Modality.FACE.name, notice_version=f"{at:%Y-%m}",
            method=ConsentMethod.ESIGN.name, granted_at=at - _SIGNED, expires_at=at + days(900),
            withdrawn_at=withdrawn_at, recorded_by_id=host.id, created_at=at - _SIGNED,
        )  # fmt: skip
        video_id, scenes = world.videos[number % len(world.videos)]
        kept = {} if withdrawn_at is not None else _scored(world.batch, random, session_id, at, scenes)
        packets = reels()[0].duration_ms // _RATE_MS
        world.batch.add(
            "perception_sessions", id=session_id, status=SessionStatus.COMPLETED.name, surface=SurfaceKind.KIOSK.name,
            consent_id=consent_id, video_id=video_id, started_by_noun="users", started_by_id=host.id, started_at=at,
            ended_at=ended_at, measured=withdrawn_at is None, last_sequence=2, packet_count=packets, **kept,
        )  # fmt: skip
        if withdrawn_at is not None:
            held = Held(consent_id, withdrawn_at, withdrawn=True)
            counts = {"perception_batches": 2, "perception_sessions": 1, "visitor_scores": packets}
            _erase(world, held, withdrawn_at, by=host, person_id=None, counts=counts)
        else:
            witnessed.append(Witnessed(session_id, at))
        _tell(world, host, session_id, ended_at, _COMPLETE)
        if number == 0:
            _tell(world, host, session_id, ended_at, _SPIKE)
    return witnessed


def _scored(
    batch: Batch, random: Random, session_id: UUID, at: datetime, scenes: tuple[UUID, ...]
) -> dict[str, object]:
    """Add the scores that the rules give a generated face; returns what its session keeps."""
    appeal = [Scene(place * 8.0, place * 8.0 + 8, between(random, 0.2, 0.95)) for place in range(len(scenes))]
    state, readings = qd.advance(qd.START, _packets(Face(random, appeal), at))
    final = qd.final(state)
    if final is None or state.peak_video_ms is None:
        raise ValueError("A face that is there all the time is scored.")
    for reading in (*(reading for reading in readings if reading.confidence > 0), final):
        batch.add(
            "visitor_scores", session_id=session_id, id=identifier(random, reading.at), kind=reading.kind.name,
            source=reading.source.name, **{name: getattr(reading, name) for name in _PARTS},
        )  # fmt: skip
    kept = {f"final_qd_{name}": getattr(final, name) for name in _PARTS}
    return {**kept, "peak_score": state.peak, "peak_scene_id": scenes[state.peak_video_ms // SCENE_MS]}


def _packets(face: Face, at: datetime) -> list[qd.Packet]:
    moments = range(0, reels()[0].duration_ms, _RATE_MS)
    return [qd.Packet(at + timedelta(milliseconds=ms), ms, face.at(ms / 1000)) for ms in moments]


def _tell(world: World, user: User, session_id: UUID, at: datetime, news: tuple[NotificationKind, str, str]) -> None:
    kind, rule, title = news
    world.batch.add(
        "notifications", id=identifier(generator("news", session_id.hex, kind.name), at), user_id=user.id,
        kind=kind.name, rule=rule, title=title, at=at, subject_noun="perception_sessions", subject_id=session_id,
        read_at=at + timedelta(hours=3) if at < world.now - days(2) else None,
    )  # fmt: skip

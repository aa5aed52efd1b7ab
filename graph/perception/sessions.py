"""Sessions as clients see them: who is being measured, what came of it, and the packets that are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import perception as domain
from domain.access import Permission
from domain.perception import SESSION_EVENTS, Face, FaceForm, SentPacket, SessionStatus, SurfaceKind, WalkInLead
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, by_id, column, connection, link, noun, paid, payload, root, value
from graph.enums import described
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.perception.consents import Consent
from graph.perception.scores import SESSION_SERIES, QdScore, QdSeries
from graph.scalars import BlendShapes, DateTime, EventCursor, FaceLandmarks
from graph.subscriptions.declaration import Only, event, stream
from graph.videos import Scene, Video
from resolvers import perception as resolve

if TYPE_CHECKING:
    from graph.cctv import CctvEvent
    from graph.leads import Lead
    from graph.people import Person

described(
    SurfaceKind,
    "What a visitor looks at while a session runs.",
    BROWSER="A page in a browser.",
    IPAD="The iPad of a broker.",
    KIOSK="A screen in the showroom.",
)
described(
    SessionStatus,
    "Whether a session goes on.",
    RUNNING="It takes packets.",
    COMPLETED="It was summed up.",
    STOPPED="Its consent was taken back, or has ended.",
)

described(
    FaceForm,
    "As what a face was given.",
    BLEND_SHAPES="As blend shapes: they are measured.",
    LANDMARKS="As landmarks: what scoring reads is estimated from their proportions, and trusted less.",
)


@strawberry.input(description="Which sessions; every entry narrows the list.")
class PerceptionSessionFilter:
    """The filter of session lists."""

    statuses: list[SessionStatus] | None = optional("Has one of these statuses.")
    person_id: strawberry.ID | None = optional("Is this person's.", of="people")
    from_: DateTime | None = optional("Began at or after this moment.", name="from")
    to: DateTime | None = optional("Began before this moment.")


@value("perception_summaries", description="What a session came to.")
class PerceptionSummary:
    """A summary."""

    packet_count: int = column("How many packets were accepted.")
    duration_seconds: float = column("How long it lasted.")
    peak_score: float | None = column("The highest score of which scoring was sure; null for none, and once erased.")
    peak_scene: Scene | None = link("The scene that was shown then.")


@noun(
    "perception_sessions",
    prefix="session",
    description="Somebody who consented watches, and is scored.",
    filter=PerceptionSessionFilter,
    orders={"CREATED_AT": "When it began."},
)
class PerceptionSession(Node):
    """A session."""

    status: SessionStatus = column("Whether it goes on.")
    surface: SurfaceKind = column("What the visitor looks at.")
    started_at: DateTime = column("When it began.")
    ended_at: DateTime | None = column("When it ended.")
    last_sequence: int = column(
        "The number of the last batch that was accepted; 0 for none. A sender goes on after it."
    )
    face_form: FaceForm | None = column("As what its last face was given; null before the first, and once erased.")
    qd_series: QdSeries = column("Its scores of one source over a range.", *SESSION_SERIES)
    final_qd: QdScore | None = column("What it came to; null while it runs, where nothing was known, and once erased.")
    refined_qd: QdScore | None = column("What a model made of it.")
    summary: PerceptionSummary | None = column("What happened in it; null while it runs.")
    person: Person | None = link("Who watches; null for a visitor without a name.")
    consent: Consent = link("What it rests on.")
    video: Video | None = link("What is watched.")
    cctv_events: Connection[CctvEvent] = connection("What cameras saw of the visit, newest first: evidence of it.")


@root
class PerceptionSessionQuery:
    """Root fields that read sessions."""

    perception_session: PerceptionSession | None = by_id("One session, or null.", Permission.PERCEPTION_READ)
    perception_sessions: Connection[PerceptionSession] = connection(
        "The sessions of your people, and those that you began, newest first.", Permission.PERCEPTION_READ
    )


@event(
    "perception_score_events",
    description="A batch was scored, or its session has begun, has ended, or got its person.",
)
class PerceptionScoreEvent:
    """What perceptionScores answers for each event."""

    cursor: EventCursor = column("The position of this event: follow from it, and nothing is missed or told twice.")
    skipped: int = column("For how many earlier events of the session, that you were too slow for, it stands.")
    qd: QdScore = column(
        "The score at the end of the batch, or the newest where the event brought none. With a confidence of 0 it says"
        " nothing: before the first batch, without a face, and once the consent has ended."
    )
    session: PerceptionSession = link("The session, as it is now.")
    scene: Scene | None = link("The scene that was shown at the end of the batch.")


@root
class PerceptionSubscription:
    """Subscriptions to sessions."""

    perception_scores: PerceptionScoreEvent = stream(
        "Scores as they come, and sessions as they begin and end: of all that you may see, of one, or of one person."
        " A slow reader gets the newest of each session; `qdSeries` has all.",
        Permission.PERCEPTION_READ,
        kinds=SESSION_EVENTS,
        only=(
            Only("session_id", of="perception_sessions", entries=("subject_id",), description="Only of this session."),
            Only("person_id", of="people", entries=("person_id",), description="Only of this person."),
        ),
        newest_of="subject_id",
    )


@strawberry.input(description="What begins a session.")
class PerceptionSessionStartInput:
    """A session."""

    person_id: strawberry.ID | None = optional(
        "Who watches, if you want to be sure that the consent is theirs.", of="people"
    )
    consent_id: strawberry.ID = argument("A consent to SHOWROOM_ENGAGEMENT by FACE that stands.", of="consents")
    surface: SurfaceKind = argument("What the visitor looks at.")
    video_id: strawberry.ID | None = optional("What is watched.", of="videos")
    idempotency_key: str | None = once()


@strawberry.input(description="A face, in one of two forms.", one_of=True)
class FaceInput:
    """A face."""

    blend_shapes: BlendShapes | None = optional("By its blend shapes.")
    landmarks: FaceLandmarks | None = optional("By its landmarks.")


@strawberry.input(description="What was seen at a moment.")
class PerceptionPacketInput:
    """A packet."""

    at: DateTime = argument("When. In a batch later than the packet before it.")
    face: FaceInput | None = optional("The face; null or left out while none is seen.", into=Face)
    video_ms: int | None = optional("Where the video stood, in milliseconds.")


@strawberry.input(description="A batch of packets.")
class PerceptionIngestInput:
    """A batch."""

    session_id: strawberry.ID = argument("Which session.", of="perception_sessions")
    sequence: int = argument("The number of the batch: batches of a session count from 1. A gap is accepted.")
    packets: list[PerceptionPacketInput] = argument("1 to 100 packets, at most 60 a second.", into=SentPacket)


@strawberry.input(description="The end of a session.")
class PerceptionSessionCompleteInput:
    """An end."""

    session_id: strawberry.ID = argument("Which session.", of="perception_sessions")


@strawberry.input(description="A visitor of whom a lead is made.")
class WalkInLeadInput:
    """A new lead."""

    full_name: str = argument("Their name.", longest=200)
    phone: str | None = optional("Their phone number.", longest=50)


@strawberry.input(description="Who a visitor was.", one_of=True)
class PerceptionSessionTargetInput:
    """A target."""

    person_id: strawberry.ID | None = optional("A person, one of yours.", of="people")
    new_lead: WalkInLeadInput | None = optional("Somebody new, of whom a lead of yours is made.", into=WalkInLead)


@strawberry.input(description="Who the visitor of a session was.")
class PerceptionSessionMatchInput:
    """A match."""

    session_id: strawberry.ID = argument("Which session.", of="perception_sessions")
    target: PerceptionSessionTargetInput = argument("Who it was.")


@payload("The session that began.")
class PerceptionSessionStartPayload:
    """The answer of perceptionSessionStart."""

    session: PerceptionSession = link("The session.")


@payload("The batch that was accepted.")
class PerceptionIngestPayload:
    """The answer of perceptionIngest."""

    accepted_count: int = column("How many packets it had.")
    duplicate: bool = column("Whether it had been accepted before; nothing was done again then.")
    last_sequence: int = column("The highest number of the session's accepted batches.")
    qd: QdScore | None = column("The score at its end; null while no face is seen.")


@payload("The session that ended.")
class PerceptionSessionCompletePayload:
    """The answer of perceptionSessionComplete."""

    session: PerceptionSession = link("The session, summed up.")


@payload("The session whose visitor has a name now.")
class PerceptionSessionMatchPayload:
    """The answer of perceptionSessionMatch."""

    session: PerceptionSession = link("The session, with its person.")
    lead: Lead | None = link("The lead that was opened, for somebody new.")


@root
class PerceptionSessionMutation:
    """Mutations of sessions."""

    @mutation("Begin to measure somebody who consented: a person, or a visitor without a name.")
    async def perception_session_start(
        self, info: Info, input: PerceptionSessionStartInput
    ) -> PerceptionSessionStartPayload:
        """Begin a session."""
        session = await resolve.perception_session_start(
            info.context, unpacked(input, domain.SessionStart), key_of(input.idempotency_key)
        )
        return paid(PerceptionSessionStartPayload, session=session)

    @mutation("Score a batch of packets. One that is sent again is answered as before.")
    async def perception_ingest(self, info: Info, input: PerceptionIngestInput) -> PerceptionIngestPayload:
        """Score a batch."""
        done = await resolve.perception_ingest(info.context, unpacked(input, domain.PerceptionIngest))
        reading = done.reading
        qd = None if done.form is None else paid(
            QdScore, at=reading.at, score=reading.score, engagement=reading.engagement, valence=reading.valence,
            attention=reading.attention, confidence=reading.confidence, kind=reading.kind, source=reading.source,
        )  # fmt: skip
        return paid(
            PerceptionIngestPayload, accepted_count=done.accepted_count, duplicate=done.duplicate,
            last_sequence=done.last_sequence, qd=qd,
        )  # fmt: skip

    @mutation("End a session and sum it up. Done again, it gives the same answer.")
    async def perception_session_complete(
        self, info: Info, input: PerceptionSessionCompleteInput
    ) -> PerceptionSessionCompletePayload:
        """End a session."""
        session = await resolve.perception_session_complete(info.context, unpacked(input, domain.SessionComplete))
        return paid(PerceptionSessionCompletePayload, session=session)

    @mutation("Say who the visitor of a session was: a person of yours, or somebody new, of whom a lead is made.")
    async def perception_session_match(
        self, info: Info, input: PerceptionSessionMatchInput
    ) -> PerceptionSessionMatchPayload:
        """Match a session."""
        done = await resolve.perception_session_match(info.context, unpacked(input, domain.SessionMatch))
        return paid(PerceptionSessionMatchPayload, session=done.session_id, lead=done.lead_id)

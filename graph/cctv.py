"""Camera events as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import cctv as domain
from domain.access import Permission
from domain.cctv import RiskLevel
from domain.perception import QdSource
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, column, connection, link, noun, paid, payload, root, value
from graph.enums import described
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import JSON, DateTime
from resolvers import cctv as resolve

if TYPE_CHECKING:
    from graph.jobs import InferenceJob
    from graph.perception import PerceptionSession

described(
    RiskLevel,
    "What a risk score means.",
    LOW="0 to 29: what goes on every day.",
    MEDIUM="30 to 59: unusual, and no threat.",
    HIGH="60 to 84: suspicious.",
    CRITICAL="85 to 100: it may be a threat.",
)


@value("cctv_profiles", description="What a model made of what a camera saw.")
class CctvProfile:
    """A profile."""

    visitor_kind: str | None = column("What kind of visitor it may be; null where the model could not tell.")
    vehicle: str | None = column("Their vehicle in words, never its plate; null where the model could not tell.")
    confidence: float = column("How sure the model was, 0 to 1.")
    model: str = column("The model.")
    prompt_version: str = column("The version of the prompt that it was given.")


@value("cctv_risks", description="How much a batch of detections deserves a look, as a model sees it.")
class Risk:
    """A risk."""

    score: int = column("0 to 100.")
    level: RiskLevel = column("What the score means: always by the same bands, whatever the model called it.")
    summary: str = column("What was seen, in short.")
    reasoning: str = column("Why the score is what it is.")
    source: QdSource = column("Who scored it.")


@strawberry.input(description="Which camera events; every entry narrows the list.")
class CctvEventFilter:
    """The filter of camera events."""

    cameras: list[str] | None = optional("Was seen by one of these cameras.", longest=100)
    from_: DateTime | None = optional("Was seen at or after this moment.", name="from")
    to: DateTime | None = optional("Was seen before this moment.")


@noun(
    "cctv_events",
    prefix="cctvevent",
    description="Something that a camera saw. It shows no plate: none is kept.",
    filter=CctvEventFilter,
    orders={"CREATED_AT": "When it was seen."},
)
class CctvEvent(Node):
    """A camera event."""

    at: DateTime = column("When it was seen.")
    camera: str = column("Which camera saw it.")
    summary: str | None = column("What was seen, in a model's words; null until its job is done.")
    session: PerceptionSession | None = link(
        "The session that it is evidence of; null where none is certain, or not for you to see."
    )
    profile: CctvProfile | None = column("What a model made of it; null until its job is done.")
    risk: Risk | None = column("For a batch of detections, how much it deserves a look; null until its job is done.")


@root
class CctvQuery:
    """Root fields that read camera events."""

    cctv_events: Connection[CctvEvent] = connection(
        "What cameras saw, newest first: everything for a senior, for a junior what is evidence of their sessions.",
        Permission.PERCEPTION_READ,
    )


@strawberry.input(description="What a camera saw at a moment.")
class CctvEventIngestInput:
    """An event."""

    camera: str = argument("Which camera.", longest=100)
    at: DateTime = argument("When it was seen: at most 5 minutes ahead, at most 7 days ago.")
    plate: str | None = optional(
        "A number plate, as it was read. What is kept of it tells a vehicle again.", longest=50
    )
    detections: JSON | None = optional(
        "At most 50 objects: a `label`, a `confidence` from 0 to 1, and `attributes`, at most 8 names with words."
        " Whatever else is in them is refused."
    )
    idempotency_key: str = argument("Same key and input: same answer, one effect.", longest=200)


@strawberry.input(description="One thing that was detected.")
class DetectionInput:
    """A detection."""

    label: str = argument("What it is, in a few words.", longest=100)
    confidence: float = argument("How sure the detector was, 0 to 1.")
    at: DateTime = argument("When it was detected.")


@strawberry.input(description="What a camera's detector saw over a while.")
class DetectionBatchSubmitInput:
    """A batch."""

    camera: str = argument("Which camera.", longest=100)
    detections: list[DetectionInput] = argument("1 to 100 detections.", into=domain.SentDetection)
    idempotency_key: str | None = once()


@payload("The event that was kept.")
class CctvEventIngestPayload:
    """The answer of cctvEventIngest."""

    event: CctvEvent = link("The event; a model has made nothing of it yet.")
    job: InferenceJob = link("The job that lets a model profile it.")


@payload("The batch that is scored.")
class DetectionBatchSubmitPayload:
    """The answer of detectionBatchSubmit."""

    event: CctvEvent = link("The event that has the detections, and will have their risk.")
    job: InferenceJob = link("The job that lets a model score it.")


@root
class CctvMutation:
    """Mutations of camera events."""

    @mutation(
        "Keep what a camera saw, tie it to the session that it is evidence of, and let a model profile it. Sent again"
        " with the same key, it is answered as before."
    )
    async def cctv_event_ingest(self, info: Info, input: CctvEventIngestInput) -> CctvEventIngestPayload:
        """Keep an event."""
        done = await resolve.cctv_event_ingest(
            info.context, unpacked(input, domain.CctvEventIngest), input.idempotency_key
        )
        return paid(CctvEventIngestPayload, event=done.event_id, job=done.job_id)

    @mutation("Keep a batch of detections as one event, and let a model say how much it deserves a look.")
    async def detection_batch_submit(self, info: Info, input: DetectionBatchSubmitInput) -> DetectionBatchSubmitPayload:
        """Keep a batch."""
        done = await resolve.detection_batch_submit(
            info.context, unpacked(input, domain.DetectionBatchSubmit), key_of(input.idempotency_key)
        )
        return paid(DetectionBatchSubmitPayload, event=done.event_id, job=done.job_id)

"""Camera events as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.access import Permission
from domain.cctv import RiskLevel
from domain.perception import QdSource
from graph.connections import Connection
from graph.declaration import Node, column, connection, link, noun, root, value
from graph.enums import described
from graph.inputs import optional
from graph.scalars import DateTime

if TYPE_CHECKING:
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

"""Interactions as clients see them: one interface with a type per kind, and how one is logged by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import interactions as domain
from domain.access import Permission
from domain.interactions import Direction, InteractionKind, ObjectionKind
from graph.connections import Connection
from graph.context import Info
from graph.declaration import (
    Node,
    by_id,
    column,
    connection,
    kind,
    link,
    links,
    noun,
    paid,
    payload,
    reference,
    root,
)
from graph.enums import described
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime
from resolvers import interactions as resolve

if TYPE_CHECKING:
    from graph.access import Actor
    from graph.people import Person
    from graph.properties import Property
    from graph.threads import ThreadMessage

described(
    InteractionKind,
    "How the business and a person met.",
    MESSAGE="A message of a thread.",
    CALL="A telephone or video call.",
    EMAIL="An e-mail.",
    VISIT="They saw a property.",
    NOTE="Something to remember; nobody met.",
)
described(
    Direction,
    "Who spoke.",
    INBOUND="It came from the person.",
    OUTBOUND="It went to the person.",
)
described(
    ObjectionKind,
    "What holds a buyer back.",
    PRICE="What it costs.",
    LOCATION="Where it is.",
    TIMING="When it is ready, or when they decide.",
    TRUST="Whether the developer keeps its word.",
    LAYOUT="How it is cut.",
    FINANCE="How it is paid for.",
    OTHER="Anything else.",
)


@strawberry.input(description="Which interactions; every entry narrows the list.")
class InteractionFilter:
    """The filter of interaction lists."""

    kinds: list[InteractionKind] | None = optional("Is one of these kinds.")


@noun(
    "interactions",
    prefix="interaction",
    description="A meeting of the business and a person. Each kind is a type of its own.",
    filter=InteractionFilter,
    orders={"OCCURRED_AT": "When it happened.", "CREATED_AT": "When it was recorded."},
    interface=True,
)
class Interaction(Node):
    """An interaction."""

    kind: InteractionKind = column("What kind it is; the type says the same.")
    direction: Direction | None = column("Who spoke; null where nobody did, or where it is not known.")
    summary: str | None = column("What it was about, in a sentence or two.")
    occurred_at: DateTime = column("When it happened.")
    created_at: DateTime = column("When it was recorded.")
    person: Person | None = link("With whom; null until its thread is linked to a person.")
    author: Actor | None = reference("Who recorded it.")


@kind(of=Interaction, member=InteractionKind.MESSAGE, description="A message of a thread.")
class MessageInteraction(Interaction):
    """A message."""

    thread_message: ThreadMessage | None = link("The message itself, if you may see its thread.")


@kind(of=Interaction, member=InteractionKind.CALL, description="A telephone or video call.")
class CallInteraction(Interaction):
    """A call."""

    duration_seconds: int | None = column("How long it lasted; null where nobody measured.")
    transcript_segments: Connection[TranscriptSegment] = connection("What was said, from the start.")
    objections: list[Objection] = links("What held the buyer back, oldest first; at most 100.")


@kind(of=Interaction, member=InteractionKind.EMAIL, description="An e-mail.")
class EmailInteraction(Interaction):
    """An e-mail."""

    email_subject: str | None = column("Its subject.")
    email_body: str | None = column("Its text.")


@kind(of=Interaction, member=InteractionKind.VISIT, description="A visit to a property.")
class VisitInteraction(Interaction):
    """A visit."""

    property: Property | None = link("What they saw.")


@kind(of=Interaction, member=InteractionKind.NOTE, description="Something to remember.")
class NoteInteraction(Interaction):
    """A note."""

    text: str = column("What to remember.")


@noun(
    "transcript_segments",
    prefix="segment",
    description="A piece of a call's transcript.",
    orders={"START": "When it was said.", "CREATED_AT": "When it was transcribed."},
)
class TranscriptSegment(Node):
    """A transcript segment."""

    speaker: str = column("Who said it.")
    text: str = column("What was said.")
    start_ms: int = column("When it was said, in milliseconds from the start of the call.")


@noun(
    "objections",
    prefix="objection",
    description="What held a buyer back in a call.",
)
class Objection(Node):
    """An objection."""

    kind: ObjectionKind = column("What it is about.")
    text: str = column("What was said.")
    resolved: bool = column("Whether it was answered.")


@root
class InteractionQuery:
    """Root fields that read interactions."""

    call: CallInteraction | None = by_id(
        "One call, or null; null for an interaction of another kind.", Permission.PERSON_READ
    )


@strawberry.input(description="A call.")
class CallDetailInput:
    """What is known of a call."""

    duration_seconds: int | None = optional("How long it lasted: 0 to 86400.")


@strawberry.input(description="An e-mail.")
class EmailDetailInput:
    """What was written."""

    subject: str | None = optional("Its subject.", longest=500)
    body: str | None = optional("Its text.", longest=100_000)


@strawberry.input(description="A visit to a property.")
class VisitDetailInput:
    """What was seen."""

    property_id: strawberry.ID = argument("What they saw.", of="properties")


@strawberry.input(description="A note.")
class NoteDetailInput:
    """What is to be remembered."""

    text: str = argument("What to remember.")


@strawberry.input(description="What kind of interaction it was, and what that kind has.", one_of=True)
class InteractionDetailInput:
    """One of the kinds that are logged by hand."""

    call: CallDetailInput | None = optional("A call.", into=domain.CallDetail)
    email: EmailDetailInput | None = optional("An e-mail.", into=domain.EmailDetail)
    visit: VisitDetailInput | None = optional("A visit.", into=domain.VisitDetail)
    note: NoteDetailInput | None = optional("A note.", into=domain.NoteDetail)


@strawberry.input(description="An interaction that happened.")
class InteractionLogInput:
    """An interaction to log."""

    person_id: strawberry.ID = argument("With whom.", of="people")
    occurred_at: DateTime = argument("When it happened; not in the future.")
    direction: Direction | None = optional("Who spoke.")
    summary: str | None = optional("What it was about.", longest=2000)
    detail: InteractionDetailInput = argument("What kind it was.")
    idempotency_key: str | None = once()


@payload("The interaction that was logged.")
class InteractionLogPayload:
    """The answer of interactionLog."""

    interaction: Interaction = link("The new interaction.")


@root
class InteractionMutation:
    """Mutations of interactions."""

    @mutation("Log a call, an e-mail, a visit or a note with a person whose lead is yours.")
    async def interaction_log(self, info: Info, input: InteractionLogInput) -> InteractionLogPayload:
        """Log an interaction."""
        interaction = await resolve.interaction_log(
            info.context, unpacked(input, domain.InteractionLog), key_of(input.idempotency_key)
        )
        return paid(InteractionLogPayload, interaction=interaction)

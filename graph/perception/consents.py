"""Consents and erasures as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import perception as domain
from domain.access import Permission
from domain.perception import ConsentMethod, ConsentPurpose, ConsentStatus, ErasureStatus, Modality, SubjectKind
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, by_id, column, connection, link, noun, paid, payload, root, value
from graph.enums import described
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime
from resolvers import perception as resolve

if TYPE_CHECKING:
    from graph.people import Person

described(
    ConsentPurpose,
    "What a consent allows.",
    SHOWROOM_ENGAGEMENT="Measuring engagement in the showroom.",
    MARKETING="Being written to about offers.",
    RECORDING="Recording a conversation.",
)
described(
    Modality,
    "What a consent allows to be measured.",
    FACE="The face.",
    VOICE="The voice.",
    CCTV="Movements, seen by cameras of the house.",
)
described(
    ConsentStatus,
    "Whether a consent holds at this moment.",
    ACTIVE="It holds.",
    EXPIRED="Its time has passed.",
    WITHDRAWN="It was taken back.",
)
described(
    SubjectKind,
    "Who gave a consent.",
    PERSON="A person of the CRM.",
    VISITOR="A visitor whom nobody has named.",
    AGENT="A member of the team.",
)
described(
    ConsentMethod,
    "How somebody consented.",
    ESIGN="With an electronic signature.",
    CHECKBOX="By ticking a box.",
    VERBAL_RECORDED="In words that were recorded.",
)
described(
    ErasureStatus,
    "How far an erasure is.",
    PENDING="It was ordered.",
    RUNNING="Some of it is done.",
    DONE="Nothing is left of what it covers.",
    FAILED="It was given up; it has to be looked at.",
)


@strawberry.input(description="Which consents; every entry narrows the list.")
class ConsentFilter:
    """The filter of consent lists."""

    person_id: strawberry.ID | None = optional("Is this person's.", of="people")
    statuses: list[ConsentStatus] | None = optional("Has one of these statuses now.")


@noun(
    "consents",
    prefix="consent",
    description="What somebody allowed to be measured, told and recorded, and until when.",
    filter=ConsentFilter,
    orders={"CREATED_AT": "When it was recorded."},
)
class Consent(Node):
    """A consent."""

    subject_kind: SubjectKind = column("Who gave it.")
    purpose: ConsentPurpose = column("What for.")
    modality: Modality = column("What may be measured.")
    status: ConsentStatus = column("Whether it holds at this moment.")
    granted_at: DateTime = column("When it was given.")
    expires_at: DateTime | None = column("When it ends by itself.")
    withdrawn_at: DateTime | None = column("When it was taken back.")
    notice_version: str = column("Which notice they were given.")
    method: ConsentMethod | None = column("How they gave it.")
    evidence: str | None = column("Where the proof of it is kept.")
    jurisdiction: str | None = column("Under whose law: a code of ISO 3166, such as IN or US-IL.")
    person: Person | None = link("Whose it is; null for a visitor without a name, and for a member of the team.")


@value("erasure_receipts", description="What was erased from one store.")
class ErasureReceipt:
    """A receipt."""

    store: str = column("Where it was kept.")
    rows: int = column("How many rows went.")
    erased_at: DateTime = column("When the last of them went.")
    proof_hash: str = column("SHA-256 over what went, in hexadecimal: it holds nothing that was measured.")


@noun(
    "erasures",
    prefix="erasure",
    description="The removal of what was measured on a consent that has ended.",
)
class Erasure(Node):
    """An erasure."""

    status: ErasureStatus = column("How far it is.")
    requested_at: DateTime = column("When it was ordered.")
    finished_at: DateTime | None = column("When nothing was left.")
    receipts: list[ErasureReceipt] = column("What was erased, by store; a store that held nothing has a receipt too.")


@root
class ConsentQuery:
    """Root fields that read consents."""

    consents: Connection[Consent] = connection(
        "The consents of your people, and those that you recorded, newest first.", Permission.PERCEPTION_READ
    )
    erasure: Erasure | None = by_id("One erasure, or null.", Permission.PERCEPTION_READ)


@strawberry.input(description="What somebody allows. A consent that renews another is one of its own.")
class ConsentGrantInput:
    """A consent."""

    person_id: strawberry.ID | None = optional(
        "The person, one of yours; for PERSON, and for nobody else.", of="people"
    )
    subject_kind: SubjectKind = argument("Who gives it. An AGENT gives none for FACE or VOICE.")
    purpose: ConsentPurpose = argument("What for.")
    modality: Modality = argument("What may be measured.")
    notice_version: str = argument("Which notice they were given.", longest=200)
    expires_at: DateTime | None = optional("When it ends by itself, within three years.")
    method: ConsentMethod | None = optional("How they give it.")
    evidence: str | None = optional("Where the proof of it is kept.", longest=domain.LONGEST_EVIDENCE)
    jurisdiction: str | None = optional("Under whose law: a code of ISO 3166, such as IN or US-IL.", longest=6)
    idempotency_key: str | None = once()


@strawberry.input(description="What somebody takes back.")
class ConsentWithdrawInput:
    """A withdrawal."""

    consent_id: strawberry.ID = argument("Which consent.", of="consents")


@payload("The consent that was recorded.")
class ConsentGrantPayload:
    """The answer of consentGrant."""

    consent: Consent = link("The consent.")


@payload("The consent that was taken back.")
class ConsentWithdrawPayload:
    """The answer of consentWithdraw."""

    consent: Consent = link("The consent, as it is now.")
    erasure: Erasure | None = link("The erasure of what was measured; null where nothing is measured for the purpose.")


@root
class ConsentMutation:
    """Mutations of consents."""

    @mutation("Record what somebody allows.")
    async def consent_grant(self, info: Info, input: ConsentGrantInput) -> ConsentGrantPayload:
        """Record a consent."""
        consent = await resolve.consent_grant(
            info.context, unpacked(input, domain.ConsentGrant), key_of(input.idempotency_key)
        )
        return paid(ConsentGrantPayload, consent=consent)

    @mutation(
        "Take a consent back, and every other of the same person, purpose and modality. Sessions that rest on it stop,"
        " and what was measured is erased."
    )
    async def consent_withdraw(self, info: Info, input: ConsentWithdrawInput) -> ConsentWithdrawPayload:
        """Withdraw a consent."""
        done = await resolve.consent_withdraw(info.context, unpacked(input, domain.ConsentWithdraw))
        return paid(ConsentWithdrawPayload, consent=done.consent_id, erasure=done.erasure_id)

"""The enumerations of people, described."""

from __future__ import annotations

from domain.people import (
    AccountKind,
    ContactType,
    DuplicateEvidence,
    FactKind,
    FactSource,
    NextBestActionKind,
    RecordKind,
    RelationshipKind,
)
from graph.enums import described

described(
    ContactType,
    "What somebody is to the business.",
    BUYER="Wants to buy a home.",
    SELLER="Wants to sell one.",
    INVESTOR="Buys to let or to sell on.",
    LANDLORD="Lets a home.",
    TENANT="Rents one.",
    BROKER="Works for another house.",
    DEVELOPER="Builds what is sold.",
    OTHER="Anything else.",
)
described(
    RelationshipKind,
    "What the other person is to this one.",
    SPOUSE="Husband or wife.",
    PARENT="Father or mother.",
    CHILD="Son or daughter.",
    SIBLING="Brother or sister.",
    COLLEAGUE="They work together.",
    ADVISER="Advises them: a lawyer, an accountant, a family office.",
    REFERRER="Sent them here.",
    OTHER="Anything else.",
)
described(
    AccountKind,
    "What kind of body people belong to.",
    COMPANY="A company.",
    FAMILY_OFFICE="An office that manages a family's wealth.",
    TRUST="A trust.",
    OTHER="Anything else.",
)
described(
    NextBestActionKind,
    "What to do next.",
    CALL="Call them.",
    MESSAGE="Write to them.",
    VISIT="Show them a property.",
    REVIEW="Look into something first.",
)
described(
    FactKind,
    "What a fact is about.",
    BUDGET="What they can spend.",
    OBJECTION="What holds them back.",
    TIMELINE="When they want to decide or to move.",
    PREFERENCE="What they like.",
)
described(
    FactSource,
    "Who says that a fact is so.",
    MODEL="A model read it somewhere.",
    PERSON="Somebody of the team.",
    IMPORTED="It came with imported data.",
)
described(
    DuplicateEvidence,
    "Why two people may be one.",
    PHONE="The same phone number.",
    EMAIL="The same e-mail address.",
    NAME="A like name: a suggestion, not evidence on its own.",
)
described(
    RecordKind,
    "What a merge moves.",
    LEAD="Leads.",
    OPPORTUNITY="Deals.",
    PROPERTY_INTEREST="What they looked at.",
    INTERACTION="Messages, calls, e-mails, visits and notes.",
    FACT="What is known about them.",
    TASK="What is to be done for them.",
    THREAD="Conversations.",
    CONSENT="Consents; the most restrictive decision holds from then on.",
    RELATIONSHIP="Ties to other people.",
    QD_SCORE="Engagement scores.",
)

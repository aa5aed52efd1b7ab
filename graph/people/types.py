"""A person, and what is known about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.access import Permission
from domain.people import ContactType, DuplicateEvidence, FactKind, FactSource, NextBestActionKind
from graph.connections import Connection
from graph.declaration import Argument, Node, by_id, column, connection, link, noun, root, value
from graph.inputs import optional
from graph.perception import QD_SERIES, QD_SOURCE
from graph.scalars import DateTime
from graph.values import Money

if TYPE_CHECKING:
    from graph.interactions import Interaction
    from graph.leads import Lead, PropertyInterest
    from graph.opportunities import Opportunity
    from graph.people.ties import Household, PersonAccount, Relationship
    from graph.perception import Consent, QdScore, QdSeries
    from graph.tasks import Task
    from graph.threads import Thread


@value("phones", description="A phone number.")
class Phone:
    """A number."""

    e164: str = column("As it is dialled from anywhere: a plus, the country code, the number. Extensions are left out.")
    country: str | None = column("The country it belongs to, ISO 3166; null for one that belongs to none.")


@value("next_best_actions", description="What to do next for a person, decided by rules whenever something changes.")
class NextBestAction:
    """An action."""

    kind: NextBestActionKind = column("What to do.")
    title: str = column("It in a few words.")
    reason: str = column("Why: one sentence that names the evidence and its day.")
    due_at: DateTime | None = column("By when.")
    computed_at: DateTime = column("When it was decided.")


@value("person_duplicates", description="Somebody who may be the same person.")
class PersonDuplicate:
    """A possible duplicate."""

    person: Person = link("Who it may be.")
    score: float = column("How sure that is, 0 to 1: 1 for a shared number, at most 0.8 for a like name.")
    evidence: list[DuplicateEvidence] = column("Why, the strongest first.")


@strawberry.input(description="Which people; every entry narrows the list.")
class PersonFilter:
    """The filter of lists of people."""

    search: str | None = optional(
        "Part of the name; of those whose contact details you may see, also of the e-mail address or the phone number.",
        longest=100,
    )
    updated_after: DateTime | None = optional("Changed after this moment.")
    cities: list[str] | None = optional("Lives in one of these cities.", longest=100)


@noun(
    "people",
    prefix="person",
    description="Somebody the business knows. All see names and cities; the rest depends on whose leads these are.",
    filter=PersonFilter,
    orders={
        "CREATED_AT": "When they were added.",
        "FULL_NAME": "By name, as the database sorts text.",
        "UPDATED_AT": "When their details last changed.",
    },
)
class Person(Node):
    """A person."""

    full_name: str = column("Full name.")
    primary_phone: Phone | None = column("How to call them.")
    primary_email: str | None = column("How to write to them.")
    city: str | None = column("Where they live.")
    contact_type: ContactType | None = column("What they are to the business.")
    created_at: DateTime = column("When they were added.")
    updated_at: DateTime = column("When their details last changed.")
    last_contacted_at: DateTime | None = column("Their last message, call, e-mail or visit, in either direction.")
    next_best_action: NextBestAction | None = column("What to do next for them, and why.")
    latest_qd: QdScore | None = column("Their newest score of one source.", QD_SOURCE)
    qd_series: QdSeries = column("Their scores of one source over a range.", *QD_SERIES)
    duplicates: list[PersonDuplicate] = column(
        "Who may be the same person, the surest first; empty for those who see only a name and a city.",
        Argument("first", int, "How many at most: 0 to 100."),
    )
    accounts: list[PersonAccount] = column("The companies, family offices and trusts that they belong to, by name.")
    household: Household | None = link("With whom they decide.")
    relationships: Connection[Relationship] = connection("Their ties to other people, newest first.")
    leads: Connection[Lead] = connection("Their leads that you may see, newest first.")
    opportunities: Connection[Opportunity] = connection("Their deals that you may see, newest first.")
    property_interests: Connection[PropertyInterest] = connection("What they looked at, newest first.")
    interactions: Connection[Interaction] = connection("Their timeline, newest first.")
    facts: Connection[Fact] = connection("What is known about them and was not dismissed, newest first.")
    tasks: Connection[Task] = connection("What is to be done for them, newest first.")
    threads: Connection[Thread] = connection("Their conversations, newest first.")
    consents: Connection[Consent] = connection("What they allowed, newest first.")
    restricted_fields: list[str] = column("Which of these fields are null because you may not see them.")


@noun("facts", prefix="fact", description="A statement about a person.", orders={"CREATED_AT": "When it was noted."})
class Fact(Node):
    """A fact."""

    kind: FactKind = column("What it is about.")
    text: str = column("What is so.")
    quote: str | None = column("What was said or written, word for word.")
    amount: Money | None = column("The amount that a BUDGET fact speaks of.")
    confidence: float = column("How sure it is: 0 to 1; 1 where a person vouches for it.")
    source: FactSource = column("Who says so.")
    extracted_at: DateTime = column("When it was learned.")
    dismissed_at: DateTime | None = column("When it was found wrong; the person's list leaves it out then.")
    created_at: DateTime = column("When it was noted.")
    interaction: Interaction | None = link("Where it was said, if you may see that.")
    person: Person = link("Whom it is about.")


@root
class PersonQuery:
    """Root fields that read people."""

    person: Person | None = by_id(
        "One person, or null; an absorbed person's id gives the one who was kept.", Permission.PERSON_READ
    )
    people: Connection[Person] = connection("People, by name.", Permission.PERSON_READ)

"""What clients do with one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.people import ContactType
from domain.people.details import PersonCreate, PersonUpdate
from domain.people.facts import FactCorrect
from graph.context import Info
from graph.declaration import column, link, paid, payload, root
from graph.inputs import MoneyInput, argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.people.types import PersonDuplicate
from resolvers import people as resolve

if TYPE_CHECKING:
    from graph.people.types import Fact, Person


@strawberry.input(description="Who is added.")
class PersonCreateInput:
    """A new person."""

    full_name: str = argument("Full name.", longest=200)
    phone: str | None = optional(
        "A phone number with its country code, or as it is dialled in the country of the tenant's currency.", longest=64
    )
    email: str | None = optional("An e-mail address.", longest=254)
    city: str | None = optional("Where they live.", longest=100)
    contact_type: ContactType | None = optional("What they are to the business.")
    idempotency_key: str | None = once()


@strawberry.input(description="What changes about a person. What is left out stays; null takes it away.")
class PersonUpdateInput:
    """A change."""

    person_id: strawberry.ID = argument("Whom.", of="people")
    full_name: str | None = optional("Full name; not null.", longest=200)
    phone: str | None = optional("A phone number, as in personCreate.", longest=64)
    email: str | None = optional("An e-mail address.", longest=254)
    city: str | None = optional("Where they live.", longest=100)
    contact_type: ContactType | None = optional("What they are to the business.")


@strawberry.input(description="What is wrong about a fact. What is left out stays.")
class FactCorrectInput:
    """A correction."""

    fact_id: strawberry.ID = argument("Which fact.", of="facts")
    text: str | None = optional("What is so. From then on a person vouches for it.", longest=1000)
    amount: MoneyInput | None = optional("The amount of a BUDGET fact; null takes it away.")
    dismissed: bool | None = optional("True for a fact that is wrong as a whole; false brings it back.")


@payload("The person who was added, and who they may be already.")
class PersonCreatePayload:
    """The answer of personCreate."""

    person: Person = link("The new person.")
    duplicates: list[PersonDuplicate] = column("Who they may be already, the surest first. Merge them, or leave them.")


@payload("The person who was changed.")
class PersonUpdatePayload:
    """The answer of personUpdate."""

    person: Person = link("The person, as they are now.")


@payload("The fact that was corrected.")
class FactCorrectPayload:
    """The answer of factCorrect."""

    fact: Fact = link("The fact, as it is now.")


@root
class PersonMutation:
    """Mutations of people."""

    @mutation("Add a person. Who they may be already is answered, and never merged by itself.")
    async def person_create(self, info: Info, input: PersonCreateInput) -> PersonCreatePayload:
        """Add a person."""
        created = await resolve.person_create(
            info.context, unpacked(input, PersonCreate), key_of(input.idempotency_key)
        )
        duplicates = [
            paid(
                PersonDuplicate,
                person=duplicate.other_id,
                score=duplicate.score,
                evidence=list(duplicate.evidence),
            )
            for duplicate in created.duplicates
        ]
        return paid(PersonCreatePayload, person=created.person_id, duplicates=duplicates)

    @mutation("Change a person's details. Contact details are changed by those who may see them.")
    async def person_update(self, info: Info, input: PersonUpdateInput) -> PersonUpdatePayload:
        """Change a person."""
        return paid(
            PersonUpdatePayload, person=await resolve.person_update(info.context, unpacked(input, PersonUpdate))
        )

    @mutation("Correct a fact, or dismiss it.")
    async def fact_correct(self, info: Info, input: FactCorrectInput) -> FactCorrectPayload:
        """Correct a fact."""
        return paid(FactCorrectPayload, fact=await resolve.fact_correct(info.context, unpacked(input, FactCorrect)))

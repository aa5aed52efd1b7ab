"""A person as far as the rules need to know them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.errors import NotAllowed
from domain.people.duplicates import Identity
from domain.people.emails import Email
from domain.people.kinds import ContactType
from domain.people.phones import Phone


class PersonNotYours(NotAllowed):
    """Your role changes only the people of your own leads."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the business knows.

    `known` tells whether the caller sees more of them than name and city, `own` whether also how to reach them.
    """

    id: UUID
    full_name: str
    phone: Phone | None = None
    email: Email | None = None
    city: str | None = None
    contact_type: ContactType | None = None
    household_id: UUID | None = None
    known: bool = True
    own: bool = True

    @property
    def identity(self) -> Identity:
        """What they are recognised by."""
        return Identity(
            self.id,
            self.full_name,
            phone=self.phone.e164 if self.phone else None,
            email=self.email.normalised if self.email else None,
            city=self.city,
        )

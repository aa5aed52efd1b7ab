"""Who belongs to a person: households, relationships, accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.people import AccountKind, RelationshipKind
from graph.connections import Connection
from graph.declaration import Node, column, connection, link, noun, value
from graph.scalars import DateTime

if TYPE_CHECKING:
    from graph.people.types import Person


@noun(
    "households",
    prefix="household",
    description="People who decide together.",
)
class Household(Node):
    """A household."""

    name: str = column("What it is called.")
    created_at: DateTime = column("When it was noted.")
    members: Connection[Person] = connection("Who belongs to it, by name.")


@noun(
    "relationships",
    prefix="relationship",
    description="What somebody is to a person.",
    orders={"CREATED_AT": "When it was noted."},
)
class Relationship(Node):
    """A relationship."""

    kind: RelationshipKind = column("What the other is to the person.")
    created_at: DateTime = column("When it was noted.")
    person: Person = link("Whose tie it is.")
    other: Person = link("The other person.")


@noun("accounts", prefix="account", description="A body that people belong to.")
class Account(Node):
    """An account."""

    name: str = column("What it is called.")
    kind: AccountKind = column("What kind of body it is.")
    city: str | None = column("Where it sits.")


@value("person_accounts", description="What a person is to an account.")
class PersonAccount:
    """A membership."""

    account: Account = link("The account.")
    title: str | None = column("What the person does there.")

"""People as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.access import Permission
from graph.connections import Connection
from graph.declaration import Node, by_id, column, connection, noun, root

if TYPE_CHECKING:
    from graph.leads import Lead


@noun("people", prefix="person", description="A person.", orders={"CREATED_AT": "When they were added."})
class Person(Node):
    """A person."""

    full_name: str = column("Full name.")
    city: str | None = column("Where they live.")
    leads: Connection[Lead] = connection("Their leads.")


@root
class PersonQuery:
    """Root fields that read people."""

    person: Person | None = by_id("One person, or null.", Permission.PERSON_READ)
    people: Connection[Person] = connection("People, by name.", Permission.PERSON_READ)

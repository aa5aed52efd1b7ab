"""People as clients see them: who they are, who belongs to them, and what is known about them."""

from graph.people import kinds
from graph.people.merge import PersonMergeMutation
from graph.people.mutations import PersonMutation
from graph.people.ties import Account, Household, Relationship
from graph.people.types import Fact, Person, PersonFilter, PersonQuery

__all__ = [
    "Account",
    "Fact",
    "Household",
    "Person",
    "PersonFilter",
    "PersonMergeMutation",
    "PersonMutation",
    "PersonQuery",
    "Relationship",
    "kinds",
]

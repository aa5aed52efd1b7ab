"""Families, and the accounts, advisers and colleagues around them."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final
from uuid import UUID

from app.demo.chance import identifier, likely, pick, weighted
from app.demo.names import CULTURES, Culture
from app.demo.phones import PhoneBook
from app.demo.places import City
from domain.people import AccountKind, ContactType, RelationshipKind

_DOMAINS: Final = ("example.com", "example.org", "example.net")
_FAMILIES: Final = (("single", 46), ("couple", 30), ("with child", 10), ("with parent", 10), ("siblings", 4))
_FIRM_WORDS: Final = ("Textiles", "Pharma", "Logistics", "Capital", "Foods", "Engineering", "Diagnostics", "Exports")
_TITLES: Final = ("Director", "Partner", "Managing director", "Head of treasury", "Promoter", "Chief executive")
_ADVISER_TITLES: Final = ("Chartered accountant", "Solicitor", "Wealth manager", "Family office manager")

_REVERSED: Final = {
    RelationshipKind.SPOUSE: RelationshipKind.SPOUSE,
    RelationshipKind.PARENT: RelationshipKind.CHILD,
    RelationshipKind.CHILD: RelationshipKind.PARENT,
    RelationshipKind.SIBLING: RelationshipKind.SIBLING,
    RelationshipKind.COLLEAGUE: RelationshipKind.COLLEAGUE,
    RelationshipKind.ADVISER: RelationshipKind.OTHER,
    RelationshipKind.REFERRER: RelationshipKind.OTHER,
    RelationshipKind.OTHER: RelationshipKind.OTHER,
}
"""What the first person is to the second, where the second is this to the first."""


@dataclass(slots=True)
class Person:
    """`culture` names the list in app/demo/names.py that the name is from."""

    id: UUID
    given: str
    family: str
    woman: bool
    culture: str
    city: City
    phone: str
    email: str | None
    contact_type: ContactType
    household_id: UUID | None
    created_at: datetime

    @property
    def full_name(self) -> str:
        return f"{self.given} {self.family}"


@dataclass(frozen=True, slots=True)
class Tie:
    """`other` is `kind` to `person`."""

    person: Person
    other: Person
    kind: RelationshipKind

    def reversed(self) -> "Tie":
        return Tie(self.other, self.person, _REVERSED[self.kind])


@dataclass(slots=True)
class Account:
    id: UUID
    name: str
    kind: AccountKind
    city: City
    created_at: datetime


@dataclass(slots=True)
class Household:
    """People who decide together. A single person has no household row: `id` is None."""

    id: UUID | None
    name: str
    city: City
    created_at: datetime
    members: list[Person] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    account: Account | None = None
    title: str = ""


class Registry:
    """Gives out people with phones and addresses that nobody else has."""

    def __init__(self, slug: str, phones: PhoneBook) -> None:
        self._slug = slug
        self._phones = phones
        self.count = 0

    def person(
        self, random: Random, city: City, culture: str, family: str, *, woman: bool, at: datetime,
        household_id: UUID | None = None, contact_type: ContactType = ContactType.BUYER,
    ) -> Person:  # fmt: skip
        self.count += 1
        names = CULTURES[culture]
        given = pick(random, names.women if woman else names.men)
        return Person(
            identifier(random, at), given, family, woman, culture, city, self._phones.next(city.country),
            self._email(random, given, family), contact_type, household_id, at,
        )  # fmt: skip

    def spare_phone(self, city: City) -> str:
        """Return a number that nobody has."""
        return self._phones.next(city.country)

    def _email(self, random: Random, given: str, family: str) -> str | None:
        if likely(random, 0.12):
            return None
        plain = f"{given}.{family}".lower().replace(" ", "").replace("'", "")
        # The running number keeps addresses apart: a shared one would be evidence of a duplicate.
        return f"{plain}{self.count}@{pick(random, _DOMAINS)}"


def choose_culture(random: Random, city: City) -> tuple[str, Culture]:
    name = weighted(random, city.cultures)
    return name, CULTURES[name]


def make_household(random: Random, registry: Registry, city: City, at: datetime, *, shown: bool = False) -> Household:
    """Return a family with one to four members, the first of whom leads the search. A shown one is never a single."""
    shape = weighted(random, _FAMILIES[1:] if shown else _FAMILIES)
    culture_name, culture = choose_culture(random, city)
    family = pick(random, culture.families)
    household_id = None if shape == "single" else identifier(random, at)
    household = Household(household_id, f"{family} family", city, at)
    woman = likely(random, 0.38)
    kind = ContactType.INVESTOR if likely(random, 0.14) else ContactType.BUYER

    def member(*, woman: bool, surname: str = family) -> Person:
        person = registry.person(
            random, city, culture_name, surname, woman=woman, at=at, household_id=household_id, contact_type=kind
        )
        household.members.append(person)
        return person

    first = member(woman=woman)
    if shape in {"couple", "with child", "with parent"}:
        keeps = culture.wives_keep_name and not woman
        spouse = member(woman=not woman, surname=pick(random, culture.families) if keeps else family)
        household.ties.append(Tie(first, spouse, RelationshipKind.SPOUSE))
    if shape == "with child":
        child = member(woman=likely(random, 0.5))
        household.ties.append(Tie(first, child, RelationshipKind.CHILD))
        household.ties.append(Tie(household.members[1], child, RelationshipKind.CHILD))
    if shape == "with parent":
        parent = member(woman=likely(random, 0.4))
        household.ties.append(Tie(first, parent, RelationshipKind.PARENT))
    if shape == "siblings":
        household.ties.append(Tie(first, member(woman=likely(random, 0.5)), RelationshipKind.SIBLING))
    _employ(random, household)
    return household


def _employ(random: Random, household: Household) -> None:
    """Give some families the company or the family office that pays."""
    if not likely(random, 0.16):
        return
    first = household.members[0]
    office = likely(random, 0.4)
    name = f"{first.family} Family Office" if office else f"{first.family} {pick(random, _FIRM_WORDS)}"
    kind = AccountKind.FAMILY_OFFICE if office else AccountKind.COMPANY
    household.account = Account(
        identifier(random, household.created_at), name, kind, household.city, household.created_at
    )
    household.title = pick(random, _TITLES)


def make_adviser(random: Random, registry: Registry, city: City, at: datetime) -> tuple[Person, Account, str]:
    """Return somebody who advises families, with their practice and their title in it."""
    culture_name, culture = choose_culture(random, city)
    family = pick(random, culture.families)
    kind = ContactType.BROKER if likely(random, 0.2) else ContactType.OTHER
    person = registry.person(random, city, culture_name, family, woman=likely(random, 0.4), at=at, contact_type=kind)
    practice = Account(identifier(random, at), f"{family} & {_partner(random, culture)}", AccountKind.COMPANY, city, at)
    return person, practice, pick(random, _ADVISER_TITLES)


def _partner(random: Random, culture: Culture) -> str:
    return "Associates" if likely(random, 0.5) else f"{pick(random, culture.families)} Advisers"

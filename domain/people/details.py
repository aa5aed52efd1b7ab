"""Who somebody is: adding a person and changing their details."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Invalid, Issue
from domain.people import duplicates
from domain.people.duplicates import Duplicate
from domain.people.emails import Email, parsed_email
from domain.people.kinds import ContactType
from domain.people.names import cleaned_name
from domain.people.phones import Phone, home_region, parsed_phone
from domain.people.records import Person, PersonNotYours
from domain.values import UNSET, Unset, new_id

if TYPE_CHECKING:
    from domain.unit import Unit

LONGEST_CITY: Final = 100


@dataclass(frozen=True, slots=True)
class PersonCreate:
    """Who is added."""

    full_name: str
    phone: str | None = None
    email: str | None = None
    city: str | None = None
    contact_type: ContactType | None = None


@dataclass(frozen=True, slots=True)
class PersonUpdate:
    """What changes about a person: what is UNSET stays, what is None is forgotten."""

    person_id: UUID
    full_name: str | Unset | None = UNSET
    phone: str | Unset | None = UNSET
    email: str | Unset | None = UNSET
    city: str | Unset | None = UNSET
    contact_type: ContactType | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class PersonCreated:
    """The new person, and who they may be already."""

    person_id: UUID
    duplicates: tuple[Duplicate, ...]


async def create(unit: Unit, command: PersonCreate) -> PersonCreated:
    """Add a person, and tell who they may be already: the caller decides what to do about it."""
    region = home_region(await unit.people.tenant_currency())
    person = _details(command, Person(new_id(), ""), region)
    await unit.people.add(person, unit.now)
    found = await find_duplicates(unit, person)
    unit.record(
        Change(
            action=AuditAction.CREATE,
            event="PersonCreated",
            noun="people",
            id=person.id,
            fields=_changed(Person(person.id, ""), person),
            person_id=person.id,
            activity=CrmActivityKind.PERSON_CREATED,
            summary="New person",
        )
    )
    return PersonCreated(person.id, found)


async def update(unit: Unit, command: PersonUpdate) -> UUID:
    """Change a person's details. Whoever sees somebody in full changes them; how to reach them only their own people's.

    Changing nothing is no change: nothing is written.
    """
    before = await unit.people.get_for_update(command.person_id)
    if not before.known:
        raise PersonNotYours
    for name in ("phone", "email"):
        if not before.own and getattr(command, name) is not UNSET:
            raise PersonNotYours(field=name)
    region = home_region(await unit.people.tenant_currency())
    person = _details(command, before, region)
    fields = _changed(before, person)
    if not fields:
        return person.id
    await unit.people.save(person, unit.now)
    if person.identity != before.identity:
        await find_duplicates(unit, person)
    unit.record(
        Change(
            action=AuditAction.UPDATE,
            event="PersonUpdated",
            noun="people",
            id=person.id,
            fields=fields,
            person_id=person.id,
        )
    )
    return person.id


async def find_duplicates(unit: Unit, person: Person) -> tuple[Duplicate, ...]:
    """Compare a person with everybody who has something in common with them, and keep what was found.

    Everything is kept; what is returned is what the caller may know of it.
    """
    candidates = await unit.people.candidates(person.identity)
    found = duplicates.found(person.identity, candidates)
    await unit.people.set_duplicates(person.id, found, unit.now)
    return duplicates.shown(found, candidates)


def _details(command: PersonCreate | PersonUpdate, person: Person, region: str | None) -> Person:
    """Return the person with what was given; raises Invalid with every issue."""
    issues: list[Issue] = []
    try:
        if command.full_name is not UNSET:
            person = replace(person, full_name=cleaned_name(command.full_name or ""))
    except Invalid as error:
        issues += error.issues
    try:
        person = replace(person, phone=_phone(command.phone, person.phone, region))
    except Invalid as error:
        issues += error.issues
    try:
        person = replace(person, email=_email(command.email, person.email))
    except Invalid as error:
        issues += error.issues
    try:
        person = replace(person, city=_city(command.city, person.city))
    except Invalid as error:
        issues += error.issues
    if issues:
        raise Invalid(issues=tuple(issues))
    if command.contact_type is not UNSET:
        person = replace(person, contact_type=command.contact_type)
    return person


def _phone(given: str | Unset | None, before: Phone | None, region: str | None) -> Phone | None:
    if given is UNSET:
        return before
    return None if given is None else parsed_phone(given, region)


def _email(given: str | Unset | None, before: Email | None) -> Email | None:
    if given is UNSET:
        return before
    return None if given is None else parsed_email(given)


def _city(given: str | Unset | None, before: str | None) -> str | None:
    if given is UNSET:
        return before
    city = " ".join((given or "").split())
    if len(city) > LONGEST_CITY:
        raise Invalid(f"A city has at most {LONGEST_CITY} characters.", field="city")
    return city or None


def _changed(before: Person, after: Person) -> tuple[str, ...]:
    names = {
        "full_name": "fullName", "phone": "primaryPhone", "email": "primaryEmail", "city": "city",
        "contact_type": "contactType",
    }  # fmt: skip
    return tuple(shown for name, shown in names.items() if getattr(before, name) != getattr(after, name))

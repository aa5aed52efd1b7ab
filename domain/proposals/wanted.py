"""What each kind of proposal would change: read from its list of changes, compared with what is there, carried out.

Carrying out runs the use case that a person would have run: its rules, its audit entries, its events and activities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain import leads, perception
from domain.access import Actor
from domain.errors import Invalid, NotFound
from domain.leads import LeadUpdate, normalised_tags
from domain.people import ContactType, FactKind, FactSource, details, facts, merge
from domain.people.facts import LONGEST_TEXT, FactLearn
from domain.people.records import Person
from domain.proposals.kinds import ProposalKind, ProposalSourceKind
from domain.proposals.store import Evidence, FieldChange, Proposal
from domain.values import Money

if TYPE_CHECKING:
    from domain.unit import Unit

TAGS: Final = "tags"
FACT: Final = "fact"
PERSON: Final = "person"
SESSION: Final = "session"
DETAILS: Final = {
    "fullName": "full_name", "phone": "phone", "email": "email", "city": "city", "contactType": "contact_type",
}  # fmt: skip
"""The details of a person that an import proposes, and what commands call them."""


class Wanted(Protocol):
    """A change of one kind."""

    async def holds(self, unit: Unit) -> bool:
        """Whether what would change is still as it was proposed upon; it is locked from then on."""

    async def carry_out(self, unit: Unit) -> Actor | None:
        """Make the change; return what the proposal is about from then on, where that is new."""


def wanted(proposal: Proposal) -> Wanted:
    """Return what a proposal would change; raises Invalid where that cannot be told."""
    return _READERS[proposal.kind](proposal)


@dataclass(frozen=True, slots=True)
class _Tags:
    lead_id: UUID
    before: frozenset[str]
    after: list[str]

    async def holds(self, unit: Unit) -> bool:
        lead = await unit.leads.get_for_update(self.lead_id)
        return {tag.casefold() for tag in lead.tags} == self.before

    async def carry_out(self, unit: Unit) -> None:
        await leads.update(unit, LeadUpdate(self.lead_id, tags=self.after))


@dataclass(frozen=True, slots=True)
class _Known:
    """A fact as the proposal found it."""

    id: UUID
    text: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class _Fact:
    command: FactLearn
    before: _Known | None

    async def holds(self, unit: Unit) -> bool:
        command = self.command
        if self.before is None:
            return not await unit.people.has_fact(command.person_id, command.kind, command.text)
        fact = await unit.people.get_fact_for_update(self.before.id)
        found = _Known(fact.id, fact.text, fact.amount)
        return found == self.before and fact.kind is command.kind and fact.dismissed_at is None

    async def carry_out(self, unit: Unit) -> None:
        await facts.learn(unit, self.command)


@dataclass(frozen=True, slots=True)
class _Match:
    keep_id: UUID
    absorb_id: UUID

    async def holds(self, unit: Unit) -> bool:
        try:
            await unit.people.get_all_for_update((self.keep_id, self.absorb_id))
        except NotFound:
            # One of them was absorbed meanwhile.
            return False
        return True

    async def carry_out(self, unit: Unit) -> Actor:
        await merge.merge(unit, merge.PersonMerge(self.keep_id, (self.absorb_id,), dry_run=False))
        return Actor("people", self.keep_id)


@dataclass(frozen=True, slots=True)
class _Visitor:
    session_id: UUID
    person_id: UUID

    async def holds(self, unit: Unit) -> bool:
        await unit.perception.session_for_update(self.session_id)
        found = await unit.cctv.recognised(self.session_id, unit.now)
        return [each.person_id for each in found] == [self.person_id]

    async def carry_out(self, unit: Unit) -> None:
        await perception.match(unit, perception.SessionMatch(self.session_id, self.person_id), _nobody_new)


@dataclass(frozen=True, slots=True)
class _Details:
    person_id: UUID | None
    before: Mapping[str, str | None]
    after: Mapping[str, str | ContactType | None]

    async def holds(self, unit: Unit) -> bool:
        if self.person_id is None:
            return True
        person = await unit.people.get_for_update(self.person_id)
        return all(text in _written(person, name) for name, text in self.before.items())

    async def carry_out(self, unit: Unit) -> Actor | None:
        if self.person_id is not None:
            await details.update(unit, details.PersonUpdate(self.person_id, **self.after))  # type: ignore[arg-type]  # read by _details
            return None
        created = await details.create(unit, details.PersonCreate(**self.after))  # type: ignore[arg-type]  # as above
        return Actor("people", created.person_id)


def _tags(proposal: Proposal) -> Wanted:
    change = _only(proposal, TAGS)
    before, after = (_texts(value) for value in (change.before, change.after))
    return _Tags(_subject(proposal, "leads"), frozenset(tag.casefold() for tag in before), normalised_tags(after))


def _fact(proposal: Proposal) -> Wanted:
    change, person_id = _only(proposal, FACT), _subject(proposal, "people")
    after = _object(change.after)
    before = None if change.before is None else _known(_object(change.before))
    text, amount = " ".join(_text(after, "text").split()), _amount(after)
    kind = next((kind for kind in FactKind if kind.name == after.get("kind")), None)
    if kind is None or not 1 <= len(text) <= LONGEST_TEXT or (amount is not None and kind is not FactKind.BUDGET):
        raise _unreadable()
    evidence = next((each for each in proposal.evidence if each.interaction_id is not None), Evidence(""))
    imported = proposal.origin.kind is ProposalSourceKind.IMPORT
    return _Fact(
        FactLearn(
            person_id,
            kind,
            text,
            FactSource.IMPORTED if imported else FactSource.MODEL,
            proposal.created_at,
            amount=amount,
            interaction_id=evidence.interaction_id,
            quote=evidence.text or None,
            fact_id=None if before is None else before.id,
        ),
        before,
    )


def _match(proposal: Proposal) -> Wanted:
    person_id = _subject(proposal, "people")
    if proposal.changes and proposal.changes[0].field == SESSION:
        return _Visitor(_named(_object(_only(proposal, SESSION).after), "session"), person_id)
    change = _only(proposal, PERSON)
    absorb_id, keep_id = (_named(_object(value), "person") for value in (change.before, change.after))
    if keep_id == absorb_id:
        raise _unreadable()
    return _Match(keep_id, absorb_id)


def _details(proposal: Proposal) -> Wanted:
    person_id = None if proposal.subject is None else _subject(proposal, "people")
    changes = {change.field: change for change in proposal.changes}
    if not changes or len(changes) < len(proposal.changes) or not changes.keys() <= DETAILS.keys():
        raise _unreadable()
    before = {DETAILS[name]: _optional(change.before) for name, change in changes.items()}
    after: dict[str, str | ContactType | None] = {
        DETAILS[name]: _optional(change.after) for name, change in changes.items()
    }
    if person_id is None and (not after.get("full_name") or any(text is not None for text in before.values())):
        raise _unreadable()
    if after.get("contact_type") is not None:
        try:
            after["contact_type"] = ContactType[str(after["contact_type"])]
        except KeyError:
            raise _unreadable() from None
    return _Details(person_id, before, after)


_READERS: Final[Mapping[ProposalKind, Callable[[Proposal], Wanted]]] = {
    ProposalKind.LEAD_TAG: _tags,
    ProposalKind.FACT: _fact,
    ProposalKind.MATCH: _match,
    ProposalKind.IMPORT: _details,
}


def _written(person: Person, name: str) -> tuple[str | None, ...]:
    """Return how one of a person's details may be written: a number and an address in more than one way."""
    match name:
        case "phone":
            return (person.phone.e164, person.phone.raw) if person.phone else (None,)
        case "email":
            return (person.email.address, person.email.normalised) if person.email else (None,)
        case "contact_type":
            return (person.contact_type and person.contact_type.name,)
        case _:
            return (getattr(person, name),)


def _only(proposal: Proposal, field: str) -> FieldChange:
    if len(proposal.changes) != 1 or proposal.changes[0].field != field:
        raise _unreadable()
    return proposal.changes[0]


def _subject(proposal: Proposal, noun: str) -> UUID:
    if proposal.subject is None or proposal.subject.noun != noun:
        raise _unreadable()
    return proposal.subject.id


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _unreadable()
    return value


def _text(value: Mapping[str, object], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise _unreadable()
    return text


def _optional(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _unreadable()
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _unreadable()
    return value


def _named(value: Mapping[str, object], prefix: str) -> UUID:
    """Return the row that an object names by `id`, a global id such as `person_0192…`."""
    kind, _, row_id = _text(value, "id").partition("_")
    try:
        found = UUID(row_id)
    except ValueError:
        raise _unreadable() from None
    if kind != prefix:
        raise _unreadable()
    return found


def _known(value: Mapping[str, object]) -> _Known:
    return _Known(_named(value, "fact"), _text(value, "text"), _amount(value))


def _amount(value: Mapping[str, object]) -> Money | None:
    if value.get("amount") is None:
        return None
    amount = _object(value["amount"])
    return Money.parse(_text(amount, "amount"), _text(amount, "currency"))


async def _nobody_new(_unit: Unit, _visitor: perception.WalkInLead) -> tuple[UUID, UUID]:
    raise _unreadable()


def _unreadable() -> Invalid:
    return Invalid("This proposal does not say what would change.", field="changes")

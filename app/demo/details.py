"""The concrete details of one search for a home, which the lines of app/demo/words/ are filled with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from app.demo import amounts
from app.demo.chance import between, days, likely, pick, weighted, whole
from app.demo.names import CULTURES
from app.demo.people import Household, Person
from app.demo.places import City
from app.demo.projects import Unit, ordinal
from app.demo.team import User
from domain.people import RelationshipKind

_NUMBERS: Final = ("one", "two", "three", "four", "five", "six")
_PETS: Final = ("Labrador", "Golden Retriever", "Beagle", "cat", "Shih Tzu", "German Shepherd", "Dachshund")
_RELATION_WORDS: Final = {
    RelationshipKind.SPOUSE: ("wife", "husband"),
    RelationshipKind.PARENT: ("mother", "father"),
    RelationshipKind.CHILD: ("daughter", "son"),
    RelationshipKind.SIBLING: ("sister", "brother"),
}
_RIVALS: Final = {
    True: ("Ivory Court", "Pine Ridge", "Shalimar Park"),
    False: ("Azure Point", "Desert Rose", "Oryx Bay"),
}
_NOON: Final = 12
_EVENING: Final = 17
_RELATION_BACK: Final = {
    RelationshipKind.PARENT: RelationshipKind.CHILD,
    RelationshipKind.CHILD: RelationshipKind.PARENT,
}


@dataclass(frozen=True, slots=True)
class Search:
    """One person's search: what it is about and who takes part. `budget` is in the currency of `unit`'s city."""

    person: Person
    household: Household
    broker: User
    senior: User
    firm: str
    unit: Unit
    other: Unit
    budget: Decimal
    adviser: str
    referrer: str

    @property
    def city(self) -> City:
        return self.unit.project.city

    @property
    def currency(self) -> str:
        return self.city.currency


class Details(dict[str, object]):
    """The slots of a search by name. What differs between conversations is made up when it is first asked for."""

    def __init__(self, random: Random, lasting: Mapping[str, object], at: datetime, offset: timedelta) -> None:
        super().__init__(lasting)
        self.random, self.offset = random, offset
        self.local = self.meeting = at + offset
        self.begin(at)

    def begin(self, at: datetime, meeting_at: datetime | None = None) -> None:
        """Begin a conversation. `meeting_at` is the visit that it is about."""
        for name in _PASSING:
            self.pop(name, None)
        self.local = at + self.offset
        if meeting_at:
            self.meeting = meeting_at + self.offset
        else:
            day = self.local + days(whole(self.random, 2, 6))
            self.meeting = day.replace(hour=pick(self.random, (10, 11, 16, 17)), minute=30)

    def __missing__(self, name: str) -> object:
        value = self[name] = _PASSING[name](self.random, self)
        return value


def lasting(random: Random, search: Search) -> dict[str, object]:
    """Return what stays the same through a search."""
    unit, other, city = search.unit, search.other, search.city
    project, price = unit.project, float(unit.price)
    relation, relation_name = _relation(random, search)
    spoken = amounts.short
    currency = city.currency
    return {
        "client": search.person.given, "broker": search.broker.given, "senior": search.senior.given,
        "firm": search.firm, "home": search.person.city.name, "city": city.name,
        "project": project.name, "other_project": _rival(random, search),
        "developer": project.developer, "permit": project.permit, "possession": project.possession,
        "plan": project.plan, "unit": unit.label, "other_unit": other.label, "listing": unit.listing_key,
        "tower": unit.tower, "floor": ordinal(unit.floor), "config": unit.configuration, "size": f"{unit.area:,}",
        "carpet": f"{unit.carpet:,}", "view": unit.view, "facing": unit.facing,
        "parking": _NUMBERS[unit.parking - 1], "locality": project.locality.name,
        "landmark": project.locality.landmark, "price": spoken(unit.price, currency),
        "rate": amounts.rate(unit.rate, currency), "old_rate": amounts.rate(unit.rate * 0.78, currency),
        "budget": spoken(search.budget, currency), "offer": spoken(_stepped(price * 0.92, currency), currency),
        "counter": spoken(_stepped(price * 0.965, currency), currency), "saving": spoken(price * 0.03, currency),
        "token": spoken(_stepped(price * 0.05, currency), currency), "charge": f"{_sign(currency)}{unit.charge}",
        "monthly": amounts.short(_monthly(unit), currency), "tax_amount": spoken(price * _duty(city), currency),
        "tax": "stamp duty and GST" if city.in_india else "registration", "rent": spoken(price * 0.034, currency),
        "relation": relation, "relation_name": relation_name, "adviser": search.adviser, "referrer": search.referrer,
        "school": pick(random, city.schools), "bank": pick(random, city.banks), "grade": whole(random, 1, 9),
        "cars": _NUMBERS[whole(random, 1, 3)], "pet": pick(random, _PETS), "share": f"{whole(random, 10, 16) * 5}%",
        "heads": _NUMBERS[whole(random, 2, 5)],
    }  # fmt: skip


def clock(hour: float) -> str:
    """Return 10 am, 4:30 pm."""
    whole_hour, minute = int(hour), round(hour % 1 * 60)
    half = "am" if whole_hour < _NOON else "pm"
    shown = (whole_hour - 1) % 12 + 1
    return f"{shown}:{minute:02d} {half}" if minute else f"{shown} {half}"


def _time(random: Random, _: Details) -> str:
    return clock(pick(random, (10, 10.5, 11, 11.5, 12, 14.5, 15, 16, 16.5, 17, 17.5, 18, 19)))


def _part_of_day(_: Random, details: Details) -> str:
    hour = details.local.hour
    return "morning" if hour < _NOON else "afternoon" if hour < _EVENING else "evening"


def _date(random: Random, details: Details) -> str:
    later = details.local + days(whole(random, 5, 26))
    return f"{later.day} {later:%B}"


_PASSING: Final[dict[str, Callable[[Random, Details], object]]] = {
    "part_of_day": _part_of_day,
    "day": lambda random, details: f"{details.local + days(whole(random, 1, 3)):%A}",
    "time": _time,
    "alt_day": lambda _, details: f"{details.meeting:%A}",
    "alt_time": lambda _, details: clock(details.meeting.hour + details.meeting.minute / 60),
    "past_day": lambda random, details: f"{details.local - days(whole(random, 2, 6)):%A}",
    "date": _date,
    "month": lambda random, details: f"{details.local + days(whole(random, 60, 240)):%B}",
    "minutes": lambda random, _: whole(random, 7, 38),
    "few": lambda random, _: whole(random, 2, 9),
    "families": lambda random, _: whole(random, 5, 64),
    "left": lambda random, _: weighted(random, (("two", 3), ("three", 3), ("four", 2), ("only one", 2))),
    "room": lambda random, _: f"{whole(random, 13, 19)} x {whole(random, 14, 24)}",
    "height": lambda random, _: whole(random, 10, 12),
    "people_count": lambda random, _: whole(random, 4, 6),
    "lifts": lambda random, _: _NUMBERS[whole(random, 1, 4)],
    "yield_rate": lambda random, _: f"{between(random, 2.8, 6.9):.1f}",
    "growth": lambda random, _: whole(random, 11, 34),
    "paid": lambda random, _: whole(random, 4, 10) * 5,
    "track": lambda random, _: f"{between(random, 0.6, 2.4):.1f}",
}
"""What differs from one conversation to the next."""


def _relation(random: Random, search: Search) -> tuple[str, str]:
    """Return how the client speaks of the person they decide with, and that person's name."""
    person, household = search.person, search.household
    for tie in household.ties:
        if tie.person is person:
            return _spoken_tie(tie.kind, tie.other)
        if tie.other is person:
            return _spoken_tie(_RELATION_BACK.get(tie.kind, tie.kind), tie.person)
    culture = CULTURES[person.culture]
    woman = likely(random, 0.5)
    name = pick(random, culture.women if woman else culture.men)
    return f"my {'sister' if woman else 'brother'} {name}", name


def _rival(random: Random, search: Search) -> str:
    """Return another project that the client looks at: one of ours, or a competitor's."""
    other = search.other.project
    return other.name if other is not search.unit.project else pick(random, _RIVALS[search.city.in_india])


def _spoken_tie(kind: RelationshipKind, other: Person) -> tuple[str, str]:
    words = _RELATION_WORDS[kind]
    return f"my {words[0] if other.woman else words[1]} {other.given}", other.given


def _stepped(amount: float, currency: str) -> Decimal:
    return amounts.rounded(amount, currency)


def _monthly(unit: Unit) -> float:
    return unit.charge * unit.area / (1 if unit.project.city.in_india else 12)


def _duty(city: City) -> float:
    return 0.06 if city.in_india else 0.04


def _sign(currency: str) -> str:
    return "₹" if currency == "INR" else f"{currency} "

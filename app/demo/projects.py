"""What is for sale: fictional developers, their projects, and the units in them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from app.demo import amounts
from app.demo.chance import at_local_hour, between, days, identifier, likely, pick, weighted, whole
from app.demo.places import City, Locality
from app.demo.words import letters
from domain.properties import DevelopmentStatus, PropertySubType, StandardStatus

_DEVELOPERS: Final = {
    True: (
        "Meghdoot Estates", "Varahi Developers", "Kaveri Crest", "Suryansh Landmarks", "Chandrika Habitat",
        "Ashvattha Group", "Devgiri Realty", "Palash Homes", "Saptarishi Builders", "Nilgiri House",
    ),
    False: (
        "Marsa Noor Properties", "Qasr Al Bahr Development", "Sahil One", "Zumurrud Living", "Rimal Heights",
        "Lulwat Al Khaleej", "Najd Courts", "Burj Al Yamama Homes",
    ),
}  # fmt: skip
_FIRST_WORDS: Final = {
    True: (
        "Amaltas", "Parijat", "Kadamba", "Neelkanth", "Suvarna", "Mandakini", "Saptaparni", "Malhar", "Yamini",
        "Indraneel", "Bakul", "Champak", "Gulmohar", "Kachnar", "Tamarind", "Madhavi", "Rajanigandha", "Sarovar",
    ),
    False: (
        "Noor", "Lulwa", "Marjan", "Sadaf", "Sidra", "Ghaf", "Rimal", "Safa", "Zafran", "Qamar", "Durra", "Anbar",
        "Hayat", "Rayhan", "Saba", "Dana",
    ),
}  # fmt: skip
_SECOND_WORDS: Final = {
    True: ("Residences", "Court", "Terraces", "Grove", "House", "Sky Villas", "Enclave", "One", "Crest", "Gardens"),
    False: ("Residences", "Mansions", "Gardens", "Waterfront", "Pavilion", "Villas", "Boulevard", "Bay", "Heights"),
}
_CITY_VIEWS: Final = ("the skyline view", "a garden view", "a corner view on two sides", "a view over old trees")
_SEA_VIEWS: Final = ("open sea view", "the sunset view", "a partial sea view")
_VIEWS: Final = {
    "MUM": (*_SEA_VIEWS, *_CITY_VIEWS, "the harbour view"),
    "GGN": (*_CITY_VIEWS, "the golf green view", "the Aravalli view"),
    "DEL": ("a park view", "a garden view", "a view over old trees", "a corner view on two sides"),
    "BLR": (*_CITY_VIEWS, "a lake view", "the park view"),
    "HYD": (*_CITY_VIEWS, "the rocks and lake view", "the hill view"),
    "PNQ": (*_CITY_VIEWS, "the river view", "the hill view"),
    "GOI": ("a paddy field view", "the river view", "a garden view", "a partial sea view", "a pool and palms view"),
    "MAA": (*_CITY_VIEWS, "the estuary view", "open sea view"),
    "DXB": (*_SEA_VIEWS, "the marina view", "the skyline view", "the golf view", "the canal view", "an island view"),
    "AUH": (*_SEA_VIEWS, "the mangrove view", "the canal view", "the skyline view"),
    "DOH": (*_SEA_VIEWS, "the lagoon view", "the marina view"),
    "RUH": ("the wadi view", "the skyline view", "a palm court view", "a garden view"),
}
_FACINGS: Final = ("east", "north-east", "north", "west", "north-west")
_PLANS: Final = {True: ("20:80", "30:70", "25:75", "construction linked"), False: ("60/40", "70/30", "50/50", "80/20")}
_BEDROOMS: Final = ((2, 12), (3, 36), (4, 34), (5, 14), (6, 4))
_AREAS: Final = {2: (1_050, 1_650), 3: (1_600, 2_700), 4: (2_500, 4_400), 5: (4_000, 6_800), 6: (5_800, 9_500)}
_STATUSES: Final = (
    (StandardStatus.ACTIVE, 44),
    (StandardStatus.CLOSED, 28),
    (StandardStatus.ACTIVE_UNDER_CONTRACT, 9),
    (StandardStatus.PENDING, 7),
    (StandardStatus.COMING_SOON, 6),
    (StandardStatus.HOLD, 4),
    (StandardStatus.WITHDRAWN, 2),
)
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}
_TEENS: Final = (11, 12, 13)
_TOP_FLOOR: Final = 39
_SHORT_NAME_TRIES: Final = 20
UNITS_PER_PROJECT: Final = 14
_STATES: Final = {
    "MUM": "Maharashtra", "PNQ": "Maharashtra", "GGN": "Haryana", "DEL": "Delhi", "BLR": "Karnataka",
    "HYD": "Telangana", "GOI": "Goa", "MAA": "Tamil Nadu", "DXB": "Dubai", "AUH": "Abu Dhabi", "DOH": "Doha",
    "RUH": "Riyadh Region",
}  # fmt: skip


@dataclass(slots=True)
class Project:
    id: UUID
    name: str
    developer: str
    city: City
    locality: Locality
    handover_on: date
    completed: bool
    listed_at: datetime
    plan: str
    permit: str
    number: int

    @property
    def possession(self) -> str:
        return f"{self.handover_on:%B %Y}"

    @property
    def state(self) -> str:
        return _STATES[self.city.code]


@dataclass(slots=True)
class Unit:
    """A property. `area` and `carpet` are square feet, `price` is in the city's currency. Closed: at `changed_at`."""

    id: UUID
    project: Project
    listing_key: str
    label: str
    tower: str
    floor: int
    bedrooms: int
    area: int
    carpet: int
    price: Decimal
    kind: PropertySubType
    status: StandardStatus
    view: str
    facing: str
    parking: int
    charge: int
    listed_at: datetime
    changed_at: datetime
    archived_at: datetime | None
    remarks: str = ""

    @property
    def villa(self) -> bool:
        return self.kind is PropertySubType.VILLA

    @property
    def configuration(self) -> str:
        size = f"{self.bedrooms} BHK" if self.project.city.in_india else f"{self.bedrooms}-bedroom"
        return f"{size} {'villa' if self.villa else 'flat'}" if self.villa or not self.project.city.in_india else size

    @property
    def rate(self) -> float:
        return float(self.price) / self.area


@dataclass(slots=True)
class Market:
    """The inventory of one city. Open units get leads; a sold unit is the end of exactly one won lead."""

    city: City
    projects: list[Project] = field(default_factory=list)
    open_units: list[Unit] = field(default_factory=list)
    sold_units: list[Unit] = field(default_factory=list)
    promised_units: list[Unit] = field(default_factory=list)


def make_project(random: Random, city: City, number: int, now: datetime, taken: set[str]) -> Project:
    """Return a project of a city; the first of each city is always still being built."""
    locality = city.localities[(number - 1) % len(city.localities)]
    name = _name(random, city, locality, taken)
    completed = number > 1 and likely(random, 0.15)
    ahead = whole(random, -700, -120) if completed else whole(random, 100, 900)
    handover = (now + timedelta(days=ahead)).date().replace(day=1)
    listed_at = now - days(between(random, 640, 1_100))
    permit = f"{city.code}/{whole(random, 1000, 9999)}/{listed_at.year}"
    return Project(
        identifier(random, listed_at), name, pick(random, _DEVELOPERS[city.in_india]), city, locality, handover,
        completed, listed_at, pick(random, _PLANS[city.in_india]), permit, number,
    )  # fmt: skip


def _name(random: Random, city: City, locality: Locality, taken: set[str]) -> str:
    """Return a name no other project of the tenant has."""
    for attempt in range(1, 1_000):
        first, second = pick(random, _FIRST_WORDS[city.in_india]), pick(random, _SECOND_WORDS[city.in_india])
        name = f"{first} {second}"
        if attempt > _SHORT_NAME_TRIES:
            name = f"{name} {locality.name} {attempt}"
        if name not in taken:
            taken.add(name)
            return name
    raise AssertionError("a thousand tries found no free project name")


def make_unit(random: Random, project: Project, number: int, now: datetime) -> Unit:
    """Return the unit of a project with the running `number`."""
    city, locality = project.city, project.locality
    villa = likely(random, city.villas / 100)
    bedrooms = weighted(random, _BEDROOMS) if not villa else whole(random, 4, 6)
    tower, floor = "ABCD"[number % 4], 4 + number // 4 * 9 + whole(random, 0, 8)
    label = f"Villa {number + 1}" if villa else f"{tower}-{floor}{number % 4 + 1:02d}"
    area = whole(random, *_AREAS[bedrooms]) // 10 * 10
    height = 0.5 if villa else floor / _TOP_FLOOR
    price = area * between(random, locality.low, locality.low + (locality.high - locality.low) * (0.4 + 0.6 * height))
    listed_at = project.listed_at + days(between(random, 0, 60))
    status = weighted(random, _STATUSES)
    changed_at = at_local_hour(now - days(between(random, 4, 280)), between(random, 10, 18), city.offset)
    archived = status is StandardStatus.WITHDRAWN and likely(random, 0.7)
    unit = Unit(
        identifier(random, listed_at), project, f"{city.code}-{project.number:03d}-{number + 1:03d}", label,
        f"Tower {tower}", floor, bedrooms, area, round(area * between(random, 0.74, 0.92)),
        amounts.rounded(price, city.currency), PropertySubType.VILLA if villa else _kind(random, city),
        status, pick(random, _VIEWS[city.code]), pick(random, _FACINGS), min(4, max(2, bedrooms - 1)),
        whole(random, 9, 26) if city.in_india else whole(random, 14, 32), listed_at, changed_at,
        changed_at if archived else None,
    )  # fmt: skip
    unit.remarks = _remarks(random, unit)
    return unit


def _kind(random: Random, city: City) -> PropertySubType:
    kinds = ((PropertySubType.APARTMENT, 80), (PropertySubType.DUPLEX, 12), (PropertySubType.TOWNHOUSE, 8))
    return weighted(random, kinds[:2] if city.in_india else kinds)


def _remarks(random: Random, unit: Unit) -> str:
    project = unit.project
    openings = letters.REMARKS_OPENING[1:] if unit.villa else letters.REMARKS_OPENING
    text = " ".join(
        (pick(random, openings), pick(random, letters.REMARKS_MIDDLE), pick(random, letters.REMARKS_ENDING))
    )
    return text.format(
        bedrooms=unit.bedrooms, kind=unit.kind.value.lower(), floor=ordinal(unit.floor), tower=unit.tower,
        view=unit.view, facing=unit.facing, size=f"{unit.area:,}", locality=project.locality.name,
        landmark=project.locality.landmark, project=project.name, developer=project.developer,
        parking=unit.parking, possession=project.possession,
    )  # fmt: skip


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 11th."""
    if number % 100 in _TEENS:
        return f"{number}th"
    return f"{number}{_ENDINGS.get(number % 10, 'th')}"


def build_market(random: Random, city: City, units: int, now: datetime, taken: set[str]) -> tuple[Market, list[Unit]]:
    """Return the inventory of a city and every unit in it, also those that nobody may ask for."""
    market, every = Market(city), []
    for number in range(units):
        if number % UNITS_PER_PROJECT == 0:
            market.projects.append(make_project(random, city, len(market.projects) + 1, now, taken))
        project = market.projects[-1]
        unit = make_unit(random, project, number % UNITS_PER_PROJECT, now)
        if number == 0:
            unit.status, unit.archived_at = StandardStatus.ACTIVE, None
        every.append(unit)
        if not project.completed:
            _shelf(market, unit.status).append(unit)
    return market, every


def _shelf(market: Market, status: StandardStatus) -> list[Unit]:
    if status is StandardStatus.CLOSED:
        return market.sold_units
    if status in {StandardStatus.ACTIVE_UNDER_CONTRACT, StandardStatus.PENDING}:
        return market.promised_units
    if status in {StandardStatus.ACTIVE, StandardStatus.HOLD}:
        return market.open_units
    return []


def development_status(project: Project, now: datetime) -> DevelopmentStatus:
    if project.completed:
        return DevelopmentStatus.COMPLETED
    far = project.handover_on > (now + timedelta(days=800)).date()
    return DevelopmentStatus.PROPOSED if far else DevelopmentStatus.UNDER_CONSTRUCTION

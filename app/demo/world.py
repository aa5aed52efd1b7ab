"""What the stories of one tenant share: the firm, the inventory, who advises, and how much is still to tell."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.demo.history import Recent
from app.demo.people import Account, Person, Registry
from app.demo.places import City
from app.demo.projects import Market, Unit
from app.demo.rows import Batch
from app.demo.team import Firm
from app.demo.voice import Ledger

LEADS_PER_PERSON: Final = 1.5
INTERACTIONS_PER_LEAD: Final = 9.3
POINTS_PER_PERSON: Final = 100.0


@dataclass(slots=True)
class Pace:
    """Counts what was told, so that the stories stay close to their volumes whatever chance does."""

    people: int = 0
    leads: int = 0
    interactions: int = 0
    points: int = 0

    @property
    def wants_leads(self) -> bool:
        return self.leads < self.people * LEADS_PER_PERSON

    @property
    def talk(self) -> float:
        """Return how much more than usual to talk: above one when there is too little so far."""
        wanted = self.leads * INTERACTIONS_PER_LEAD
        return min(2.5, max(0.3, 1 + 6 * (wanted - self.interactions) / (wanted + 200)))

    @property
    def density(self) -> float:
        """Return how much denser than usual to draw curves."""
        wanted = self.people * POINTS_PER_PERSON
        return min(3.0, max(0.3, 1 + 6 * (wanted - self.points) / (wanted + 2_000)))


@dataclass(frozen=True, slots=True)
class Adviser:
    person: Person
    practice: Account
    title: str


@dataclass(slots=True)
class World:
    """`batch` is replaced when it is loaded. `now` is the reference instant: nothing happens after it."""

    firm: Firm
    markets: dict[str, Market]
    units: list[Unit]
    registry: Registry
    batch: Batch
    recent: Recent
    now: datetime
    zone: ZoneInfo
    ledger: Ledger = field(default_factory=Ledger)
    pace: Pace = field(default_factory=Pace)
    advisers: dict[str, list[Adviser]] = field(default_factory=dict)
    videos: list[tuple[UUID, tuple[UUID, ...]]] = field(default_factory=list)
    buyers: deque[Person] = field(default_factory=lambda: deque(maxlen=200))

    @property
    def cities(self) -> list[City]:
        return [market.city for market in self.markets.values()]

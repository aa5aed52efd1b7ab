"""The two tenants, their users and teams, and who works on what."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final
from uuid import UUID

from app.demo.chance import between, days, generator, identifier, likely, pick
from app.demo.names import CULTURES
from app.demo.places import (
    ABU_DHABI,
    BENGALURU,
    CHENNAI,
    DELHI,
    DOHA,
    DUBAI,
    GOA,
    GURUGRAM,
    HYDERABAD,
    MUMBAI,
    PUNE,
    RIYADH,
    City,
)
from domain.access import Role, UserStatus


@dataclass(frozen=True, slots=True)
class TenantPlan:
    """What is fixed about a demo tenant. `cities` come in the order in which a small seed uses them."""

    slug: str
    name: str
    time_zone: str
    currency: str
    high_value: int
    cities: tuple[City, ...]
    teams: tuple[tuple[str, tuple[City, ...]], ...]
    sign_ins: tuple[tuple[Role, str], ...]
    people: int
    has_provider: bool

    def email(self, role: Role) -> str:
        """Return the fixed address of the demo user of a role."""
        return f"{_ADDRESSES[role]}@{self.slug}.example"

    def tenant_id(self, now: datetime) -> UUID:
        """Return the id that the tenant gets with that reference instant."""
        return identifier(generator(self.slug, "tenant"), founded(now))


_ADDRESSES: Final = {
    Role.ADMIN: "admin",
    Role.SALES_DIRECTOR: "director",
    Role.SENIOR_BROKER: "senior",
    Role.JUNIOR_BROKER: "junior",
}

SAFFRON: Final = TenantPlan(
    "saffron",
    "Saffron Crescent",
    "Asia/Kolkata",
    "INR",
    250_000_000,
    (
        MUMBAI, DUBAI, GURUGRAM, BENGALURU, HYDERABAD, PUNE, DELHI, CHENNAI, ABU_DHABI, GOA, DOHA, RIYADH,
    ),
    (
        ("Mumbai", (MUMBAI,)),
        ("Dubai", (DUBAI,)),
        ("Delhi NCR", (GURUGRAM, DELHI)),
        ("Bengaluru and Chennai", (BENGALURU, CHENNAI)),
        ("Hyderabad", (HYDERABAD,)),
        ("Pune and Goa", (PUNE, GOA)),
        ("Abu Dhabi, Doha and Riyadh", (ABU_DHABI, DOHA, RIYADH)),
    ),
    (
        (Role.ADMIN, "Zarine Batliwala"),
        (Role.SALES_DIRECTOR, "Vikram Oberoi"),
        (Role.SENIOR_BROKER, "Ketaki Ranade"),
        (Role.JUNIOR_BROKER, "Rohan Kelkar"),
    ),
    people=2_000,
    has_provider=True,
)  # fmt: skip

MERIDIAN: Final = TenantPlan(
    "meridian",
    "Pearl Meridian Realty",
    "Asia/Dubai",
    "AED",
    15_000_000,
    (DUBAI, ABU_DHABI),
    (("Emirates", (DUBAI, ABU_DHABI)),),
    (
        (Role.ADMIN, "Hala Khoury"),
        (Role.SALES_DIRECTOR, "Edward Sinclair"),
        (Role.SENIOR_BROKER, "Faisal Al Shamsi"),
        (Role.JUNIOR_BROKER, "Lekha Nair"),
    ),
    people=60,
    has_provider=False,
)


@dataclass(slots=True)
class User:
    id: UUID
    full_name: str
    email: str
    role: Role
    status: UserStatus
    joined_at: datetime
    last_seen_at: datetime | None

    @property
    def given(self) -> str:
        return self.full_name.split(" ", 1)[0]


@dataclass(slots=True)
class Team:
    """`turn` counts the leads given out, so that they go round."""

    id: UUID
    name: str
    cities: tuple[City, ...]
    senior: User
    juniors: list[User] = field(default_factory=list)
    turn: int = 0

    def next_assignee(self) -> User:
        """Return who takes the next lead. The first junior takes two in a round, the senior one."""
        round_of_team = [self.juniors[0], *self.juniors, self.senior]
        self.turn += 1
        return round_of_team[self.turn % len(round_of_team)]


@dataclass(slots=True)
class Firm:
    """A tenant with everybody who works there. `robot` is the system actor that imports and tidies."""

    plan: TenantPlan
    id: UUID
    founded_at: datetime
    users: list[User]
    teams: list[Team]
    robot: UUID

    def user(self, role: Role) -> User:
        """Return the demo user of a role."""
        email = self.plan.email(role)
        return next(user for user in self.users if user.email == email)

    def team_of(self, city: City) -> Team:
        return next((team for team in self.teams if city in team.cities), self.teams[0])


class _Staff:
    """Hires users with names and addresses that nobody else in the firm has."""

    def __init__(self, random: Random, plan: TenantPlan, founded_at: datetime, now: datetime) -> None:
        self._random, self._plan, self._founded_at, self._now = random, plan, founded_at, now
        self._names: set[str] = set()
        self.users: list[User] = []

    def hire_named(self, role: Role, full_name: str) -> User:
        return self._hire(role, full_name, self._plan.email(role), UserStatus.ACTIVE)

    def hire(self, role: Role, city: City, status: UserStatus = UserStatus.ACTIVE) -> User:
        full_name = self._name(city)
        local_part = full_name.lower().replace("'", "").replace(" ", ".")
        return self._hire(role, full_name, f"{local_part}@{self._plan.slug}.example", status)

    def _name(self, city: City) -> str:
        for _ in range(10_000):
            culture = CULTURES[pick(self._random, [name for name, weight in city.cultures for _ in range(weight)])]
            given = pick(self._random, culture.women if likely(self._random, 0.5) else culture.men)
            full_name = f"{given} {pick(self._random, culture.families)}"
            if full_name not in self._names:
                return full_name
        raise AssertionError(f"every name of {city.name} is taken")

    def _hire(self, role: Role, full_name: str, email: str, status: UserStatus) -> User:
        self._names.add(full_name)
        joined_at = self._founded_at + days(between(self._random, 1, 90))
        seen = None if status is UserStatus.INVITED else self._now - days(between(self._random, 0.01, 4))
        user = User(identifier(self._random, joined_at), full_name, email, role, status, joined_at, seen)
        self.users.append(user)
        return user


def founded(now: datetime) -> datetime:
    """Return when the tenants were founded."""
    return now - days(1_200)


def build_firm(plan: TenantPlan, scale: float, now: datetime) -> Firm:
    """Return the tenant's people and teams. They grow more slowly than its clients."""
    random = generator(plan.slug, "firm")
    founded_at = founded(now)
    staff = _Staff(random, plan, founded_at, now)
    named = {role: staff.hire_named(role, full_name) for role, full_name in plan.sign_ins}
    juniors = max(2, min(40, round(4 * scale**0.6)))
    teams: list[Team] = []
    for name, cities in plan.teams:
        senior = staff.hire(Role.SENIOR_BROKER, cities[0]) if teams else named[Role.SENIOR_BROKER]
        team = Team(identifier(random, founded_at), name, cities, senior)
        team.juniors = [staff.hire(Role.JUNIOR_BROKER, cities[0]) for _ in range(juniors - (not teams))]
        if not teams:
            team.juniors.insert(0, named[Role.JUNIOR_BROKER])
        teams.append(team)
    staff.hire(Role.SALES_DIRECTOR, plan.cities[-1])
    staff.hire(Role.JUNIOR_BROKER, plan.cities[0], UserStatus.INVITED)
    staff.hire(Role.JUNIOR_BROKER, plan.cities[0], UserStatus.SUSPENDED)
    return Firm(plan, plan.tenant_id(now), founded_at, staff.users, teams, identifier(random, founded_at))

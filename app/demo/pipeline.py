"""Plans the leads of a person: where each stands today, and when it got there."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from app.demo import amounts
from app.demo.chance import at_local_hour, between, days, identifier, likely, pick, weighted, whole
from app.demo.people import Household, Person
from app.demo.projects import Market, Unit
from app.demo.team import Team, User
from domain.leads import LeadLostReason, LeadQualification, LeadSource, LeadStage

OLDEST: Final = timedelta(days=540)
"""No lead is older: every property that leads ask for was listed before that."""

_LATEST: Final = (
    (LeadStage.NEW, 26),
    (LeadStage.CONTACTED, 30),
    (LeadStage.QUALIFIED, 18),
    (LeadStage.VISIT, 10),
    (LeadStage.NEGOTIATION, 7),
    (LeadStage.WON, 4),
    (LeadStage.LOST, 5),
)
_EARLIER: Final = (
    (LeadStage.LOST, 40),
    (LeadStage.WON, 7),
    (LeadStage.CONTACTED, 40),
    (LeadStage.QUALIFIED, 12),
    (LeadStage.VISIT, 3),
)
_LOST_FROM: Final = (
    (LeadStage.CONTACTED, 60),
    (LeadStage.QUALIFIED, 20),
    (LeadStage.VISIT, 12),
    (LeadStage.NEGOTIATION, 8),
)
# Days since the stage before. The first of them is counted in hours.
_STEPS: Final = {
    LeadStage.QUALIFIED: (2, 12),
    LeadStage.VISIT: (4, 20),
    LeadStage.NEGOTIATION: (3, 21),
    LeadStage.WON: (5, 34),
    LeadStage.LOST: (6, 45),
}
# Days since the last step of a lead that is still open: new ones are fresh, some contacted ones sleep.
_TAILS: Final = {
    LeadStage.NEW: (0.02, 6),
    LeadStage.CONTACTED: (0.6, 55),
    LeadStage.QUALIFIED: (0.6, 24),
    LeadStage.VISIT: (0.6, 18),
    LeadStage.NEGOTIATION: (0.6, 14),
    LeadStage.WON: (4, 260),
    LeadStage.LOST: (2, 200),
}
_SOURCES: Final = (
    (LeadSource.PORTAL, 24),
    (LeadSource.WEBSITE, 20),
    (LeadSource.REFERRAL, 20),
    (LeadSource.CAMPAIGN, 16),
    (LeadSource.WALK_IN, 10),
    (LeadSource.IMPORT, 6),
    (LeadSource.OTHER, 4),
)
_REASONS: Final = (
    (LeadLostReason.PRICE, 30),
    (LeadLostReason.COMPETITOR, 25),
    (LeadLostReason.TIMING, 20),
    (LeadLostReason.UNREACHABLE, 15),
    (LeadLostReason.OTHER, 10),
)
_ORDER: Final = tuple(LeadStage)
_QUALIFICATIONS: Final = {
    LeadStage.NEW: ((None, 70), (LeadQualification.UNQUALIFIED, 30)),
    LeadStage.CONTACTED: (
        (LeadQualification.UNQUALIFIED, 35), (LeadQualification.COLD, 35), (LeadQualification.WARM, 30),
    ),
    LeadStage.QUALIFIED: ((LeadQualification.WARM, 60), (LeadQualification.HOT, 30), (LeadQualification.COLD, 10)),
    LeadStage.VISIT: ((LeadQualification.WARM, 40), (LeadQualification.HOT, 60)),
    LeadStage.NEGOTIATION: ((LeadQualification.HOT, 90), (LeadQualification.WARM, 10)),
    LeadStage.WON: ((LeadQualification.HOT, 100),),
    LeadStage.LOST: ((LeadQualification.COLD, 60), (LeadQualification.WARM, 30), (LeadQualification.UNQUALIFIED, 10)),
}  # fmt: skip
_WHALES: Final = {"INR": 300_000_000, "AED": 25_000_000, "QAR": 15_000_000, "SAR": 15_000_000}
_NIGHT: Final = (21, 8)


@dataclass(frozen=True, slots=True)
class Move:
    stage: LeadStage
    at: datetime


@dataclass(slots=True)
class LeadPlan:
    """A lead and its way through the pipeline; `moves` begins with NEW. A won lead ends with its unit's sale."""

    id: UUID
    person: Person
    household: Household
    team: Team
    assignee: User | None
    source: LeadSource
    moves: list[Move]
    unit: Unit
    other: Unit
    budget: Decimal
    qualification: LeadQualification | None
    lost_reason: LeadLostReason | None
    tags: list[str] = field(default_factory=list)
    """Known once the lead is written."""

    @property
    def stage(self) -> LeadStage:
        return self.moves[-1].stage

    @property
    def created_at(self) -> datetime:
        return self.moves[0].at

    @property
    def currency(self) -> str:
        return self.unit.project.city.currency

    def reached(self, stage: LeadStage) -> datetime | None:
        """Return when the lead entered a stage, or None."""
        return next((move.at for move in self.moves if move.stage is stage), None)


class Planner:
    """Plans the leads of one family in one market. `now` is the reference instant: nothing happens after it."""

    def __init__(self, random: Random, household: Household, team: Team, market: Market, now: datetime) -> None:
        self._random = random
        self._household, self._team, self._market = household, team, market
        self._now = now

    def plan(
        self, person: Person, count: int, *, latest: LeadStage | None = None, assignee: User | None = None
    ) -> list[LeadPlan]:
        """Return up to `count` leads, oldest first. `latest` and `assignee` fix the last one's stage and all owners."""
        plans: list[LeadPlan] = []
        end = self._now
        usual = assignee or self._team.next_assignee()
        for _ in range(count):
            stage = latest if latest and not plans else weighted(self._random, _EARLIER if plans else _LATEST)
            moves, unit = self._moves(stage, end)
            if moves[0].at < self._now - OLDEST:
                break
            lead = self._lead(person, moves, unit or self._wanted(stage))
            unassigned = stage is LeadStage.NEW and assignee is None and likely(self._random, 0.35)
            handed_on = assignee is None and likely(self._random, 0.15)
            lead.assignee = None if unassigned else self._team.next_assignee() if handed_on else usual
            plans.append(lead)
            end = moves[0].at - days(between(self._random, 8, 70))
        plans.reverse()
        return plans

    def _moves(self, stage: LeadStage, end: datetime) -> tuple[list[Move], Unit | None]:
        """Return the way to `stage`, ended before `end`, and the sold unit if it is a won one."""
        unit = None
        if stage is LeadStage.WON:
            unit = self._take_sold(end)
            otherwise = LeadStage.NEGOTIATION if end == self._now else LeadStage.LOST
            stage = LeadStage.WON if unit else otherwise
        path = self._path(stage)
        low, high = _TAILS[stage]
        last = unit.changed_at if unit else end - days(low + (high - low) * self._random.random() ** 2)
        steps = [days(between(self._random, *_STEPS[to])) for to in path if to in _STEPS]
        created = last - sum(steps, timedelta())
        offset = self._market.city.offset
        created = self._awake(created, offset)
        moves = [Move(LeadStage.NEW, created)]
        for to in path[1:]:
            if to is LeadStage.CONTACTED:
                replied = self._awake_again(created + timedelta(minutes=between(self._random, 4, 400)), offset)
                moves.append(Move(to, min(replied, end)))
            elif to is LeadStage.WON and unit:
                moves.append(Move(to, max(unit.changed_at, moves[-1].at + timedelta(hours=3))))
            else:
                day = max(created, moves[-1].at + days(0.2)) + steps.pop(0) - days(0.2)
                moves.append(Move(to, min(at_local_hour(day, between(self._random, 9.5, 19), offset), end)))
        return moves, unit

    def _path(self, stage: LeadStage) -> tuple[LeadStage, ...]:
        if stage is LeadStage.LOST:
            before = weighted(self._random, _LOST_FROM)
            return (*_ORDER[: _ORDER.index(before) + 1], LeadStage.LOST)
        return _ORDER[: _ORDER.index(stage) + 1]

    def _awake(self, at: datetime, offset: timedelta) -> datetime:
        """Return `at`, or the evening before it where it falls into the night."""
        local = at + offset
        night_from, night_to = _NIGHT
        if local.hour >= night_from:
            return at_local_hour(at, between(self._random, 18, night_from), offset)
        if local.hour < night_to:
            return at_local_hour(at - days(1), between(self._random, 18, night_from), offset)
        return at

    def _awake_again(self, at: datetime, offset: timedelta) -> datetime:
        """Return `at`, or the morning after it where it falls into the night."""
        local = at + offset
        night_from, night_to = _NIGHT
        if night_to <= local.hour < night_from:
            return at
        morning = between(self._random, night_to, night_to + 2)
        return at_local_hour(at + days(1) if local.hour >= night_from else at, morning, offset)

    def _take_sold(self, end: datetime) -> Unit | None:
        """Take a unit sold before `end` out of the inventory: it is the end of one lead only."""
        for index, unit in enumerate(self._market.sold_units):
            if unit.changed_at < end:
                return self._market.sold_units.pop(index)
        return None

    def _lead(self, person: Person, moves: list[Move], unit: Unit) -> LeadPlan:
        random, stage, units = self._random, moves[-1].stage, self._market.open_units
        currency = self._market.city.currency
        other = pick(random, units)
        if other is unit:
            other = units[(units.index(unit) + 1) % len(units)]
        budget = amounts.rounded(float(unit.price) * between(random, 0.9, 1.12), currency)
        qualification = weighted(random, _QUALIFICATIONS[stage])
        if qualification is LeadQualification.HOT and budget >= _WHALES[currency]:
            qualification = LeadQualification.WHALE
        reason = weighted(random, _REASONS) if stage is LeadStage.LOST else None
        if reason is LeadLostReason.UNREACHABLE and moves[-2].stage is not LeadStage.CONTACTED:
            reason = LeadLostReason.TIMING
        return LeadPlan(
            identifier(random, moves[0].at), person, self._household, self._team, None, weighted(random, _SOURCES),
            moves, unit, other, budget, qualification, reason,
        )  # fmt: skip

    def _wanted(self, stage: LeadStage) -> Unit:
        promised = self._market.promised_units
        if stage is LeadStage.NEGOTIATION and promised and likely(self._random, 0.4):
            return promised.pop(whole(self._random, 0, len(promised) - 1))
        return pick(self._random, self._market.open_units)

"""Generates a demo tenant as a stream of batches: first the firm and its inventory, then families, last its history."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from app.demo.canvases import write_canvases
from app.demo.cctv import write_cctv
from app.demo.chance import between, days, generator, identifier, likely, pick, weighted
from app.demo.deals import LeadRows
from app.demo.diary import Diary
from app.demo.foundation import build_markets, note_sign_ins, write_firm, write_inventory
from app.demo.history import Recent, write_history
from app.demo.people import Household, Person, Registry, Tie, make_adviser, make_household
from app.demo.phones import PhoneBook
from app.demo.pictures import picture_book
from app.demo.pipeline import LeadPlan, Planner
from app.demo.places import CITIES, City
from app.demo.portrait import add_person, finish
from app.demo.projects import Market
from app.demo.rows import Batch
from app.demo.showroom import write_passers_by, write_videos
from app.demo.story import Calendar, LeadStory
from app.demo.suggestions import add_duplicate, import_rows, suggest
from app.demo.team import MERIDIAN, TenantPlan, build_firm
from app.demo.voice import Ledger
from app.demo.world import Adviser, World
from domain.access import Role
from domain.leads import LeadStage
from domain.people import RelationshipKind

PEOPLE_PER_BATCH: Final = 250
_PEOPLE_PER_LEDGER: Final = 2_500
_UNITS: Final = 400
_FEWEST_UNITS: Final = 24
_MERIDIAN_UNITS: Final = 16

# The first families are the demo junior's own, one for every stage that a screen shows.
_SHOWN: Final = (
    LeadStage.NEGOTIATION,
    LeadStage.VISIT,
    LeadStage.QUALIFIED,
    LeadStage.CONTACTED,
    LeadStage.NEW,
    LeadStage.NEGOTIATION,
    LeadStage.VISIT,
    LeadStage.LOST,
)
_SHOWN_LEADS: Final = 4


def generate(plan: TenantPlan, scale: float, password_hash: str, now: datetime) -> Iterator[Batch]:
    """Yield the tenant's rows, at most about PEOPLE_PER_BATCH people at a time, in an order that foreign keys allow.

    The same plan, scale and reference instant give the same rows. `now` is UTC.
    """
    small = plan is MERIDIAN
    firm = build_firm(plan, min(scale, 0.3) if small else scale, now)
    units = _MERIDIAN_UNITS if small else max(_FEWEST_UNITS, round(_UNITS * scale))
    markets, every = build_markets(plan.slug, plan.cities, units, now)
    phones = PhoneBook(700_001 if small else 100_003)
    world = World(
        firm,
        markets,
        every,
        Registry(plan.slug, phones),
        Batch(firm.id),
        Recent(now),
        now,
        ZoneInfo(plan.time_zone),
    )
    write_firm(world.batch, firm, password_hash)
    write_inventory(world.batch, world, picture_book(), plan.slug)
    write_videos(world.batch, world, plan.slug)
    people = plan.people if small else max(40, round(plan.people * scale))
    yield from _Families(world, people).batches()
    write_cctv(world, plan.slug, write_passers_by(world, plan.slug))
    write_canvases(world.batch, firm, now)
    note_sign_ins(world)
    write_history(world.batch, world.recent, plan.slug)
    yield world.batch


class _Families:
    """Tells family after family until the tenant has enough people."""

    def __init__(self, world: World, people: int) -> None:
        self._world, self._wanted = world, people
        # People come from everywhere, and buy where the firm sells; the small tenant keeps to its own cities.
        homes = world.firm.plan.cities if world.firm.plan is MERIDIAN else CITIES
        self._homes = [(city, float(city.share)) for city in homes]
        self._number = 0
        self._fresh_ledger_at = _PEOPLE_PER_LEDGER

    def batches(self) -> Iterator[Batch]:
        world = self._world
        self._advisers(generator(world.firm.plan.slug, "advisers"))
        next_batch = PEOPLE_PER_BATCH
        while world.pace.people < self._wanted:
            self._tell(generator(world.firm.plan.slug, "family", self._number))
            self._number += 1
            if world.pace.people >= next_batch:
                yield world.batch
                world.batch = Batch(world.firm.id)
                next_batch += PEOPLE_PER_BATCH
            if world.pace.people >= self._fresh_ledger_at:
                world.ledger = Ledger()
                self._fresh_ledger_at += _PEOPLE_PER_LEDGER

    def _advisers(self, random: Random) -> None:
        """Enter the advisers first: families of all batches refer to them."""
        world = self._world
        count = min(600, max(3, round(self._wanted * 0.04)))
        for number in range(count):
            city = self._homes[number % len(self._homes)][0]
            at = world.now - days(between(random, 560, 900))
            adviser = Adviser(*make_adviser(random, world.registry, city, at))
            world.advisers.setdefault(city.code, []).append(adviser)
            add_person(world, adviser.person)
            practice = adviser.practice
            world.batch.add(
                "accounts", id=practice.id, name=practice.name, kind=practice.kind.name, city=practice.city.name,
                created_at=at, updated_at=at,
            )  # fmt: skip
            world.batch.add(
                "person_accounts", person_id=adviser.person.id, account_id=practice.id, title=adviser.title,
                created_at=at,
            )  # fmt: skip

    def _tell(self, random: Random) -> None:
        """Tell one family: plan its leads, live them, and write everybody down."""
        world = self._world
        shown = _SHOWN[self._number] if self._number < len(_SHOWN) else None
        home = world.cities[0] if shown else weighted(random, self._homes)
        household = make_household(random, world.registry, home, world.now, shown=shown is not None)
        plans = self._plan(random, household, home, shown)
        self._date(random, household, plans)
        adviser = self._adviser(random, household, shown=shown is not None)
        referrer = pick(random, world.buyers) if world.buyers else None
        self._write_household(random, household, adviser, referrer)
        self._write_leads(random, household, plans, adviser, referrer)
        if shown or likely(random, 0.012):
            add_duplicate(world, random, household.members[0])
            import_rows(world, household.members[0])

    def _plan(
        self, random: Random, household: Household, home: City, shown: LeadStage | None
    ) -> dict[int, list[LeadPlan]]:
        """Return the leads of each member by their place in the family."""
        world = self._world
        market = self._market(random, home)
        team = world.firm.team_of(market.city)
        planner = Planner(random, household, team, market, world.now)
        plans: dict[int, list[LeadPlan]] = {}
        for index, person in enumerate(household.members):
            count = _SHOWN_LEADS if shown and index == 0 else self._count(random, first=index == 0)
            if count == 0:
                continue
            junior = world.firm.user(Role.JUNIOR_BROKER) if shown else None
            latest = shown if index == 0 else None
            plans[index] = planner.plan(person, count, latest=latest, assignee=junior)
            world.pace.leads += len(plans[index])
        return plans

    def _count(self, random: Random, *, first: bool) -> int:
        if first:
            count = weighted(random, ((1, 30), (2, 32), (3, 22), (4, 12), (5, 4)))
            return count + (1 if self._world.pace.wants_leads else -1 if count > 1 else 0)
        return weighted(random, ((0, 34), (1, 54), (2, 12)))

    def _market(self, random: Random, home: City) -> Market:
        """Return where the family buys: mostly at home, sometimes across the sea."""
        markets = self._world.markets
        if home.code in markets and (self._number < len(_SHOWN) or likely(random, 0.86)):
            return markets[home.code]
        choices = [(market, float(market.city.share)) for market in markets.values() if market.open_units]
        return weighted(random, choices)

    def _date(self, random: Random, household: Household, plans: dict[int, list[LeadPlan]]) -> None:
        """Let people enter the records with their first lead; those without one follow the first of the family."""
        world = self._world
        starts = [told[0].created_at for told in plans.values() if told]
        first = min(starts, default=world.now - days(between(random, 20, 400)))
        household.created_at = first
        if household.id:
            household.id = identifier(random, first)
        for index, person in enumerate(household.members):
            told = plans.get(index)
            at = told[0].created_at if told else min(world.now, first + days(between(random, 0, 9)))
            person.created_at, person.id, person.household_id = at, identifier(random, at), household.id

    def _adviser(self, random: Random, household: Household, *, shown: bool) -> Adviser | None:
        known = self._world.advisers.get(household.city.code)
        return pick(random, known) if known and (shown or likely(random, 0.3)) else None

    def _write_household(
        self, random: Random, household: Household, adviser: Adviser | None, referrer: Person | None
    ) -> None:
        batch, at = self._world.batch, household.created_at
        if household.id:
            batch.add("households", id=household.id, name=household.name, created_at=at, updated_at=at)
        if account := household.account:
            batch.add(
                "accounts", id=account.id, name=account.name, kind=account.kind.name, city=account.city.name,
                created_at=at, updated_at=at,
            )  # fmt: skip
            for person in household.members[:2]:
                title = household.title if person is household.members[0] else None
                batch.add(
                    "person_accounts", person_id=person.id, account_id=account.id, title=title,
                    created_at=person.created_at,
                )  # fmt: skip
        ties = list(household.ties)
        first = household.members[0]
        if adviser:
            ties.append(Tie(first, adviser.person, RelationshipKind.ADVISER))
        if referrer and likely(random, 0.25):
            kind = RelationshipKind.COLLEAGUE if likely(random, 0.3) else RelationshipKind.REFERRER
            ties.append(Tie(first, referrer, kind))
        for tie in ties:
            for way in (tie, tie.reversed()):
                created = max(way.person.created_at, way.other.created_at)
                batch.add(
                    "relationships", id=identifier(random, created), person_id=way.person.id, other_id=way.other.id,
                    kind=way.kind.name, created_at=created,
                )  # fmt: skip

    def _write_leads(
        self, random: Random, household: Household, plans: dict[int, list[LeadPlan]], adviser: Adviser | None,
        referrer: Person | None,
    ) -> None:  # fmt: skip
        world = self._world
        adviser_name = adviser.person.full_name if adviser else "our accountant"
        referrer_name = referrer.full_name if referrer else "a colleague"
        for index, person in enumerate(household.members):
            told = plans.get(index, [])
            diary = Diary(world, person, random)
            calendar = Calendar(world.now)
            for plan in told:
                story = LeadStory(diary, plan, calendar, adviser_name, referrer_name)
                story.tell()
                LeadRows(diary, story).write()
            finish(diary, told)
            suggest(diary, told)
            if any(plan.stage is LeadStage.WON for plan in told):
                world.buyers.append(person)

"""People and leads of the plain peer: they refer to each other, and nearly everything else hangs on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import strawberry
from asyncpg import Record
from strawberry import Private

from bench.plain.connections import (
    Connection,
    Info,
    InteractionOrder,
    LatestQd,
    Money,
    NextBestAction,
    Phone,
    QdKind,
    QdPoint,
    QdSeries,
    QdSource,
    TaskFilter,
    TaskOrder,
    ThreadOrder,
    given,
    money,
    page,
)
from bench.plain.interactions import Consent, Fact, Interaction, Task, Thread, interaction
from bench.plain.properties import BRIEF, Project, Property
from bench.plain.rows import made
from domain.perception import buckets

T = TypeVar("T")
NEVER = datetime.min.replace(tzinfo=UTC)


@strawberry.type
class User:
    id: UUID
    full_name: str


@strawberry.type
class PropertyInterest:
    id: UUID
    level: str
    configuration: str | None
    property_id: Private[UUID | None]
    project_id: Private[UUID | None]

    @strawberry.field
    async def property(self, info: Info) -> Property | None:
        return await given(info).one("properties_by_id", BRIEF, self.property_id)

    @strawberry.field
    async def project(self, info: Info) -> Project | None:
        return await given(info).one("projects_by_id", made(Project), self.project_id)


@strawberry.interface
class Actor:
    id: UUID
    display_name: str


@strawberry.type
class UserActor(Actor):
    pass


@strawberry.type
class SystemActor(Actor):
    pass


@strawberry.type
class StageChange:
    id: UUID
    from_stage: str | None
    to_stage: str
    at: datetime
    by_noun: Private[str | None]
    by_id: Private[UUID | None]
    by_display_name: Private[str]

    @strawberry.field
    def by(self) -> Actor | None:
        if self.by_id is None:
            return None
        cls = UserActor if self.by_noun == "users" else SystemActor
        return cls(id=self.by_id, display_name=self.by_display_name)


@strawberry.type
class Lead:
    id: UUID
    stage: str
    person_id: Private[UUID]
    source: str = ""
    tags: list[str] = strawberry.field(default_factory=list)
    budget_amount: Private[str | None] = None
    budget_currency: Private[str] = ""
    created_at: datetime | None = None
    assignee_id: Private[UUID | None] = None

    @strawberry.field
    def budget(self) -> Money | None:
        return money(self.budget_amount, self.budget_currency)

    @strawberry.field
    async def person(self, info: Info) -> Person | None:
        return await given(info).one("names_and_scores_of_people", KNOWN, self.person_id)

    @strawberry.field
    async def assignee(self, info: Info) -> User | None:
        return await given(info).one("users_by_id", made(User), self.assignee_id)

    @strawberry.field
    async def next_task(self, info: Info) -> Task | None:
        task = made(Task, "id", "title", "due_at")
        return await given(info).one("next_tasks_of_leads", task, self.id, column="key")

    @strawberry.field
    async def property_interests(self, info: Info, first: int) -> Connection[PropertyInterest]:
        interests = made(PropertyInterest)
        return page(await given(info).many("interests_of_leads", interests, "lead_id", self.id, first), first)

    @strawberry.field
    async def stage_history(self, info: Info, first: int) -> Connection[StageChange]:
        changes = made(StageChange)
        return page(await given(info).many("stage_changes_of_leads", changes, "lead_id", self.id, first), first)


@strawberry.type
class Household:
    id: UUID
    name: str

    @strawberry.field
    async def members(self, info: Info, first: int) -> Connection[Person]:
        return page(await given(info).many("members_of_households", NAMED, "household_id", self.id, first), first)


@strawberry.type
class Relationship:
    id: UUID
    kind: str
    other_id: Private[UUID]

    @strawberry.field
    async def other(self, info: Info) -> Person | None:
        return await given(info).one("names_and_scores_of_people", KNOWN, self.other_id)


@strawberry.type
class Opportunity:
    id: UUID
    stage: str
    probability: float | None
    expected_close_on: str | None
    amount_amount: Private[str | None]
    amount_currency: Private[str]
    property_id: Private[UUID | None]

    @strawberry.field
    def amount(self) -> Money | None:
        return money(self.amount_amount, self.amount_currency)

    @strawberry.field
    async def property(self, info: Info) -> Property | None:
        return await given(info).one("properties_by_id", BRIEF, self.property_id)


@strawberry.type
class Person:
    id: UUID
    full_name: str
    primary_phone_e164: Private[str | None] = None
    primary_email: str | None = None
    city: str | None = None
    contact_type: str | None = None
    household_id: Private[UUID | None] = None
    last_contacted_at: datetime | None = None
    next_best_action_kind: Private[str | None] = None
    next_best_action_title: Private[str] = ""
    next_best_action_reason: Private[str] = ""
    next_best_action_due_at: Private[datetime | None] = None
    next_best_action_computed_at: Private[datetime] = NEVER
    rules_qd_score: Private[float] = 0
    rules_qd_at: Private[datetime | None] = None
    rules_qd_kind: Private[str] = ""

    @strawberry.field
    def primary_phone(self) -> Phone | None:
        return None if self.primary_phone_e164 is None else Phone(e164=self.primary_phone_e164)

    @strawberry.field
    def restricted_fields(self) -> list[str]:
        return []

    @strawberry.field
    def latest_qd(self) -> LatestQd | None:
        if self.rules_qd_at is None:
            return None
        return LatestQd(score=self.rules_qd_score, at=self.rules_qd_at, kind=self.rules_qd_kind, source="RULES")

    @strawberry.field
    def next_best_action(self) -> NextBestAction | None:
        if self.next_best_action_kind is None:
            return None
        return NextBestAction(
            kind=self.next_best_action_kind,
            title=self.next_best_action_title,
            reason=self.next_best_action_reason,
            due_at=self.next_best_action_due_at,
            computed_at=self.next_best_action_computed_at,
        )

    @strawberry.field
    async def qd_series(  # noqa: PLR0917 -- Strawberry passes arguments by name.
        self,
        info: Info,
        from_: Annotated[datetime, strawberry.argument(name="from")],
        to: datetime,
        points: int,
        kinds: list[QdKind] | None = None,  # noqa: ARG002 -- the documents leave it out.
        source: QdSource | None = QdSource.RULES,
    ) -> QdSeries:
        asked, width = (source or QdSource.RULES).value, buckets(from_, to, points).width
        [row] = await given(info).fetch("qd_series", self.id, from_, to, width, asked)
        columns = zip(row["ats"] or (), row["scores"] or (), row["lows"] or (), row["highs"] or (), strict=True)
        found = [QdPoint(at=at, score=score, low=low, high=high) for at, score, low, high in columns]
        return QdSeries(
            source=asked, points=found, min=row["min"], max=row["max"], mean=row["mean"], count=row["count"]
        )

    @strawberry.field
    async def household(self, info: Info) -> Household | None:
        return await given(info).one("households_by_id", made(Household), self.household_id)

    @strawberry.field
    async def relationships(self, info: Info, first: int) -> Connection[Relationship]:
        return page(await self._listed(info, "relationships_of_people", made(Relationship), first), first)

    @strawberry.field
    async def leads(self, info: Info, first: int) -> Connection[Lead]:
        return page(await self._listed(info, "leads_of_people", LEAD_OF_PERSON, first), first)

    @strawberry.field
    async def opportunities(self, info: Info, first: int) -> Connection[Opportunity]:
        return page(await self._listed(info, "opportunities_of_people", made(Opportunity), first), first)

    @strawberry.field
    async def property_interests(self, info: Info, first: int) -> Connection[PropertyInterest]:
        return page(await self._listed(info, "interests_of_people", made(PropertyInterest), first), first)

    @strawberry.field
    async def interactions(
        self,
        info: Info,
        first: int,
        order_by: InteractionOrder | None = None,  # noqa: ARG002 -- there is one order.
    ) -> Connection[Interaction]:
        found = await self._listed(info, "interactions_of_people", interaction, first + 1)
        return page(found, first, ("OCCURRED_AT", "occurred_at"))

    @strawberry.field
    async def facts(self, info: Info, first: int) -> Connection[Fact]:
        return page(await self._listed(info, "facts_of_people", made(Fact), first), first)

    @strawberry.field
    async def tasks(
        self,
        info: Info,
        first: int,
        filter: TaskFilter | None = None,  # noqa: ARG002 -- the documents ask for open ones.
        order_by: TaskOrder | None = None,  # noqa: ARG002 -- there is one order.
    ) -> Connection[Task]:
        return page(await self._listed(info, "open_tasks_of_people", made(Task), first), first)

    @strawberry.field
    async def threads(
        self,
        info: Info,
        first: int,
        order_by: ThreadOrder | None = None,  # noqa: ARG002 -- there is one order.
    ) -> Connection[Thread]:
        return page(await self._listed(info, "threads_of_people", made(Thread), first), first)

    @strawberry.field
    async def consents(self, info: Info, first: int) -> Connection[Consent]:
        return page(await self._listed(info, "consents_of_people", made(Consent), first), first)

    async def _listed(self, info: Info, name: str, make: Callable[[Record], T], most: int) -> list[T]:
        return await given(info).many(name, make, "person_id", self.id, most)


LEAD = made(Lead, "id", "stage", "budget_amount", "budget_currency", "created_at", "person_id")
LEAD_OF_PERSON = made(
    Lead, "id", "stage", "source", "tags", "budget_amount", "budget_currency", "person_id", "assignee_id"
)
CARD = made(Lead, "id", "stage", "tags", "person_id", "assignee_id", "created_at")
NAMED = made(Person, "id", "full_name")
KNOWN = made(Person, "id", "full_name", "rules_qd_score", "rules_qd_at")

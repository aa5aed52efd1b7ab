"""Writes the rows of a lead: the lead, its way through the stages, what it is interested in, its deal and its tasks."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from app.demo import amounts, history
from app.demo.chance import at_local_hour, between, days, identifier, likely, pick, weighted, whole
from app.demo.diary import Diary
from app.demo.pipeline import LeadPlan, Move
from app.demo.story import LeadStory
from app.demo.words import letters
from app.demo.words.pools import Pool
from domain.access import Actor, Role
from domain.leads import InterestLevel, LeadStage
from domain.opportunities import OpportunityStage
from domain.tasks import TaskPriority, TaskStatus

TAGS: Final = {
    "end-use": "Buys to live in",
    "investor": "Buys to hold or to let",
    "nri": "Lives abroad, buys in India",
    "residency": "Wants a residence visa with the property",
    "vastu": "Vastu decides",
    "school-led": "The school decides the area",
    "family-office": "A family office pays",
    "cash": "Pays without a loan",
    "loan": "Needs a loan",
    "sea-view": "Wants to see water",
    "repeat": "Bought from us before",
    "urgent": "Must move soon",
}
"""The tag catalogue: name and description."""

_OPEN_DEALS: Final = {
    LeadStage.VISIT: ((OpportunityStage.OPEN, 1.0),),
    LeadStage.NEGOTIATION: (
        (OpportunityStage.OFFER, 0.55), (OpportunityStage.OPEN, 0.15), (OpportunityStage.BOOKED, 0.18),
        (OpportunityStage.CONTRACT, 0.12),
    ),
    LeadStage.WON: ((OpportunityStage.WON, 1.0),),
    LeadStage.LOST: ((OpportunityStage.LOST, 1.0),),
}  # fmt: skip
_PROBABILITIES: Final = {
    OpportunityStage.OPEN: (0.15, 0.35),
    OpportunityStage.OFFER: (0.4, 0.65),
    OpportunityStage.BOOKED: (0.75, 0.88),
    OpportunityStage.CONTRACT: (0.88, 0.96),
    OpportunityStage.WON: (1.0, 1.0),
    OpportunityStage.LOST: (0.0, 0.0),
}
_DEAL_CHANCE: Final = {LeadStage.VISIT: 0.75, LeadStage.NEGOTIATION: 1.0, LeadStage.WON: 1.0, LeadStage.LOST: 0.7}
_OPEN_TASKS: Final = {
    LeadStage.NEW: 0.7,
    LeadStage.CONTACTED: 0.55,
    LeadStage.QUALIFIED: 0.75,
    LeadStage.VISIT: 0.85,
    LeadStage.NEGOTIATION: 0.95,
    LeadStage.WON: 0.3,
    LeadStage.LOST: 0.08,
}
_PRIORITIES: Final = (
    (TaskPriority.NORMAL, 50),
    (TaskPriority.HIGH, 28),
    (TaskPriority.LOW, 12),
    (TaskPriority.URGENT, 10),
)


class LeadRows:
    """Writes what a lead leaves behind besides its interactions."""

    def __init__(self, diary: Diary, story: LeadStory) -> None:
        self._diary, self._story = diary, story
        self._plan: LeadPlan = story.plan
        self._random: Random = diary.random
        self._world = diary.world
        self._batch = diary.world.batch
        # Whoever signs in as the demo's junior finds the whole history of their own leads.
        self._shown = story.plan.assignee is diary.world.firm.user(Role.JUNIOR_BROKER)

    def write(self) -> None:
        self._story.voice.details.begin(self._world.now - days(1))
        self._lead()
        self._stages()
        self._interests()
        self._deal()
        self._tasks()
        self._shares()

    def _lead(self) -> None:
        plan, moves = self._plan, self._plan.moves
        told = plan.stage is not LeadStage.NEW or likely(self._random, 0.6)
        plan.tags = self._tags()
        updated_at = min(self._world.now, moves[-1].at + timedelta(minutes=between(self._random, 0, 60)))
        self._batch.add(
            "leads", id=plan.id, person_id=plan.person.id, assignee_id=plan.assignee and plan.assignee.id,
            stage=plan.stage.name, source=plan.source.name,
            qualification=plan.qualification and plan.qualification.name, tags=plan.tags,
            budget_amount=plan.budget if told else None, budget_currency=plan.currency if told else None,
            lost_reason=plan.lost_reason and plan.lost_reason.name,
            stage_changed_at=moves[-1].at, created_at=plan.created_at, updated_at=updated_at,
        )  # fmt: skip
        created = history.lead_created(plan.id, plan.person.id, plan.source.name)
        self._world.recent.note(plan.created_at, self._actor(0), created, always=self._shown)

    def _tags(self) -> list[str]:
        plan, home = self._plan, self._plan.person.city
        market = plan.unit.project.city
        suited = ["end-use", "investor", "school-led", "cash", "loan", "urgent"]
        suited += ["vastu"] if market.in_india else ["residency"]
        suited += ["nri"] if market.in_india and not home.in_india else []
        suited += ["sea-view"] if "sea" in plan.unit.view else []
        suited += ["family-office"] if plan.household.account else []
        count = min(len(suited), weighted(self._random, ((0, 30), (1, 40), (2, 22), (3, 8))))
        return sorted(self._random.sample(suited, count))

    def _actor(self, index: int) -> Actor:
        """Return who made the stage change of that index. Most leads are opened by the import robot."""
        if index == 0 and (self._shown or self._plan.assignee is None or likely(self._random, 0.7)):
            return Actor("system_actors", self._world.firm.robot)
        return Actor("users", self._story.search.broker.id)

    def _stages(self) -> None:
        before: Move | None = None
        for index, move in enumerate(self._plan.moves):
            actor = self._actor(index)
            notes = letters.STAGE_NOTES.get(move.stage.name)
            noted = notes is not None and likely(self._random, 0.6)
            lost = move.stage is LeadStage.LOST and self._plan.lost_reason
            self._batch.add(
                "stage_changes", id=identifier(self._random, move.at), lead_id=self._plan.id,
                from_stage=before and before.stage.name, to_stage=move.stage.name, at=move.at,
                by_noun=actor.noun, by_id=actor.id,
                note=self._story.voice.fill(notes) if notes is not None and noted else None,
                lost_reason=lost.name if lost else None,
            )  # fmt: skip
            if before:
                change = history.lead_moved(self._plan.id, self._plan.person.id, before.stage.name, move.stage.name)
                self._world.recent.note(move.at, actor, change, always=self._shown)
            before = move

    def _interests(self) -> None:
        plan = self._plan
        high = plan.reached(LeadStage.VISIT) is not None
        level = InterestLevel.HIGH if high else InterestLevel.MEDIUM
        self._interest(plan.unit.id, plan.unit.project.id, level, plan.unit.configuration)
        if plan.other is not plan.unit and likely(self._random, 0.6):
            low = InterestLevel.LOW if high else InterestLevel.MEDIUM
            self._interest(plan.other.id, plan.other.project.id, low, plan.other.configuration)
        elif likely(self._random, 0.3):
            self._interest(None, plan.unit.project.id, InterestLevel.LOW, plan.unit.configuration)

    def _interest(self, unit: UUID | None, project: UUID, level: InterestLevel, configuration: str) -> None:
        at = self._plan.created_at + timedelta(minutes=between(self._random, 0, 30))
        at = min(at, self._world.now)
        self._batch.add(
            "property_interests", id=identifier(self._random, at), person_id=self._plan.person.id,
            lead_id=self._plan.id, property_id=unit, project_id=project, level=level.name,
            configuration=configuration, created_at=at, updated_at=at,
        )  # fmt: skip

    def _deal(self) -> None:
        """Open an opportunity for a lead that came as far as a visit, near the property's price."""
        plan, random = self._plan, self._random
        begun = plan.reached(LeadStage.VISIT)
        if begun is None or plan.stage not in _DEAL_CHANCE or not likely(random, _DEAL_CHANCE[plan.stage]):
            return
        stage = weighted(random, _OPEN_DEALS[plan.stage])
        price = float(plan.unit.price)
        agreed = between(random, 0.94, 1.0) if stage is not OpportunityStage.OPEN else 1.0
        amount = amounts.rounded(price * agreed, plan.currency)
        changed = plan.moves[-1].at
        approver, approved_at = self._approval(stage, amount, changed)
        self._batch.add(
            "opportunities", id=identifier(random, begun), lead_id=plan.id, person_id=plan.person.id,
            property_id=plan.unit.id, stage=stage.name, amount_amount=amount, amount_currency=plan.currency,
            probability=round(between(random, *_PROBABILITIES[stage]), 2),
            expected_close_on=self._close(stage, changed).date(), approved_by_id=approver, approved_at=approved_at,
            created_at=begun, updated_at=changed,
        )  # fmt: skip

    def _approval(self, stage: OpportunityStage, amount: Decimal, at: datetime) -> tuple[UUID | None, datetime | None]:
        """Return who approved a deal that is too big for a broker alone."""
        firm = self._world.firm
        if stage is not OpportunityStage.WON or self._plan.currency != firm.plan.currency:
            return None, None
        return (firm.user(Role.SALES_DIRECTOR).id, at) if amount >= firm.plan.high_value else (None, None)

    def _close(self, stage: OpportunityStage, changed: datetime) -> datetime:
        if stage in {OpportunityStage.WON, OpportunityStage.LOST}:
            return changed
        # Some expected dates have slipped past, as they do.
        return self._world.now + days(between(self._random, -6, 75))

    def _tasks(self) -> None:
        plan, random, now = self._plan, self._random, self._world.now
        for move in plan.moves[1:]:
            if likely(random, 0.42):
                self._done_task(move.at)
        if self._story.visit_at and self._story.visit_at > now:
            self._task(letters.VISIT_TASKS, plan.moves[-1].at, self._story.visit_at, TaskStatus.OPEN, None)
            return
        if not likely(random, _OPEN_TASKS[plan.stage]):
            return
        created_at = min(now, plan.moves[-1].at + timedelta(minutes=between(random, 5, 90)))
        hour = pick(random, (10, 11, 15, 17))
        due = at_local_hour(now + days(whole(random, -5, 12)), hour, plan.unit.project.city.offset)
        due = max(due, created_at + timedelta(hours=2))
        pool = letters.OPEN_TASKS[plan.stage.name]
        self._task(pool, created_at, due, TaskStatus.OPEN, None)

    def _done_task(self, at: datetime) -> None:
        random = self._random
        hour = pick(random, (10, 11, 12, 15, 17, 18))
        due = at_local_hour(at + days(whole(random, 1, 2)), hour, self._plan.unit.project.city.offset)
        if due >= self._world.now - timedelta(hours=1):
            return
        cancelled = likely(random, 0.07)
        completed = None if cancelled else min(at + (due - at) * between(random, 0.3, 1.3), self._world.now)
        status = TaskStatus.CANCELLED if cancelled else TaskStatus.DONE
        self._task(letters.DONE_TASKS, at, due, status, completed)

    def _task(self, pool: Pool, at: datetime, due: datetime, status: TaskStatus, completed_at: datetime | None) -> None:
        plan, broker = self._plan, self._story.search.broker
        task_id, title = identifier(self._random, at), self._story.voice.fill(pool)
        self._batch.add(
            "tasks", id=task_id, title=title, due_at=due, priority=weighted(self._random, _PRIORITIES).name,
            status=status.name, assignee_id=broker.id, person_id=plan.person.id, lead_id=plan.id,
            created_by_noun="users", created_by_id=broker.id, created_at=at, updated_at=completed_at or at,
            completed_at=completed_at,
        )  # fmt: skip
        if status is TaskStatus.OPEN:
            self._diary.open_tasks.append((due, task_id, title))
        if completed_at:
            self._world.recent.note(
                completed_at, Actor("users", broker.id), history.task_completed(task_id, plan.person.id)
            )

    def _shares(self) -> None:
        """Share some leads with a colleague of the team."""
        plan = self._plan
        if plan.assignee is None or not likely(self._random, 0.05):
            return
        colleague = pick(self._random, [*plan.team.juniors, plan.team.senior])
        if colleague is not plan.assignee:
            at = min(self._world.now, plan.created_at + days(1))
            self._batch.add("lead_shares", lead_id=plan.id, user_id=colleague.id, created_at=at)

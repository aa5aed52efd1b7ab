"""Finishes a person when their story is told: the thread, the QD curve, and the row with its read models."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.demo import history
from app.demo.chance import between, identifier, likely, weighted
from app.demo.consents import Held, write_consents
from app.demo.diary import Diary, Message
from app.demo.people import Person
from app.demo.pipeline import LeadPlan
from app.demo.qd import Curve
from app.demo.showroom import write_sessions
from app.demo.team import User
from app.demo.world import World
from domain.access import Actor, Role
from domain.interactions import Direction
from domain.leads import OPEN_STAGES, LeadSource
from domain.people.names import name_key
from domain.people.next_best_action import DueTask, Engagement, OpenLead, Situation, decide
from domain.perception import ConsentPurpose
from domain.threads import Channel, DeliveryState

_NONE: Final[Mapping[str, object]] = {}
_SETTLED: Final = timedelta(days=2)
_DELIVERY: Final = (
    (DeliveryState.READ, 70),
    (DeliveryState.DELIVERED, 22),
    (DeliveryState.SENT, 6),
    (DeliveryState.FAILED, 2),
)
_QD_PARTS: Final = ("at", "kind", "score", "engagement", "valence", "attention", "confidence")
_POSITIONS: Final = (3, 4, 6, 7, 8, 9, 10)
"""Where a point of app/demo/qd.py has those parts."""


def finish(diary: Diary, plans: list[LeadPlan]) -> None:
    """Write the rest of a person: call it once, after all their leads."""
    owner = plans[-1].assignee if plans else None
    _thread(diary, plans, owner)
    held = write_consents(diary).get(ConsentPurpose.SHOWROOM_ENGAGEMENT)
    latest = _curve(diary, plans, held)
    action = _next_action(diary, plans, latest)
    add_person(diary.world, diary.person, {"last_contacted_at": diary.last_contact, **latest, **action})


def add_person(
    world: World, person: Person, read_models: Mapping[str, object] = _NONE, *, full_name: str | None = None
) -> None:
    """Write a person's own row; `full_name` is how it was entered, where that differs from the name itself."""
    entered = full_name or person.full_name
    world.batch.add(
        "people", id=person.id, full_name=entered, name_key=name_key(entered), primary_phone_e164=person.phone,
        primary_phone_country=person.city.country, primary_phone_raw=person.phone, primary_email=person.email,
        primary_email_normalised=person.email, city=person.city.name, contact_type=person.contact_type.name,
        household_id=person.household_id, created_at=person.created_at,
        updated_at=read_models.get("last_contacted_at") or person.created_at, **read_models,
    )  # fmt: skip
    world.pace.people += 1
    robot = Actor("system_actors", world.firm.robot)
    world.recent.note(person.created_at, robot, history.person_created(person.id))


def _thread(diary: Diary, plans: list[LeadPlan], owner: User | None) -> None:
    """Write the person's WhatsApp thread."""
    if not diary.messages:
        return
    messages = sorted(diary.messages, key=lambda message: (message.at, message.id))
    first, last = messages[0], messages[-1]
    thread_id = identifier(diary.random, first.at)
    batch = diary.world.batch
    batch.add(
        "threads", id=thread_id, channel=Channel.WHATSAPP.name, address=diary.person.phone, person_id=diary.person.id,
        assignee_id=owner and owner.id, last_message_at=last.at, created_at=first.at,
    )  # fmt: skip
    for message in messages:
        author = message.author
        batch.add(
            "thread_messages", id=message.id, thread_id=thread_id,
            direction=(Direction.INBOUND if message.inbound else Direction.OUTBOUND).name, kind=message.kind.name,
            text=message.text, sent_at=message.at, delivery_state=_delivery(diary, message),
            author_noun=author and "users", author_id=author and author.id,
            provider_message_id=f"mock.{message.id.hex}", created_at=message.at,
        )  # fmt: skip
    _reads(diary, plans, owner, thread_id, messages)


def _delivery(diary: Diary, message: Message) -> str | None:
    if message.inbound:
        return None
    settled = message.at < diary.world.now - _SETTLED and likely(diary.random, 0.985)
    return (DeliveryState.READ if settled else weighted(diary.random, _DELIVERY)).name


def _reads(diary: Diary, plans: list[LeadPlan], owner: User | None, thread_id: UUID, messages: list[Message]) -> None:
    """Mark how far the people responsible have read: all of it where they answered last, or nearly all."""
    firm = diary.world.firm
    trailing = 0
    while trailing < len(messages) and messages[-1 - trailing].inbound:
        trailing += 1
    readers = [owner] if owner else []
    if plans and plans[-1].team.senior not in readers:
        readers.append(plans[-1].team.senior)
    if likely(diary.random, 0.15):
        readers.append(firm.user(Role.SALES_DIRECTOR))
        readers.append(firm.user(Role.ADMIN))
    for reader in readers:
        unread = trailing if likely(diary.random, 0.6) else 0
        read_up_to = messages[-1 - unread] if unread < len(messages) else None
        diary.world.batch.add(
            "thread_reads", thread_id=thread_id, user_id=reader.id,
            last_read_message_id=read_up_to and read_up_to.id, unread_count=unread,
            updated_at=min(diary.world.now, (read_up_to or messages[0]).at + timedelta(minutes=9)),
        )  # fmt: skip


def _curve(diary: Diary, plans: list[LeadPlan], held: Held | None) -> dict[str, object]:
    """Draw the person's QD; returns the read-model columns."""
    world, person = diary.world, diary.person
    curve = Curve(world.batch.tenant_id, person.id, diary.random, world.now)
    touches = sorted(diary.touches, key=lambda touch: touch.at)
    # A few people are followed closely, most are not.
    interest = between(diary.random, 0.15, 1) ** 3 * 14 + len(touches) ** 0.5
    curve.draw(touches, int(world.pace.density * 22 * interest))
    if plans and plans[0].source in {LeadSource.IMPORT, LeadSource.PORTAL}:
        curve.import_score(person.created_at)
    write_sessions(diary, curve.visits, held)
    if held is not None and held.ended_at is not None:
        curve.forget_visits()
    world.batch.rows["qd_scores"].extend(curve.points)
    world.pace.points += len(curve.points)
    columns: dict[str, object] = {}
    for source, point in curve.latest().items():
        for part, position in zip(_QD_PARTS, _POSITIONS, strict=True):
            columns[f"{source.lower()}_qd_{part}"] = point[position]
    return columns


def _next_action(diary: Diary, plans: list[LeadPlan], latest: dict[str, object]) -> dict[str, object]:
    """Return the next-best-action columns, by the product's own rules."""
    now = diary.world.now
    live = [plan for plan in plans if plan.stage in OPEN_STAGES]
    furthest = max(live, key=lambda plan: (OPEN_STAGES.index(plan.stage), plan.moves[-1].at, plan.id), default=None)
    waiting = [at for at in diary.unanswered if diary.answered_at is None or at > diary.answered_at]
    task = min(diary.open_tasks, default=None)
    score, scored_at = latest.get("rules_qd_score"), latest.get("rules_qd_at")
    situation = Situation(
        lead=OpenLead(furthest.stage, furthest.moves[-1].at) if furthest else None,
        last_contacted_at=diary.last_contact,
        unanswered_since=min(waiting, default=None),
        last_visit_at=diary.visited_at,
        task=DueTask(task[0]) if task else None,
        engagement=Engagement(score, scored_at)
        if isinstance(score, float) and isinstance(scored_at, datetime)
        else None,
        zone=diary.world.zone,
    )
    action = decide(situation, now)
    if action is None:
        return {}
    return {
        "next_best_action_kind": action.kind.name, "next_best_action_title": action.title,
        "next_best_action_reason": action.reason, "next_best_action_due_at": action.due_at,
        "next_best_action_computed_at": now,
    }  # fmt: skip

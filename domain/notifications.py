"""Notifications: what to look at now, and the rule that found it. They never say what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.access import Actor
from domain.audit import AuditAction, Change
from domain.errors import Invalid
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class NotificationKind(Enum):
    """What a notification is about."""

    QD_SPIKE = "QD_SPIKE"
    SESSION_COMPLETE = "SESSION_COMPLETE"
    LEAD_TAGGED = "LEAD_TAGGED"
    TASK_DUE = "TASK_DUE"


NOTIFICATION_EVENTS: Final = frozenset({"NotificationCreated"})
"""The events that tell of a new notification; their payload names its `user`."""

MOST_MARKED: Final = 100
"""How many notifications are marked at once."""

DUE_WITHIN: Final = timedelta(days=1)
"""A task that fell due longer ago is no news."""


@dataclass(frozen=True, slots=True)
class News:
    """What a rule found: the same for everybody who is told."""

    kind: NotificationKind
    rule: str
    title: str
    subject: Actor
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """News for one user."""

    id: UUID
    user_id: UUID
    at: datetime
    news: News


@dataclass(frozen=True, slots=True)
class NotificationsMarkRead:
    """What the caller has seen."""

    ids: list[UUID]


class NotificationStore(Protocol):
    """Notifications of the unit's tenant."""

    async def add(self, notifications: Sequence[Notification]) -> None:
        """Store notifications."""

    async def following(self, person_id: UUID | None, *users: UUID) -> list[UUID]:
        """Return the active users among `users`, and those who work on an open lead of a person."""

    async def mark_read(self, ids: Sequence[UUID], now: datetime) -> list[UUID]:
        """Store that the caller has seen these; return which were new to them. Raises NotFound if one is not theirs."""

    async def due(self, task_id: UUID, now: datetime) -> UUID | None:
        """Remember that a task's assignee is told that it is due; return them, None where they were told before."""


async def tell(unit: Unit, news: News, users: Iterable[UUID]) -> None:
    """Tell some news to users, each once."""
    made = [Notification(new_id(), user_id, unit.now, news) for user_id in sorted(set(users))]
    if not made:
        return
    await unit.notifications.add(made)
    for each in made:
        payload = (("user", str(each.user_id)), ("kind", news.kind.name))
        unit.record(
            Change(
                AuditAction.CREATE, "NotificationCreated", "notifications", each.id, ("kind", "rule"), payload=payload
            )
        )


async def mark_read(unit: Unit, command: NotificationsMarkRead) -> list[UUID]:
    """Mark notifications of the caller's own as read; what was read stays as it is. Raises Invalid or NotFound."""
    unit.caller.as_user()
    if len(command.ids) > MOST_MARKED:
        raise Invalid(f"At most {MOST_MARKED} are marked at once.", field="ids")
    ids = list(dict.fromkeys(command.ids))
    for each in await unit.notifications.mark_read(ids, unit.now):
        unit.record(Change(AuditAction.UPDATE, "NotificationRead", "notifications", each, ("readAt",)))
    return ids


async def tell_due(unit: Unit, task_id: UUID) -> bool:
    """Tell a task's assignee that it is due, once for each due date; return whether that was so."""
    assignee_id = await unit.notifications.due(task_id, unit.now)
    if assignee_id is None:
        return False
    news = News(
        NotificationKind.TASK_DUE, "A task that is open reaches its due date.", "A task is due", Actor("tasks", task_id)
    )
    await tell(unit, news, [assignee_id])
    return True

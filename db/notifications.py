"""How notifications are stored, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import insert, text, update

from db.reading.events import event
from db.reading.fields import enum, time
from db.reading.fields import text as words
from db.reading.source import Filter, Link, Ordering, Reference, source
from db.reading.writer import Alias, Writer
from db.tables import (
    belongs_to,
    enum_text,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
)
from domain.errors import NotFound
from domain.notifications import DUE_WITHIN, Notification, NotificationKind

if TYPE_CHECKING:
    from db.unit import SqlUnit

notifications = tenant_table(
    "notifications",
    reference("user_id"),
    enum_text("kind", NotificationKind),
    prose("rule", 300, least=1),
    prose("title", 200, least=1),
    prose("body", 2_000, nullable=True),
    moment("at"),
    moment("read_at", nullable=True),
    *pointer("subject"),
    belongs_to("user_id", "users"),
    ordered_by("user_id", "at"),
)


def _mine(w: Writer, t: Alias) -> str:
    return f"{t.user_id} = {w.viewer}"


NOTIFICATIONS = source(
    "notifications",
    notifications,
    prefix="notification",
    visible=_mine,
    default_order=("CREATED_AT", True),
    columns={
        "kind": enum("kind"),
        "rule": words("rule"),
        "title": words("title"),
        "body": words("body", null=True),
        "at": time("at"),
        "read_at": time("read_at", null=True),
    },
    links={"subject": Reference("subject_noun", "subject_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.at, "timestamptz")},
    filters={
        "unread": Filter("boolean", lambda _w, t, sent: f"({t.read_at} is null) = {sent}"),
        "kinds": Filter("text[]", lambda _w, t, sent: f"{t.kind} = any({sent})"),
    },
)

NOTIFICATION_EVENTS = event({"notification": Link("notifications", "subject_id")})

_FOLLOWING = text("""
    select id from users where tenant_id = :tenant and status = 'ACTIVE' and (id = any(:users) or id in (
        select assignee_id from leads
        where tenant_id = :tenant and person_id = :person and stage not in ('WON', 'LOST')))
    order by id
""")

_DUE = text("""
    update tasks set notified_due_at = due_at
    where tenant_id = :tenant and id = :task and status = 'OPEN' and assignee_id is not null and due_at <= :now
        and due_at > :since and notified_due_at is distinct from due_at
    returning assignee_id
""")


class SqlNotifications:
    """The notification store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add(self, made: Sequence[Notification]) -> None:
        """Store notifications."""
        await self._unit.connection.execute(
            insert(notifications),
            [
                {
                    "tenant_id": self._unit.caller.tenant_id, "id": each.id, "user_id": each.user_id,
                    "kind": each.news.kind.name, "rule": each.news.rule, "title": each.news.title,
                    "body": each.news.body, "at": each.at, "subject_noun": each.news.subject.noun,
                    "subject_id": each.news.subject.id,
                }
                for each in made
            ],
        )  # fmt: skip

    async def following(self, person_id: UUID | None, *users: UUID) -> list[UUID]:
        """Return the active users among `users`, and those who work on an open lead of a person."""
        given = {"tenant": self._unit.caller.tenant_id, "person": person_id, "users": list(users)}
        return list((await self._unit.connection.execute(_FOLLOWING, given)).scalars())

    async def mark_read(self, ids: Sequence[UUID], now: datetime) -> list[UUID]:
        """Store that the caller has seen these; return which were new to them."""
        new = []
        # In one order, so that two units do not wait for each other.
        for each in sorted(ids):
            try:
                row = await self._unit.visible_row(NOTIFICATIONS, each, columns=["id", "read_at"])
            except NotFound:
                raise NotFound(field="ids") from None
            if row["read_at"] is None:
                new.append(each)
        if new:
            await self._unit.connection.execute(
                update(notifications)
                .where(notifications.c.tenant_id == self._unit.caller.tenant_id, notifications.c.id.in_(new))
                .values(read_at=now)
            )
        return new

    async def due(self, task_id: UUID, now: datetime) -> UUID | None:
        """Remember that a task's assignee is told that it is due; return them, None where they were told before."""
        given = {"tenant": self._unit.caller.tenant_id, "task": task_id, "now": now, "since": now - DUE_WITHIN}
        found: UUID | None = (await self._unit.connection.execute(_DUE, given)).scalar_one_or_none()
        return found

"""How tasks are stored, read and written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index

from db.reading.fields import enum, text, time
from db.reading.source import Filter, Link, Ordering, Reference, source
from db.tables import (
    belongs_to,
    created_at,
    enum_text,
    kept_order,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
    updated_at,
)
from db.visibility import any_of, assigned, own_person, through_lead
from domain.errors import NotAllowed, NotFound
from domain.tasks import Task, TaskPriority, TaskStatus

if TYPE_CHECKING:
    from db.unit import SqlUnit


tasks = tenant_table(
    "tasks",
    prose("title", 200, least=1),
    moment("due_at", nullable=True),
    # A task that is never due comes last.
    kept_order("due_or_never", DateTime(timezone=True), "COALESCE(due_at, 'infinity'::timestamptz)"),
    enum_text("priority", TaskPriority),
    enum_text("status", TaskStatus),
    reference("assignee_id", nullable=True),
    reference("person_id", nullable=True),
    reference("lead_id", nullable=True),
    *pointer("created_by"),
    created_at(),
    updated_at(),
    moment("completed_at", nullable=True),
    # Of which due date the assignee was told.
    moment("notified_due_at", nullable=True),
    CheckConstraint("(status = 'DONE') = (completed_at IS NOT NULL)", name="completed_at_if_done"),
    belongs_to("assignee_id", "users"),
    belongs_to("person_id", "people"),
    belongs_to("lead_id", "leads"),
    ordered_by("created_at"),
    ordered_by("assignee_id", "created_at"),
    ordered_by("person_id", "created_at"),
    ordered_by("lead_id", "created_at"),
    ordered_by("due_or_never"),
    ordered_by("assignee_id", "status", "due_or_never"),
    ordered_by("person_id", "status", "due_or_never"),
    ordered_by("lead_id", "status", "due_or_never"),
    # The sweep looks for what has come due in whatever tenant.
    Index("ix_tasks_due_at", "due_at", postgresql_where="status = 'OPEN'"),
)

TASKS = source(
    "tasks",
    tasks,
    prefix="task",
    visible=any_of(assigned(), through_lead("lead_id"), own_person("person_id")),
    default_order=("CREATED_AT", True),
    columns={
        "title": text("title"),
        "due_at": time("due_at", null=True),
        "status": enum("status"),
        "priority": enum("priority"),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
        "completed_at": time("completed_at", null=True),
    },
    links={
        "assignee": Link("users", local="assignee_id"),
        "person": Link("people", local="person_id"),
        "lead": Link("leads", local="lead_id"),
        "created_by": Reference("created_by_noun", "created_by_id"),
    },
    orders={
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
        "DUE_AT": Ordering(lambda t: t.due_or_never, "timestamptz"),
    },
    filters={
        "status": Filter("text", lambda _w, t, value: f"{t.status} = {value}"),
        "assignee_id": Filter("uuid", lambda _w, t, value: f"{t.assignee_id} = {value}"),
    },
)


class SqlTasks:
    """The task store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def get_for_update(self, task_id: UUID) -> Task:
        """Return a task that the caller may see and lock its row; raises NotFound."""
        row = await self._unit.visible_row(TASKS, task_id)
        return Task(
            id=row["id"],
            title=row["title"],
            due_at=row["due_at"],
            priority=TaskPriority[row["priority"]],
            status=TaskStatus[row["status"]],
            assignee_id=row["assignee_id"],
            person_id=row["person_id"],
            lead_id=row["lead_id"],
            completed_at=row["completed_at"],
        )

    async def add(self, task: Task, now: datetime) -> None:
        """Store a new task."""
        actor = self._unit.caller.actor
        await self._unit.add(
            tasks, id=task.id, person_id=task.person_id, lead_id=task.lead_id, created_by_noun=actor.noun,
            created_by_id=actor.id, created_at=now, updated_at=now, **_columns(task),
        )  # fmt: skip

    async def save(self, task: Task, now: datetime) -> None:
        """Store what changed about a task."""
        await self._unit.change(tasks, task.id, updated_at=now, **_columns(task))
        try:
            await self._unit.visible_row(TASKS, task.id, lock=False, columns=["id"])
        except NotFound:
            raise NotAllowed("You would not see this task any more.", field="assigneeId") from None


def _columns(task: Task) -> dict[str, object]:
    return {
        "title": task.title,
        "due_at": task.due_at,
        "priority": task.priority.name,
        "status": task.status.name,
        "assignee_id": task.assignee_id,
        "completed_at": task.completed_at,
    }

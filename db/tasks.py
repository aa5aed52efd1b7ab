"""How tasks are stored."""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql

from db.tables import (
    belongs_to,
    created_at,
    enum_text,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
    updated_at,
)
from domain.tasks import TaskPriority, TaskStatus


def due_order(*columns: str) -> Index:
    """The index of the order by due date, in which a task without one comes last."""
    name = "_".join(("ix_tasks_tenant_id", *columns, "due_id"))
    return Index(name, "tenant_id", *columns, sql("COALESCE(due_at, 'infinity'::timestamp with time zone)"), "id")


tasks = tenant_table(
    "tasks",
    prose("title", 200, least=1),
    moment("due_at", nullable=True),
    enum_text("priority", TaskPriority),
    enum_text("status", TaskStatus),
    reference("assignee_id", nullable=True),
    reference("person_id", nullable=True),
    reference("lead_id", nullable=True),
    *pointer("created_by"),
    created_at(),
    updated_at(),
    moment("completed_at", nullable=True),
    CheckConstraint("(status = 'DONE') = (completed_at IS NOT NULL)", name="completed_at_if_done"),
    belongs_to("assignee_id", "users"),
    belongs_to("person_id", "people"),
    belongs_to("lead_id", "leads"),
    ordered_by("created_at"),
    ordered_by("assignee_id", "created_at"),
    ordered_by("person_id", "created_at"),
    ordered_by("lead_id", "created_at"),
    due_order(),
    due_order("assignee_id", "status"),
    due_order("person_id", "status"),
    due_order("lead_id", "status"),
)

"""Tasks: what somebody promised to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from domain.access import Caller, Permission
from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Conflict, Invalid, Issue, NotAllowed
from domain.leads import check_active, check_assignee
from domain.values import UNSET, Unset, given, new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class TaskStatus(Enum):
    """Whether a task is still to be done."""

    OPEN = "OPEN"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class TaskPriority(Enum):
    """How pressing a task is, lowest first."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"


@dataclass(frozen=True, slots=True)
class Task:
    """A task."""

    id: UUID
    title: str
    due_at: datetime | None
    priority: TaskPriority
    status: TaskStatus
    assignee_id: UUID | None
    person_id: UUID | None
    lead_id: UUID | None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskCreate:
    """What makes a task: it is for a person, or for a lead and so for its person."""

    title: str
    person_id: UUID | None = None
    lead_id: UUID | None = None
    due_at: datetime | None = None
    priority: TaskPriority | None = None
    assignee_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TaskUpdate:
    """What is to change about a task; what is left out stays."""

    task_id: UUID
    title: str | Unset | None = UNSET
    due_at: datetime | Unset | None = UNSET
    priority: TaskPriority | Unset | None = UNSET
    status: TaskStatus | Unset | None = UNSET
    assignee_id: UUID | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class TaskComplete:
    """A promise that was kept."""

    task_id: UUID


class TaskStore(Protocol):
    """Tasks of the unit's tenant that its caller may see."""

    async def get_for_update(self, task_id: UUID) -> Task:
        """Return a task and lock its row; raises NotFound."""

    async def add(self, task: Task, now: datetime) -> None:
        """Store a new task."""

    async def save(self, task: Task, now: datetime) -> None:
        """Store what changed about a task; raises NotAllowed where the caller would not see it any more."""


class TaskCancelled(Conflict):
    """A cancelled task is opened again before it is completed."""


def changed(task: Task, command: TaskUpdate, now: datetime) -> Task:
    """Return a task as a command wants it; raises Invalid where null is given for what a task always has."""
    required = {"title": command.title, "priority": command.priority, "status": command.status}
    issues = [
        Issue(name, f"A task has a {name}: leave it out to keep it.") for name, to in required.items() if to is None
    ]
    if issues:
        raise Invalid(issues=tuple(issues))
    return replace(
        with_status(task, given(command.status, task.status) or task.status, now),
        title=checked_title(given(command.title, task.title) or ""),
        due_at=given(command.due_at, task.due_at),
        priority=given(command.priority, task.priority) or task.priority,
        assignee_id=given(command.assignee_id, task.assignee_id),
    )


def with_status(task: Task, status: TaskStatus, now: datetime) -> Task:
    """Return a task with a status; it remembers when it was done only while it is."""
    if status is task.status:
        return task
    return replace(task, status=status, completed_at=now if status is TaskStatus.DONE else None)


def checked_title(title: str) -> str:
    """Return a title without the space around it; raises Invalid where nothing is left."""
    if not title.strip():
        raise Invalid("A title says what is to be done.", field="title")
    return title.strip()


def check_assigning(caller: Caller, assignee_id: UUID | None) -> None:
    """Decide who may give work to whom: everybody to themselves and to nobody, who assigns leads as they assign those.

    Raises NotAllowed or OutsideTeam.
    """
    if assignee_id in {None, caller.user_id}:
        return
    if not caller.may(Permission.LEAD_ASSIGN):
        raise NotAllowed("Your role assigns tasks to itself only.", field="assigneeId")
    check_assignee(caller, assignee_id)


async def create(unit: Unit, command: TaskCreate) -> UUID:
    """Make a task. It is the caller's own unless another assignee is named."""
    title = checked_title(command.title)
    person_id = await _person(unit, command)
    assignee_id = command.assignee_id or unit.caller.user_id
    await _check_assignee(unit, assignee_id)
    task = Task(
        id=new_id(),
        title=title,
        due_at=command.due_at,
        priority=command.priority or TaskPriority.NORMAL,
        status=TaskStatus.OPEN,
        assignee_id=assignee_id,
        person_id=person_id,
        lead_id=command.lead_id,
    )
    await unit.tasks.add(task, unit.now)
    await unit.people.touch(person_id)
    unit.record(
        Change(
            action=AuditAction.CREATE,
            event="TaskCreated",
            noun="tasks",
            id=task.id,
            fields=("title", "priority", "assignee", *(("dueAt",) if task.due_at else ())),
            person_id=person_id,
        )
    )
    return task.id


async def update(unit: Unit, command: TaskUpdate) -> UUID:
    """Change a task. What is as it was already is neither written nor recorded."""
    task = await unit.tasks.get_for_update(command.task_id)
    wanted = changed(task, command, unit.now)
    if wanted.assignee_id != task.assignee_id:
        await _check_assignee(unit, wanted.assignee_id)
    await _save(unit, task, wanted)
    return task.id


async def complete(unit: Unit, command: TaskComplete) -> UUID:
    """Complete a task. One that is done already gives the same answer and nothing happens; raises TaskCancelled."""
    task = await unit.tasks.get_for_update(command.task_id)
    if task.status is TaskStatus.CANCELLED:
        raise TaskCancelled(field="taskId")
    await _save(unit, task, with_status(task, TaskStatus.DONE, unit.now))
    return task.id


async def _person(unit: Unit, command: TaskCreate) -> UUID:
    if command.lead_id is None:
        if command.person_id is None:
            raise Invalid("A task is for a person or for a lead.", field="personId")
        return await unit.people.owned(command.person_id)
    lead = await unit.leads.get_for_update(command.lead_id)
    if command.person_id not in {None, lead.person_id}:
        raise Invalid("This lead is another person's.", field="personId")
    return lead.person_id


async def _check_assignee(unit: Unit, assignee_id: UUID | None) -> None:
    check_assigning(unit.caller, assignee_id)
    await check_active(unit, assignee_id)


FIELDS = {"title": "title", "due_at": "dueAt", "priority": "priority", "status": "status", "assignee_id": "assignee"}


async def _save(unit: Unit, task: Task, wanted: Task) -> None:
    fields = tuple(client for name, client in FIELDS.items() if getattr(task, name) != getattr(wanted, name))
    if not fields:
        return
    await unit.tasks.save(wanted, unit.now)
    if task.person_id is not None:
        await unit.people.touch(task.person_id)
    done = wanted.status is TaskStatus.DONE and "status" in fields
    unit.record(
        Change(
            action=AuditAction.UPDATE,
            event="TaskCompleted" if done else "TaskUpdated",
            noun="tasks",
            id=task.id,
            fields=fields,
            person_id=task.person_id,
            payload=(("status", wanted.status.name),),
            activity=CrmActivityKind.TASK_COMPLETED if done else None,
            summary="Task completed" if done else "",
        )
    )

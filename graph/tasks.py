"""Tasks as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import tasks as domain
from domain.access import Permission
from domain.tasks import TaskPriority, TaskStatus
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, column, connection, link, noun, paid, payload, reference, root
from graph.enums import described
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime
from resolvers import tasks as resolve

if TYPE_CHECKING:
    from graph.access import Actor, User
    from graph.leads import Lead
    from graph.people import Person

described(
    TaskStatus,
    "Whether a task is still to be done.",
    OPEN="To be done.",
    DONE="Was done.",
    CANCELLED="Need not be done any more.",
)
described(
    TaskPriority,
    "How pressing a task is, lowest first.",
    LOW="When there is time.",
    NORMAL="By its day.",
    HIGH="Before the others.",
    URGENT="Now.",
)


@strawberry.input(description="Which tasks; every entry narrows the list.")
class TaskFilter:
    """The filter of task lists."""

    status: TaskStatus | None = optional("Has this status.")
    assignee_id: strawberry.ID | None = optional("Is this user's.", of="users")


@noun(
    "tasks",
    prefix="task",
    description="Something to do for a person or a lead, by a day.",
    filter=TaskFilter,
    orders={"CREATED_AT": "When it was made.", "DUE_AT": "When it is due; without a day comes last."},
)
class Task(Node):
    """A task."""

    title: str = column("What is to be done.")
    due_at: DateTime | None = column("By when.")
    status: TaskStatus = column("Whether it is still to be done.")
    priority: TaskPriority = column("How pressing it is.")
    created_at: DateTime = column("When it was made.")
    updated_at: DateTime = column("When it last changed.")
    completed_at: DateTime | None = column("When it was done.")
    assignee: User | None = link("Who is to do it.")
    person: Person | None = link("For whom.")
    lead: Lead | None = link("For which lead, if you may see it.")
    created_by: Actor | None = reference("Who made it.")


@root
class TaskQuery:
    """Root fields that read tasks."""

    tasks: Connection[Task] = connection(
        "The tasks you may see: yours, and those of your leads and their people.", Permission.LEAD_READ
    )


@strawberry.input(description="What makes a task: it is for a person, or for a lead and so for its person.")
class TaskCreateInput:
    """A new task."""

    person_id: strawberry.ID | None = optional("For whom; needed without a lead.", of="people")
    lead_id: strawberry.ID | None = optional("For which lead.", of="leads")
    title: str = argument("What is to be done.", longest=200)
    due_at: DateTime | None = optional("By when.")
    priority: TaskPriority | None = optional("How pressing it is; NORMAL, if left out.")
    assignee_id: strawberry.ID | None = optional("Who is to do it; you, if left out.", of="users")
    idempotency_key: str | None = once()


@strawberry.input(description="What is to change about a task; what is left out stays.")
class TaskUpdateInput:
    """A change."""

    task_id: strawberry.ID = argument("Which task.", of="tasks")
    title: str | None = optional("What is to be done; not null.", longest=200)
    due_at: DateTime | None = optional("By when; null for no day.")
    priority: TaskPriority | None = optional("How pressing it is; not null.")
    status: TaskStatus | None = optional("Whether it is still to be done; not null. Any status may follow any other.")
    assignee_id: strawberry.ID | None = optional(
        "Who is to do it; null for nobody. Refused if you would not see the task then.", of="users"
    )


@strawberry.input(description="A promise that was kept.")
class TaskCompleteInput:
    """A completion."""

    task_id: strawberry.ID = argument("Which task.", of="tasks")


@payload("The task that was made.")
class TaskCreatePayload:
    """The answer of taskCreate."""

    task: Task = link("The new task.")


@payload("The task that was changed.")
class TaskUpdatePayload:
    """The answer of taskUpdate."""

    task: Task = link("The task, as it is now.")


@payload("The task that was completed.")
class TaskCompletePayload:
    """The answer of taskComplete."""

    task: Task = link("The task, as it is now.")


@root
class TaskMutation:
    """Mutations of tasks."""

    @mutation("Make a task for a person or a lead.")
    async def task_create(self, info: Info, input: TaskCreateInput) -> TaskCreatePayload:
        """Make a task."""
        task = await resolve.task_create(
            info.context, unpacked(input, domain.TaskCreate), key_of(input.idempotency_key)
        )
        return paid(TaskCreatePayload, task=task)

    @mutation("Change a task.")
    async def task_update(self, info: Info, input: TaskUpdateInput) -> TaskUpdatePayload:
        """Change a task."""
        return paid(TaskUpdatePayload, task=await resolve.task_update(info.context, unpacked(input, domain.TaskUpdate)))

    @mutation("Complete a task. One that is done already gives the same answer; a cancelled one is refused.")
    async def task_complete(self, info: Info, input: TaskCompleteInput) -> TaskCompletePayload:
        """Complete a task."""
        task = await resolve.task_complete(info.context, unpacked(input, domain.TaskComplete))
        return paid(TaskCompletePayload, task=task)

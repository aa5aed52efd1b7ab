"""The edge of the task use cases."""

from __future__ import annotations

from uuid import UUID

from domain import tasks
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.TASK_WRITE)
async def task_create(context: Context, command: tasks.TaskCreate, idempotency_key: str | None) -> UUID:
    """Make a task."""
    return await perform(context, tasks.create, command, idempotency_key)


@allow(Permission.TASK_WRITE)
async def task_update(context: Context, command: tasks.TaskUpdate) -> UUID:
    """Change a task."""
    return await perform(context, tasks.update, command)


@allow(Permission.TASK_WRITE)
async def task_complete(context: Context, command: tasks.TaskComplete) -> UUID:
    """Complete a task."""
    return await perform(context, tasks.complete, command)

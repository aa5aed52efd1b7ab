"""The edge of the notification use cases."""

from __future__ import annotations

from uuid import UUID

from domain import notifications
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.LEAD_READ)
async def notifications_mark_read(context: Context, command: notifications.NotificationsMarkRead) -> list[UUID]:
    """Mark notifications of the caller's own as read."""
    return await perform(context, notifications.mark_read, command)

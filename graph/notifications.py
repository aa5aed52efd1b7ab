"""Notifications as clients see them."""

from __future__ import annotations

import strawberry

from domain import notifications as domain
from domain.access import Permission
from domain.notifications import NotificationKind
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, column, connection, link, links, noun, paid, payload, reference, root
from graph.enums import described
from graph.inputs import argument, optional, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime, EventCursor
from graph.subscriptions.declaration import event, stream
from resolvers import notifications as resolve

described(
    NotificationKind,
    "What a notification is about.",
    QD_SPIKE="Somebody's interest rose quickly.",
    SESSION_COMPLETE="A session is completed.",
    LEAD_TAGGED="A lead was tagged.",
    TASK_DUE="A task of yours is due.",
)


@strawberry.input(description="Which notifications; every entry narrows the list.")
class NotificationFilter:
    """The filter of the inbox."""

    unread: bool | None = optional("Whether it was not read.")
    kinds: list[NotificationKind] | None = optional("Is about one of these.")


@noun(
    "notifications",
    prefix="notification",
    description="What you should look at.",
    filter=NotificationFilter,
    orders={"CREATED_AT": "When it was made."},
)
class Notification(Node):
    """A notification."""

    kind: NotificationKind = column("What it is about.")
    rule: str = column("The rule that made it, in words.")
    title: str = column("What happened, in a few words.")
    body: str | None = column("More about it.")
    at: DateTime = column("When it was made.")
    read_at: DateTime | None = column("When you marked it as read.")
    subject: Node | None = reference("What it is about, if you may see that.")


@event("notification_events", description="A notification that is new.")
class NotificationEvent:
    """What notifications answers for each event."""

    cursor: EventCursor = column("The position of this event: follow from it, and nothing is missed or told twice.")
    notification: Notification = link("The notification, as it is now.")


@root
class NotificationSubscription:
    """Subscriptions to notifications."""

    notifications: NotificationEvent = stream(
        "Your notifications, as they are made.",
        Permission.LEAD_READ,
        kinds=domain.NOTIFICATION_EVENTS,
        told_to="user",
    )


@root
class NotificationQuery:
    """Root fields that read notifications."""

    notifications: Connection[Notification] = connection("Your notifications, newest first.", Permission.LEAD_READ)


@strawberry.input(description="What you have seen.")
class NotificationsMarkReadInput:
    """A mark."""

    ids: list[strawberry.ID] = argument("Notifications of yours, at most 100.", of="notifications")


@payload("The notifications that are read.")
class NotificationsMarkReadPayload:
    """The answer of notificationsMarkRead."""

    notifications: list[Notification] = links("Them, as they are now.")


@root
class NotificationMutation:
    """Mutations of notifications."""

    @mutation("Mark notifications of yours as read.")
    async def notifications_mark_read(
        self, info: Info, input: NotificationsMarkReadInput
    ) -> NotificationsMarkReadPayload:
        """Mark notifications."""
        marked = await resolve.notifications_mark_read(info.context, unpacked(input, domain.NotificationsMarkRead))
        return paid(NotificationsMarkReadPayload, notifications=marked)

"""How threads, their messages and the read markers are written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db.reading.writer import Writer
from db.tables import metadata
from db.threads.source import THREADS, visible
from db.threads.tables import provider_settings, thread_messages, thread_reads, threads
from db.threads.viewers import VIEWERS
from db.visibility import own_person
from domain.errors import NotFound
from domain.interactions import Direction, InteractionKind
from domain.threads import Channel, Kept, Message, MessageProvider, Position, ReadMarker, Thread
from domain.values import new_id

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlThreads:
    """The thread store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit
        self._connection = unit.connection
        self._tenant = unit.caller.tenant_id

    async def get_for_update(self, thread_id: UUID) -> Thread:
        """Return a thread and lock its row; raises NotFound."""
        return _thread(await self._unit.visible_row(THREADS, thread_id))

    async def keep(self, thread: Thread, last_message_at: datetime, now: datetime) -> Kept:
        """Store a new thread, unless its address has one. The unique key makes two units wait for one another."""
        added = await self._connection.execute(
            insert(threads)
            .values(
                tenant_id=self._tenant, id=thread.id, channel=thread.channel.name, address=thread.address,
                person_id=thread.person_id, assignee_id=thread.assignee_id, last_message_at=last_message_at,
                created_at=now,
            )
            .on_conflict_do_nothing(index_elements=["tenant_id", "channel", "address"])
        )  # fmt: skip
        w = Writer(self._unit.caller)
        t = w.alias(threads)
        result = await self._connection.exec_driver_sql(
            f"select {t.name}.*, {visible(w, t) or 'true'} as visible from threads {t.name}"
            f" where {t.tenant_id} = {w.tenant} and {t.channel} = {w.bind(thread.channel.name, 'text')}"
            f" and {t.address} = {w.bind(thread.address, 'text')} for update of {t.name}",
            tuple(w.values),
        )
        row = result.mappings().one()
        # The condition is null, which is no, for a thread without an assignee.
        return Kept(_thread(row), visible=bool(row["visible"]), created=added.rowcount == 1)

    async def link(self, thread: Thread, person_id: UUID) -> None:
        """Store whose conversation it is; its messages join that person's interactions."""
        interactions = metadata.tables["interactions"]
        await self._unit.change(threads, thread.id, person_id=person_id)
        rows = await self._connection.execute(
            select(thread_messages, interactions.c.id.label("interaction_id"))
            .join_from(
                thread_messages,
                interactions,
                (interactions.c.tenant_id == thread_messages.c.tenant_id)
                & (interactions.c.thread_message_id == thread_messages.c.id),
                isouter=True,
            )
            .where(thread_messages.c.tenant_id == self._tenant, thread_messages.c.thread_id == thread.id)
        )
        messages = rows.mappings().all()
        known = [row["interaction_id"] for row in messages if row["interaction_id"] is not None]
        if known:
            await self._connection.execute(
                update(interactions)
                .where(interactions.c.tenant_id == self._tenant, interactions.c.id.in_(known))
                .values(person_id=person_id)
            )
        missing = [
            {**_interaction(row, person_id), "tenant_id": self._tenant, "id": new_id(), "created_at": self._unit.now}
            for row in messages
            if row["interaction_id"] is None
        ]
        if missing:
            await self._connection.execute(insert(interactions), missing)

    async def own_person_with_phone(self, address: str) -> UUID | None:
        """Return the only person with this phone number, if they are the caller's own; None otherwise."""
        w = Writer(self._unit.caller)
        p = w.alias("people")
        result = await self._connection.exec_driver_sql(
            f"select {p.id}, {own_person()(w, p) or 'true'} as own from people {p.name}"
            f" where {p.tenant_id} = {w.tenant} and {p.primary_phone_e164} = {w.bind(address, 'text')}"
            f" and {p.merged_into_id} is null limit 2",
            tuple(w.values),
        )
        found = result.all()
        return found[0].id if len(found) == 1 and found[0].own else None

    async def provider(self, channel: Channel) -> MessageProvider | None:
        """Return who delivers the tenant's messages on a channel."""
        name = await self._connection.scalar(
            select(provider_settings.c.provider).where(
                provider_settings.c.tenant_id == self._tenant, provider_settings.c.channel == channel.name
            )
        )
        return None if name is None else MessageProvider[name]

    async def add_message(self, message: Message, now: datetime) -> bool:
        """Store a message and raise the thread to it; False where its provider has brought it before."""
        author = message.author
        added = await self._connection.execute(
            insert(thread_messages)
            .values(
                tenant_id=self._tenant, id=message.id, thread_id=message.thread_id, direction=message.direction.name,
                kind=message.kind.name, text=message.text, sent_at=message.sent_at, created_at=now,
                delivery_state=message.delivery_state and message.delivery_state.name,
                author_noun=author and author.noun, author_id=author and author.id,
                provider_message_id=message.provider_message_id,
            )
            .on_conflict_do_nothing(index_elements=["tenant_id", "thread_id", "provider_message_id"])
        )  # fmt: skip
        if added.rowcount != 1:
            return False
        newest = func.greatest(threads.c.last_message_at, message.sent_at)
        await self._unit.change(threads, message.thread_id, last_message_at=newest)
        return True

    async def add_interaction(self, interaction_id: UUID, message: Message, person_id: UUID, now: datetime) -> None:
        """Store the interaction that a message is with a person."""
        author = message.author
        row = {
            "id": message.id, "direction": message.direction.name, "sent_at": message.sent_at,
            "author_noun": author and author.noun, "author_id": author and author.id,
        }  # fmt: skip
        await self._unit.add(
            metadata.tables["interactions"], id=interaction_id, created_at=now, **_interaction(row, person_id)
        )

    async def raise_unread(self, thread_id: UUID, now: datetime) -> None:
        """Count one more unread message for every active user who may see the thread."""
        await self._connection.execute(
            text(
                "insert into thread_reads (tenant_id, thread_id, user_id, unread_count, updated_at)"
                f" select cast(:tenant as uuid), cast(:thread as uuid), v.user_id, 1, :now from ({VIEWERS}) v"
                " on conflict (tenant_id, thread_id, user_id) do update"
                " set unread_count = thread_reads.unread_count + 1, updated_at = excluded.updated_at"
            ),
            {"tenant": self._tenant, "thread": thread_id, "now": now},
        )

    async def position(self, thread_id: UUID, message_id: UUID) -> Position:
        """Return the place of a message of this thread."""
        result = await self._connection.execute(
            select(thread_messages.c.sent_at, thread_messages.c.id).where(
                thread_messages.c.tenant_id == self._tenant,
                thread_messages.c.thread_id == thread_id,
                thread_messages.c.id == message_id,
            )
        )
        row = result.one_or_none()
        if row is None:
            raise NotFound(field="upToMessageId")
        return Position(*row)

    async def marker(self, thread_id: UUID) -> ReadMarker:
        """Return how far the caller has read."""
        result = await self._connection.execute(
            select(thread_reads.c.unread_count, thread_messages.c.sent_at, thread_messages.c.id)
            .join_from(
                thread_reads,
                thread_messages,
                (thread_messages.c.tenant_id == thread_reads.c.tenant_id)
                & (thread_messages.c.id == thread_reads.c.last_read_message_id),
                isouter=True,
            )
            .where(
                thread_reads.c.tenant_id == self._tenant,
                thread_reads.c.thread_id == thread_id,
                thread_reads.c.user_id == self._unit.caller.as_user(),
            )
        )
        row = result.one_or_none()
        if row is None:
            return ReadMarker()
        unread, sent_at, message_id = row
        return ReadMarker(None if message_id is None else Position(sent_at, message_id), unread)

    async def unread_after(self, thread_id: UUID, position: Position) -> int:
        """Count the inbound messages after a place."""
        result = await self._connection.execute(
            text(
                "select count(*) from thread_messages where tenant_id = :tenant and thread_id = :thread"
                " and direction = :inbound and (sent_at, id) > (:sent_at, :message)"
            ),
            {
                "tenant": self._tenant, "thread": thread_id, "inbound": Direction.INBOUND.name,
                "sent_at": position.sent_at, "message": position.message_id,
            },
        )  # fmt: skip
        count: int = result.scalar_one()
        return count

    async def set_marker(self, thread_id: UUID, marker: ReadMarker, now: datetime) -> None:
        """Store how far the caller has read."""
        kept = {
            "last_read_message_id": marker.position and marker.position.message_id,
            "unread_count": marker.unread,
            "updated_at": now,
        }
        await self._connection.execute(
            insert(thread_reads)
            .values(tenant_id=self._tenant, thread_id=thread_id, user_id=self._unit.caller.as_user(), **kept)
            .on_conflict_do_update(index_elements=["tenant_id", "thread_id", "user_id"], set_=kept)
        )


def _thread(row: RowMapping) -> Thread:
    return Thread(row["id"], Channel[row["channel"]], row["address"], row["person_id"], row["assignee_id"])


def _interaction(message: RowMapping | dict[str, object], person_id: UUID) -> dict[str, object]:
    """Return what an interaction keeps of its message."""
    return {
        "kind": InteractionKind.MESSAGE.name, "person_id": person_id, "direction": message["direction"],
        "occurred_at": message["sent_at"], "author_noun": message["author_noun"], "author_id": message["author_id"],
        "thread_message_id": message["id"],
    }  # fmt: skip

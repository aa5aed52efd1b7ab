"""Strawberry's subscriptions, as its documentation has them: an asynchronous generator for each subscriber.

Events come as the product's own process gets them: a notification wakes, one statement reads what is new.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Final, NewType

import asyncpg
import strawberry
import uvicorn
import uvloop
from asyncpg import Connection, Record
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from bench.places import HOST
from bench.plain.rows import STATEMENTS
from db.events.bus import CHANNEL

EventCursor = NewType("EventCursor", str)


@strawberry.interface
class Actor:
    id: strawberry.ID
    display_name: str


@strawberry.type
class UserActor(Actor):
    pass


@strawberry.type
class SystemActor(Actor):
    pass


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Person(Node):
    pass


@strawberry.type
class ActivityEntry:
    id: strawberry.ID
    kind: str
    at: str
    actor: Actor
    subject: Node
    summary: str


@strawberry.type
class CrmActivityEvent:
    cursor: EventCursor
    entry: ActivityEntry


followers: Final[set[asyncio.Queue[CrmActivityEvent]]] = set()


@strawberry.type
class Query:
    ready: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def crm_activity(self, after: EventCursor | None = None) -> AsyncIterator[CrmActivityEvent]:  # noqa: ARG002
        queue: asyncio.Queue[CrmActivityEvent] = asyncio.Queue()
        followers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            followers.discard(queue)


def told(row: Record) -> CrmActivityEvent:
    """Return an event as the schema has it."""
    actor = UserActor if row["actor_noun"] == "users" else SystemActor
    return CrmActivityEvent(
        cursor=EventCursor(row["cursor"]),
        entry=ActivityEntry(
            id=row["id"],
            kind=row["kind"],
            at=row["at"],
            actor=actor(id=row["actor_id"], display_name=row["actor_name"]),
            subject=Person(id=row["subject_id"]),
            summary=row["summary"],
        ),
    )


class Feed:
    """Reads what is new, once for everybody."""

    def __init__(self, connection: Connection[Record], sequence: int) -> None:
        self._connection = connection
        self._sequence = sequence
        self._woken = asyncio.Event()

    def heard(self, *_: object) -> None:
        self._woken.set()

    async def read(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            for row in await self._connection.fetch(STATEMENTS["activity_after"], self._sequence):
                self._sequence = row["sequence"]
                event = told(row)
                for queue in followers:
                    queue.put_nowait(event)


async def main() -> None:
    """Serve on the port that the environment names, until the process is ended."""
    listening, reading = await asyncpg.connect(os.environ["DSN"]), await asyncpg.connect(os.environ["DSN"])
    feed = Feed(reading, await reading.fetchval(STATEMENTS["newest_event"]))
    await listening.add_listener(CHANNEL, feed.heard)
    running = asyncio.create_task(feed.read())
    schema = strawberry.Schema(
        Query,
        subscription=Subscription,
        types=[UserActor, SystemActor, Person],
        config=StrawberryConfig(scalar_map={EventCursor: strawberry.scalar(name="EventCursor")}),
        extensions=[ParserCache, ValidationCache],
    )
    app = GraphQL[None, None](schema, graphql_ide=None, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
    config = uvicorn.Config(
        app,
        host=HOST,
        port=int(os.environ["PORT"]),
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        # On, each connection has buffers of its own, and nobody here asks for it.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    await uvicorn.Server(config).serve()
    running.cancel()


if __name__ == "__main__":
    uvloop.run(main())

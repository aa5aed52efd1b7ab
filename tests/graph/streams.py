"""A client of the socket for tests: raw frames, and subscriptions that are read one by one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from app.admission import FrontDoor, front_door
from app.asgi import Observer
from app.wiring import System
from domain.access import Role
from graph.http import Open
from graph.http.socket import Socket
from graph.subscriptions.hub import Hub
from tests.api import Api
from tests.factories.access import Tenant
from tests.serving import PATIENCE, serving

Message = dict[str, Any]
PROTOCOL = "graphql-transport-ws"


@dataclass(slots=True)
class Client:
    """One open socket."""

    opened: ClientConnection

    async def send(self, message: object) -> None:
        await self.opened.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def next(self) -> Message:
        """The next message that is no heartbeat."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message: Message = json.loads(await self.opened.recv())
                if message["type"] != "ping":
                    return message

    async def init(self, headers: Mapping[str, str] | None = None) -> None:
        """Sign in, and have it acknowledged."""
        await self.send({"type": "connection_init", "payload": dict(headers or {})})
        assert await self.next() == {"type": "connection_ack"}

    async def subscribe(self, document: str, id_: str = "1", **variables: Any) -> None:
        """Send an operation: a text, or a registered document's name."""
        named = {"query": document} if "{" in document else {"documentId": document}
        await self.send({"id": id_, "type": "subscribe", "payload": named | {"variables": variables}})

    async def data(self, field: str, id_: str = "1") -> Message:
        """What the next frame of a subscription tells."""
        message = await self.next()
        assert (message["type"], message["id"]) == ("next", id_), message
        assert "errors" not in message["payload"]
        told: Message = message["payload"]["data"][field]
        return told

    async def closed(self) -> tuple[int, str]:
        """Wait for the end; return its code and reason."""
        async with asyncio.timeout(PATIENCE):
            await self.opened.wait_closed()
        return self.opened.close_code or 0, self.opened.close_reason or ""


@asynccontextmanager
async def socket(
    http: httpx.AsyncClient, headers: Mapping[str, str] | None = None, protocol: str = PROTOCOL
) -> AsyncIterator[Client]:
    """Open a socket."""
    address = str(http.base_url.join("/graphql").copy_with(scheme="ws"))
    async with connect(address, subprotocols=[Subprotocol(protocol)], additional_headers=dict(headers or {})) as opened:
        yield Client(opened)


@asynccontextmanager
async def signed_in(http: httpx.AsyncClient, headers: Mapping[str, str]) -> AsyncIterator[Client]:
    """Open a socket and sign in on it."""
    async with socket(http) as client:
        await client.init(headers)
        yield client


@dataclass(slots=True)
class Served:
    """A served system and what is inside it."""

    http: httpx.AsyncClient
    door: FrontDoor
    api: Api

    @property
    def hub(self) -> Hub:
        return self.door.hub

    @property
    def shared(self) -> Open:
        return self.door.open

    @asynccontextmanager
    async def client(self, role: Role) -> AsyncIterator[Client]:
        async with signed_in(self.http, await self.api.bearer(role)) as client:
            yield client

    async def person(self, role: Role = Role.SALES_DIRECTOR, name: str = "Asha Rao") -> str:
        made = await self.api.data("PersonCreate", role=role, input={"fullName": name})
        person: str = made["personCreate"]["person"]["id"]
        return person

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                await self.http.get("/healthz")

    async def until_joined(self, *numbers: int) -> None:
        """Wait until groups of so many follow, and all of them were told what they missed."""
        await self.until(lambda: joined(self) == sorted(numbers))


@asynccontextmanager
async def served(system: System, tenant: Tenant, **settings: Any) -> AsyncIterator[Served]:
    changed = replace(system, settings=system.settings.model_copy(update=settings))
    door = front_door(changed, Observer(changed))
    async with serving(changed, door=door) as http:
        yield Served(http, door, Api(system, tenant))
    assert (door.hub.feeds, door.hub.subscriptions, door.hub.groups) == ({}, 0, 0)


def joined(live: Served) -> list[int]:
    """How many follow in each group and were told what they missed: they are counted before they are in one."""
    groups = [group for feed in live.hub.feeds.values() for group in feed.groups.values()]
    return sorted(sum(each._joined for each in group.members) for group in groups)


def stall(connection: Socket) -> asyncio.Event:
    """Let the network take nothing until the event is set: as if the client had stopped reading."""
    reads, writes = asyncio.Event(), connection._send

    async def stalled(message: Any) -> None:
        if message["type"] == "websocket.send":
            await reads.wait()
        await writes(message)

    connection._send = stalled
    connection._write_at_once = None
    return reads


async def cursor(live: Served) -> str:
    found: str = (await live.api.data("{ eventCursor }"))["eventCursor"]
    return found

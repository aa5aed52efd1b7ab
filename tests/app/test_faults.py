"""Faults under load, with real processes: no durable event is lost, none is told twice, and order is kept.

One process is killed and started again while clients follow it and resume, and another takes the writes; then
PostgreSQL is restarted under both. `VELOCITY_KILLS` says how often: 3 unless it is set.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from websockets import Subprotocol
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from domain.access import Role
from tests.api import operation
from tests.clusters import copied
from tests.factories import access
from tests.installation import Installation, Serving

KILLS = int(os.environ.get("VELOCITY_KILLS", "3"))
FOLLOWERS = 50
PATIENCE = 180
SECRET = "correct horse battery"
CREATE = 'mutation { personCreate(input: { fullName: "Asha Rao" }) { ... on PersonCreatePayload { person { id } } } }'


async def a_moment(seconds: float = 0.02) -> None:
    """The pace of a load: what is waited for never comes."""
    never = asyncio.get_running_loop().create_future()
    await asyncio.wait([never], timeout=seconds)


@dataclass(slots=True)
class Follower:
    """A client that resumes from its last cursor whenever it is cut off."""

    base: str
    token: str
    cursor: str
    told: list[str] = field(default_factory=list)
    resumed: int = 0

    async def follow(self) -> None:
        address = self.base.replace("http", "ws") + "/graphql"
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened:
                    await opened.send(json.dumps({"type": "connection_init", "payload": {"authorization": self.token}}))
                    payload = {"documentId": "CrmActivity", "variables": {"after": self.cursor}}
                    await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
                    while True:
                        self.heard(json.loads(await opened.recv()))
            self.resumed += 1
            await a_moment(0.1)

    def heard(self, message: dict[str, Any]) -> None:
        if message["type"] == "error" and message["payload"][0]["extensions"]["code"] == "UNAVAILABLE":
            raise ConnectionError("The database is not there: try again.")
        if message["type"] != "next":
            assert message["type"] in {"connection_ack", "ping"}, message
            return
        event = message["payload"]["data"]["crmActivity"]
        self.told.append(event["entry"]["subject"]["id"])
        self.cursor = event["cursor"]


@dataclass(slots=True)
class Load:
    """A steady writer and those who follow what it writes."""

    writes_at: httpx.AsyncClient
    headers: dict[str, str]
    followers: list[Follower]
    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0
    following: list[asyncio.Task[None]] = field(default_factory=list)

    async def write(self) -> None:
        while True:
            answer = await self.writes_at.post("/graphql", json={"query": CREATE}, headers=self.headers)
            content = answer.json()
            if "errors" in content or "person" not in content["data"]["personCreate"]:
                self.refused += 1
            else:
                self.acknowledged.append(content["data"]["personCreate"]["person"]["id"])
            await a_moment()

    async def everybody_heard(self, number: int) -> None:
        """Wait until everybody was told so many events."""
        async with asyncio.timeout(PATIENCE):
            while not all(len(each.told) >= number for each in self.followers):
                for task in self.following:
                    assert not task.done(), task.exception()
                await a_moment()

    def summary(self, kind: str, stored: list[str]) -> str:
        lost = sum(len(set(stored) - set(each.told)) for each in self.followers)
        twice = sum(sum(count - 1 for count in Counter(each.told).values()) for each in self.followers)
        received = sum(len(each.told) for each in self.followers)
        resumed = sum(each.resumed for each in self.followers)
        return (
            f"\n{kind}: {len(stored)} events sent, {len(self.acknowledged)} of them acknowledged; {received} received"
            f" by {len(self.followers)} followers, who connected {resumed} times anew; {lost} lost, {twice} twice.\n"
        )


@asynccontextmanager
async def load(base: str, follows: str, email: str) -> AsyncIterator[Load]:
    """Write at one process and follow another, until told to stop."""
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as client:
        variables = {"email": email, "password": SECRET}
        signed = await client.post("/graphql", json={"query": operation("Login"), "variables": variables})
        headers = {"authorization": f"Bearer {signed.json()['data']['login']['accessToken']}"}
        start = await client.post("/graphql", json={"query": "{ eventCursor }"}, headers=headers)
        cursor = start.json()["data"]["eventCursor"]
        made = Load(client, headers, [Follower(follows, headers["authorization"], cursor) for _ in range(FOLLOWERS)])
        made.following = [asyncio.create_task(each.follow()) for each in made.followers]
        try:
            yield made
        finally:
            for task in made.following:
                task.cancel()
            await asyncio.wait(made.following)
        for task in made.following:
            assert task.cancelled(), task.exception()


@asynccontextmanager
async def serving(installation: Installation) -> AsyncIterator[Serving]:
    """Start a process, while everything else goes on."""
    manager = installation.serving()
    started = await asyncio.to_thread(manager.__enter__)
    try:
        yield started
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


@asynccontextmanager
async def writing(made: Load) -> AsyncIterator[None]:
    """Write steadily meanwhile."""
    writer = asyncio.create_task(made.write())
    made.following.append(writer)
    try:
        yield
    finally:
        writer.cancel()
        made.following.remove(writer)
        await asyncio.wait([writer])
    assert writer.cancelled(), writer.exception()


async def stored(installation: Installation) -> list[str]:
    """Everybody whom the writer made, in the order of their events."""
    owner = await asyncpg.connect(installation.server.addresses.owner)
    try:
        rows = await owner.fetch("SELECT subject_id FROM events WHERE kind = 'PersonCreated' ORDER BY sequence")
        return [f"person_{row['subject_id']}" for row in rows]
    finally:
        await owner.close()


@asynccontextmanager
async def installed(folder: Path, blank: Path) -> AsyncIterator[tuple[Installation, str]]:
    """An installation with one director; its PostgreSQL stays while processes come and go."""
    settings = {"VELOCITY_CONNECTIONS_PER_CALLER": "200", "VELOCITY_RATE_POINTS": "0"}
    installation = Installation(folder / "var", settings)
    copied(blank, installation.server.directory)
    with installation.server as server:
        owner = await asyncpg.connect(server.addresses.owner)
        tenant = await access.tenant(owner)
        await access.password(
            owner, tenant, tenant.users[Role.SALES_DIRECTOR], email="director@test.example", secret=SECRET
        )
        await owner.close()
        yield installation, "director@test.example"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


async def killed(mortal: Serving) -> None:
    """Kill a process as a crash would."""
    mortal.process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(mortal.process.communicate)


async def test_a_killed_process_loses_nothing(folder: Path, blank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with installed(folder, blank) as (installation, email):
        port = free_port()
        mortal = Installation(installation.folder, installation.settings | {"VELOCITY_PORT": str(port)})
        async with serving(installation) as stays, load(stays.base, f"http://127.0.0.1:{port}", email) as made:
            async with writing(made):
                for _ in range(KILLS):
                    async with serving(mortal) as process:
                        await made.everybody_heard(len(made.acknowledged) + 5)
                        await killed(process)
            async with serving(mortal):
                everything = await stored(installation)
                await made.everybody_heard(len(everything))
    with capsys.disabled():
        sys.stdout.write(made.summary(f"API killed {KILLS} times", everything))
    assert made.acknowledged == everything[: len(made.acknowledged)]
    assert made.refused == 0
    assert all(each.told == everything for each in made.followers)
    assert all(each.resumed >= KILLS - 1 for each in made.followers)


async def test_a_restarted_database_loses_nothing(
    folder: Path, blank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with installed(folder, blank) as (installation, email):
        server = installation.server
        log = str(server.directory / "log")
        async with (
            serving(installation) as one,
            serving(installation) as other,
            load(one.base, other.base, email) as made,
        ):
            async with writing(made):
                for how in ("fast", "immediate", "fast"):
                    await made.everybody_heard(len(made.acknowledged) + 5)
                    restart = ("pg_ctl", "-D", str(server.cluster), "-l", log, "-m", how, "-w", "restart")
                    done = await asyncio.to_thread(server._run, *restart)
                    assert done.returncode == 0, done.stdout
                await made.everybody_heard(len(made.acknowledged) + 5)
            everything = await stored(installation)
            await made.everybody_heard(len(everything))
    with capsys.disabled():
        sys.stdout.write(made.summary("PostgreSQL restarted 3 times", everything))
    assert set(made.acknowledged) <= set(everything)
    assert [each for each in everything if each in set(made.acknowledged)] == made.acknowledged
    assert all(each.told == everything for each in made.followers)

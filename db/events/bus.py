"""How processes wake each other: one connection per process that listens, and tells what its own units committed.

Frames, which are kept nowhere, travel the same way and whole; who is not connected at that moment misses them.

A unit does not notify: a transaction that does takes a lock of the whole database while it commits. The process tells
once the unit has committed, one statement for all that were committed meanwhile. What a process could not tell any
more, since it was killed or had no connection, is found by looking: watched tenants are looked at every few seconds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
import orjson
from asyncpg import Connection, Record
from asyncpg.pool import PoolConnectionProxy

from db.errors import LOST
from domain.events import Event, Hear, Wake

CHANNEL: Final = "velocity_events"
TELL: Final = f"select pg_notify('{CHANNEL}', told) from unnest($1::text[]) told"
FRAMES: Final = "velocity_frames"
TELL_FRAMES: Final = f"select pg_notify('{FRAMES}', told) from unnest($1::text[]) told"
MOST_BYTES: Final = 7_900
"""PostgreSQL notifies of less than 8 000 bytes."""
MOST_FRAMES: Final = 1_000
"""So many frames wait to be told while nobody can be; the newest are kept."""
PROBE: Final = "select"
CONNECT_SECONDS: Final = 5.0
LONGEST_PAUSE: Final = 2.0
TOGETHER_SECONDS: Final = 0.005
"""Units that commit within this time of the last telling are told of together."""

_Listening: TypeAlias = "Connection[Record] | PoolConnectionProxy[Record]"

FAILURES: Final = (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


def note(tenant_id: UUID, sequence: int) -> str:
    """Return what is told of a unit: its tenant, and how far the sequence has come. Nothing else travels here."""
    return f"{tenant_id} {sequence}"


def framed(tenant_id: UUID, frame: Event) -> str:
    """Return a frame as it travels; raises ValueError where it is too long."""
    content = {
        "kind": frame.kind, "noun": frame.subject_noun, "id": frame.entry("subject_id"),
        "person": frame.entry("person_id"), "payload": frame.payload,
    }  # fmt: skip
    text = f"{tenant_id} {orjson.dumps(content).decode()}"
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"A frame has at most {MOST_BYTES} bytes.")
    return text


def unframed(text: str) -> Event:
    """Return what travelled behind the tenant's id."""
    content = orjson.loads(text)
    subject, person = (content[name] and UUID(content[name]) for name in ("id", "person"))
    return Event(0, content["kind"], content["noun"], subject, person, content["payload"])


class EventBus:
    """Listens and tells, reconnecting for ever.

    Every `look_seconds` watched tenants are looked at anyway, and a connection on which nothing was told has to answer
    within `answer_seconds`: a network that drops it says nothing, and whoever only listens would not notice for hours.
    """

    def __init__(self, dsn: str, *, look_seconds: float = 5, answer_seconds: float = CONNECT_SECONDS) -> None:
        """Use the database at `dsn`, once started."""
        self._answer_seconds = answer_seconds
        self._dsn = dsn
        self._look_seconds = look_seconds
        self._wakes: Final[dict[UUID, list[Wake]]] = {}
        self._hears: Final[dict[UUID, list[Hear]]] = {}
        self._untold: Final[dict[UUID, int]] = {}
        self._untold_frames: Final[deque[str]] = deque(maxlen=MOST_FRAMES)
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.connections = 0
        """How often it has connected."""

    def start(self) -> None:
        """Begin to listen."""
        self._tasks = [asyncio.create_task(self._stay()), asyncio.create_task(self._look())]

    async def close(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def watch(self, tenant_id: UUID, wake: Wake) -> None:
        """Call `wake` for a tenant."""
        self._wakes.setdefault(tenant_id, []).append(wake)

    def unwatch(self, tenant_id: UUID, wake: Wake) -> None:
        """Call `wake` no more."""
        wakes = self._wakes.get(tenant_id, [])
        if wake in wakes:
            wakes.remove(wake)
        if not wakes:
            self._wakes.pop(tenant_id, None)

    def listen(self, tenant_id: UUID, hear: Hear) -> None:
        """Call `hear` for a tenant's frames."""
        self._hears.setdefault(tenant_id, []).append(hear)

    def leave(self, tenant_id: UUID, hear: Hear) -> None:
        """Call `hear` no more."""
        hears = self._hears.get(tenant_id, [])
        if hear in hears:
            hears.remove(hear)
        if not hears:
            self._hears.pop(tenant_id, None)

    def say(self, tenant_id: UUID, frame: Event) -> None:
        """Tell a frame to whoever follows now, here and elsewhere; raises ValueError where it is too long."""
        text = framed(tenant_id, frame)
        self._hear(tenant_id, frame)
        self._untold_frames.append(text)
        self._something.set()

    def committed(self, tenant_id: UUID, sequence: int) -> None:
        """Tell that a unit of this process has committed: whoever follows here at once, the others by the database."""
        self._wake(tenant_id, sequence)
        self._untold[tenant_id] = max(sequence, self._untold.get(tenant_id, 0))
        self._something.set()

    async def _stay(self) -> None:
        """Keep a connection, and a new one whenever it is lost."""
        pause = 0.05
        while True:
            connection: Connection[Record] | None = None
            try:
                connection = await asyncpg.connect(
                    self._dsn, timeout=CONNECT_SECONDS, command_timeout=self._answer_seconds, statement_cache_size=2
                )
                lost = asyncio.Event()
                connection.add_termination_listener(self._losing(lost))
                await connection.add_listener(CHANNEL, self._heard)
                await connection.add_listener(FRAMES, self._heard_frame)
                self.connections += 1
                pause = 0.05
                # What was told while nobody listened here is not repeated.
                self._wake_all()
                await self._tell_until(connection, lost)
            except FAILURES:
                pass
            finally:
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _tell_until(self, connection: Connection[Record], lost: asyncio.Event) -> None:
        """Tell what is committed until the connection is lost, and ask whether it is there while nothing is."""
        while True:
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._something.wait()
            except TimeoutError:
                await connection.execute(PROBE)
            self._something.clear()
            if lost.is_set():
                return
            frames = list(self._untold_frames)
            self._untold_frames.clear()
            if frames:
                # Before the events: what was said before a unit committed is told before it.
                await connection.execute(TELL_FRAMES, frames)
            told = [note(tenant_id, sequence) for tenant_id, sequence in self._untold.items()]
            self._untold.clear()
            if told:
                await connection.execute(TELL, told)
            if told or frames:
                await asyncio.sleep(TOGETHER_SECONDS)

    def _losing(self, lost: asyncio.Event) -> Callable[[object], None]:
        def losing(_connection: object) -> None:
            lost.set()
            self._something.set()

        return losing

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        tenant_id, _, sequence = str(payload).partition(" ")
        with suppress(ValueError):
            self._wake(UUID(tenant_id), int(sequence))

    def _heard_frame(self, connection: _Listening, pid: int, _channel: str, payload: object) -> None:
        tenant, _, text = str(payload).partition(" ")
        with suppress(ValueError, KeyError, TypeError):
            tenant_id = UUID(tenant)
            # What was said here was heard here when it was said.
            if tenant_id in self._hears and pid != connection.get_server_pid():
                self._hear(tenant_id, unframed(text))

    def _hear(self, tenant_id: UUID, frame: Event) -> None:
        for hear in tuple(self._hears.get(tenant_id, ())):
            hear(frame)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            self._wake_all()

    def _wake_all(self) -> None:
        for tenant_id in list(self._wakes):
            self._wake(tenant_id, 0)

    def _wake(self, tenant_id: UUID, sequence: int) -> None:
        for wake in self._wakes.get(tenant_id, ()):
            wake(sequence)

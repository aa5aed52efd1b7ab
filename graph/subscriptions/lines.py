"""What is on its way to one client: in order, bounded, and only while the client may still have it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from domain.errors import DomainError
from graph.subscriptions.eager import eagerly
from graph.subscriptions.patience import patiently
from graph.subscriptions.session import Session
from graph.subscriptions.telling import Told

if TYPE_CHECKING:
    from graph.subscriptions.follower import Follower


@dataclass(frozen=True, slots=True)
class Rules:
    """What an installation decides about connections that stay open."""

    heartbeat_seconds: float = 20
    init_seconds: float = 10
    recheck_seconds: float = 5
    connections_per_caller: int = 50
    operations_per_socket: int = 100
    subscriptions_per_caller: int = 500
    waiting_frames: int = 1_000
    waiting_bytes: int = 1_048_576


@dataclass(slots=True)
class _Waiting:
    """A message that waits: what a subscription tells, or something of the protocol's own."""

    subscription: Follower | None
    told: Told | None
    text: str
    skipped: int = 0


class Line(ABC):
    """One connection, whatever carries it."""

    def __init__(self, session: Session, rules: Rules) -> None:
        """Send nothing yet."""
        self.session: Final = session
        self.rules: Final = rules
        self.broken = False
        self._waiting: Final[OrderedDict[Hashable, _Waiting]] = OrderedDict()
        self._bytes = 0
        self._number = 0
        self._writing: asyncio.Task[None] | None = None
        self._drained: asyncio.Event | None = None
        self._held: list[tuple[Follower, Told]] = []
        self._checking: asyncio.Task[None] | None = None

    @abstractmethod
    async def write(self, text: str) -> None:
        """Send one message; wait while the client does not read. Raises OSError where it has gone."""

    def write_at_once(self, subscription: Follower, told: Sequence[Told]) -> int:
        """Send what is told without a task, as much of it as the transport takes now; return how many."""
        return 0

    @abstractmethod
    def framed(self, subscription: Follower, told: Told, response: str) -> str:
        """Return the message that brings the response of an event."""

    @abstractmethod
    def failed(self, subscription: Follower, error: Exception) -> None:
        """Send why a subscription has ended."""

    @abstractmethod
    def too_slow(self, subscription: Follower | None) -> None:
        """End the connection, whose client reads more slowly than is sent."""

    @abstractmethod
    def refused(self, error: DomainError) -> None:
        """End the connection, whose caller may no longer have it."""

    @abstractmethod
    def gone(self) -> None:
        """Forget everything: the client is not there any more."""

    def tell(self, subscription: Follower, told: Sequence[Told]) -> None:
        """Send what a subscription tells, once the caller is known to be who it was."""
        if self._held or not self.session.fresh:
            self._held += [(subscription, each) for each in told]
            if len(self._held) > self.rules.waiting_frames:
                self.too_slow(subscription)
            else:
                self.check()
        else:
            self._put(subscription, told)

    def say(self, text: str) -> None:
        """Send a message of the protocol's own."""
        self._number += 1
        self._add(self._number, _Waiting(None, None, text))

    def check(self) -> None:
        """Look at the caller again, unless that is being done."""
        if self._checking is None:
            self._checking = asyncio.create_task(self._check())

    async def room(self) -> None:
        """Wait until nothing waits: what was asked for or missed is told as fast as the client reads."""
        while self._waiting or self._held or self._writing is not None:
            if self._drained is None:
                self._drained = asyncio.Event()
            await self._drained.wait()

    def close_line(self) -> None:
        """Send nothing more, and leave nothing behind."""
        self.broken = True
        self._waiting.clear()
        self._held.clear()
        self._bytes = 0
        for task in (self._writing, self._checking):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    def forget(self, subscription: Follower) -> None:
        """Send nothing more of a subscription that has ended."""
        for key in [key for key, each in self._waiting.items() if each.subscription is subscription]:
            self._bytes -= len(self._waiting.pop(key).text)
        self._held = [each for each in self._held if each[0] is not subscription]

    @property
    def clear(self) -> bool:
        """Whether nothing is on its way that a message would pass by."""
        return not (self._waiting or self._held or self._writing is not None or self.broken)

    @property
    def held(self) -> bool:
        """Whether something was told that waits for a look at the caller."""
        return bool(self._held)

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._waiting) + len(self._held)

    def _put(self, subscription: Follower, told: Sequence[Told]) -> None:
        while told and not self._waiting and self._writing is None and not self.broken:
            written = self.write_at_once(subscription, told)
            if not written:
                break
            subscription.sent = told[written - 1].sequence
            told = told[written:]
        for each in told:
            if subscription.ended:
                return
            self._put_behind(subscription, each)

    def _put_behind(self, subscription: Follower, told: Told) -> None:
        """Let it wait behind what waits already."""
        if told.newest_of is None:
            self._number += 1
            key: Hashable = self._number
            skipped = 0
        else:
            key = (subscription, told.newest_of)
            older = self._waiting.pop(key, None)
            skipped = 0
            if older is not None:
                self._bytes -= len(older.text)
                skipped = older.skipped + 1
                subscription.skip()
        # A newer one goes to the end, so that positions only ever rise.
        self._add(key, _Waiting(subscription, told, told.text, skipped))

    def _add(self, key: Hashable, waiting: _Waiting) -> None:
        if self.broken:
            return
        self._waiting[key] = waiting
        self._bytes += len(waiting.text)
        if self._writing is None:
            # The network has taken everything before, so one message may be as long as an answer is allowed to be.
            self._writing = eagerly(self._write())
        elif len(self._waiting) > self.rules.waiting_frames or self._bytes > self.rules.waiting_bytes:
            self.too_slow(waiting.subscription)

    async def _write(self) -> None:
        try:
            while self._waiting:
                _, each = self._waiting.popitem(last=False)
                self._bytes -= len(each.text)
                if each.subscription is None or each.told is None:
                    await self.write(each.text)
                else:
                    response = each.told.instead_of(each.skipped)
                    await self.write(self.framed(each.subscription, each.told, response))
                    each.subscription.sent = each.told.sequence
        except OSError:
            self.gone()
        finally:
            self._writing = None
            self._wake()

    async def _check(self) -> None:
        try:
            await patiently(self.session.check)
        except DomainError as error:
            self._held.clear()
            self.refused(error)
            return
        finally:
            self._checking = None
        held, self._held = self._held, []
        for subscription, told in held:
            if not subscription.ended:
                self._put(subscription, (told,))
        self._wake()

    def _wake(self) -> None:
        """Let everybody look whether there is room."""
        if self._drained is not None:
            self._drained.set()
            self._drained = None

"""From a tenant's events to those who follow: a feed reads them once, each group answers them once for its members."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.events import CursorExpired, Event
from graph.subscriptions.answering import BATCH, Answering
from graph.subscriptions.follower import Follower
from graph.subscriptions.lines import Line
from graph.subscriptions.patience import patiently
from graph.subscriptions.telling import Question, Told

if TYPE_CHECKING:
    from graph.subscriptions.hub import Hub

MOST_OFFERED: Final = 10 * BATCH
"""How many events a group keeps that it could not answer yet; it reads what comes after them once it gets there."""


MOST_FRAMES: Final = 1_000
"""How many frames wait for a group's statement; older ones are lost."""


class Feed:
    """One tenant's events, read once for everybody."""

    def __init__(self, hub: Hub, tenant_id: UUID) -> None:
        """Read nothing until somebody asks where to begin."""
        self.tenant_id: Final = tenant_id
        self.groups: Final[dict[Hashable, Group]] = {}
        self.answering: Final[dict[Hashable, Answering]] = {}
        """What answers the groups, by what they ask of each event."""
        self.users = 0
        self.position = -1
        self._hub = hub
        self._starting: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._told_of = 0
        """How far the events have come, by what was heard since the last reading."""
        self._looking = False
        """Whether to read whatever was heard."""

    async def beginning(self, after: int | None) -> int:
        """Return the position from which to tell: the one asked for, or the present; raises CursorExpired."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        await asyncio.shield(self._starting)
        if after is not None and after <= self.position:
            # What is gone from there on is noticed when it is read.
            return after
        kept = await patiently(lambda: self._hub.events.kept(self.tenant_id))
        if after is not None and after > kept.newest:
            raise CursorExpired(kept.oldest)
        return kept.newest if after is None else after

    def close(self) -> None:
        """Read no more."""
        self._hub.events.unwatch(self.tenant_id, self.wake, self.hear)
        for task in (self._starting, self._reading):
            if task is not None:
                task.cancel()
        for group in self.groups.values():
            group.close()
        for answering in self.answering.values():
            answering.close()

    def wake(self, sequence: int) -> None:
        """Hear that there may be new events, up to a number if one is known."""
        if 0 < sequence <= self.position:
            return
        self._told_of = max(self._told_of, sequence)
        self._looking = self._looking or not sequence
        if self._reading is None and self.position >= 0:
            self._reading = asyncio.create_task(self._read())

    def hear(self, frame: Event) -> None:
        """Pass a frame on to whoever follows now."""
        for group in tuple(self.groups.values()):
            group.offer_frame(frame)

    async def _start(self) -> None:
        # Watched first: what is committed meanwhile is read, if only to be found old.
        self._hub.events.watch(self.tenant_id, self.wake, self.hear)
        self.position = (await patiently(lambda: self._hub.events.kept(self.tenant_id))).newest
        if self._looking or self._told_of:
            # Something was committed while the answer was on its way.
            self.wake(0)

    async def _read(self) -> None:
        try:
            # What is committed during a reading is heard of, be it part of what was read or not.
            while self._looking or self._told_of > self.position:
                self._looking, self._told_of = False, 0
                events = await patiently(lambda: self._hub.events.after(self.tenant_id, self.position, BATCH))
                if events:
                    self._looking = self._looking or len(events) == BATCH
                    self.position = events[-1].sequence
                    for group in list(self.groups.values()):
                        group.offer(events)
        except CursorExpired as error:
            # The database is an older one than it was: nobody's position means anything.
            self.position = (await patiently(lambda: self._hub.events.kept(self.tenant_id))).newest
            for group in list(self.groups.values()):
                group.fail(error)
        finally:
            self._reading = None


class Group:
    """Everybody who is told the same."""

    def __init__(self, hub: Hub, feed: Feed, question: Question) -> None:
        """Tell what comes after the feed's position."""
        self.position = feed.position
        self.members: Final[dict[Subscription, None]] = {}
        self._hub = hub
        self._feed = feed
        self._question = question
        self._offered: list[Event] = []
        self._offered_to = feed.position
        """The last event that was kept."""
        self._frames: Final[deque[Event]] = deque(maxlen=MOST_FRAMES)
        self._working: asyncio.Task[None] | None = None
        answering = feed.answering.get(question.asks)
        if answering is None:
            answering = feed.answering[question.asks] = Answering(hub, question)
        answering.groups += 1
        self._answering = answering

    def offer_frame(self, frame: Event) -> None:
        """Take a frame, if it is wanted; the oldest of too many that wait are lost."""
        if self._question.wants(frame):
            self._frames.append(frame)
            if self._working is None:
                self._working = asyncio.create_task(self._work())

    def offer(self, events: Sequence[Event]) -> None:
        """Take events that the feed has read."""
        follows = events[0].sequence == self._offered_to + 1
        if follows and self._working is None and not any(self._question.wants(event) for event in events):
            self.position = self._offered_to = events[-1].sequence
            return
        if follows and len(self._offered) < MOST_OFFERED:
            self._offered += events
            self._offered_to = events[-1].sequence
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    def leave(self, member: Subscription) -> None:
        """Let a member go; the last one takes the group with it."""
        self.members.pop(member, None)
        if not self.members:
            self._feed.groups.pop(self._question.key, None)
            self.close()
            self._answering.groups -= 1
            if not self._answering.groups:
                self._feed.answering.pop(self._question.asks, None)
                self._answering.close()

    def close(self) -> None:
        """Answer no more."""
        if self._working is not None:
            self._working.cancel()

    def fail(self, error: Exception) -> None:
        """End every member's subscription."""
        for member in list(self.members):
            member.fail(error)

    async def _work(self) -> None:
        try:
            while True:
                if events := await self._next():
                    told = await self._answering.told([event for event in events if self._question.wants(event)])
                    # Between these two lines nobody joins: who is at this position has had everything before it.
                    self.position = events[-1].sequence
                    for member in tuple(self.members):
                        member.deliver(told)
                elif self._frames:
                    await self._tell_frames()
                else:
                    return
        except Exception as error:  # noqa: BLE001 -- whatever it was, the members see an id and the log the rest.
            self.fail(error)
        finally:
            self._working = None

    async def _tell_frames(self) -> None:
        """Tell the frames that wait: they repeat the position up to which everything was told."""
        frames = [self._frames.popleft() for _ in range(min(len(self._frames), BATCH))]
        told = await self._hub.framed(self._question, frames, self.position)
        for member in tuple(self.members):
            member.deliver_frames(told)

    async def _next(self) -> Sequence[Event]:
        """Return the events to answer next: those that were offered, or what came when there were too many."""
        if not self._offered and self.position < self._feed.position:
            events = await patiently(lambda: self._hub.events.after(self._feed.tenant_id, self.position, BATCH))
            if events:
                self._offered_to = events[-1].sequence
            return events
        events, self._offered = self._offered[:BATCH], self._offered[BATCH:]
        return events


class Subscription(Follower):
    """One client's subscription: what it has missed is read for it alone, then it is told what its group is told."""

    resumable = True

    def __init__(self, hub: Hub, feed: Feed, question: Question, line: Line, position: int) -> None:
        """Begin after a position."""
        self.ended = False
        self.sent = position
        """The last event that was handed to the network."""
        self.tenant_id = feed.tenant_id
        self._position = position
        self._hub = hub
        self._feed = feed
        self._question = question
        self._line = line
        group = feed.groups.get(question.key)
        if group is None:
            group = feed.groups[question.key] = Group(hub, feed, question)
        self._group = group
        self._joined = False
        self._missed: asyncio.Task[None] | None = None
        group.members[self] = None

    def start(self) -> None:
        """Tell what was missed, and then what comes."""
        self._joined = self._position >= self._group.position
        if not self._joined:
            self._missed = asyncio.create_task(self._tell_missed())

    @property
    def position(self) -> int:
        """How far this client has been told, at the least."""
        return max(self._position, self._group.position) if self._joined else self._position

    def deliver(self, told: Sequence[Told]) -> None:
        """Tell what the group is told, but for what was told before."""
        if self.ended or not self._joined or not told or told[-1].sequence <= self._position:
            return
        if told[0].sequence <= self._position:
            told = [each for each in told if each.sequence > self._position]
        self._position = told[-1].sequence
        self._hub.told += len(told)
        self._line.tell(self, told)

    def deliver_frames(self, told: Sequence[Told]) -> None:
        """Tell frames to a client that has been told everything up to their position."""
        if not self.ended and self._joined and told and told[0].sequence >= self._position:
            self._hub.told += len(told)
            self._line.tell(self, told)

    def skip(self) -> None:
        """Count an event that gave way to a newer one of its subject, for a client that reads slowly."""
        self._hub.skipped += 1

    def end(self) -> None:
        """Tell no more, and leave nothing behind."""
        if self.ended:
            return
        self.ended = True
        if self._missed is not None:
            self._missed.cancel()
        self._group.leave(self)
        self._hub.leave(self._feed, self._question.caller.principal)

    def fail(self, error: Exception) -> None:
        """End, and say why."""
        if not self.ended:
            self.end()
            self._line.failed(self, error)

    async def _tell_missed(self) -> None:
        try:
            while self._position < self._group.position:
                await self._line.room()
                events = await patiently(lambda: self._hub.events.after(self.tenant_id, self._position, BATCH))
                for each in await self._answered(events):
                    await self._line.room()
                    self._position = each.sequence
                    self._hub.told += 1
                    self._line.tell(self, (each,))
                if events:
                    self._position = events[-1].sequence
            self._joined = True
        except Exception as error:  # noqa: BLE001 -- as in a group.
            self._missed = None
            self.fail(error)
        self._missed = None

    async def _answered(self, events: Sequence[Event]) -> list[Told]:
        """Return what is told of events that were read; raises CursorExpired where some have gone meanwhile."""
        told = await self._hub.evaluated(self._question, events)
        if len(told) < sum(map(self._question.wants, events)):
            # The others are not for this client, or were removed between the two statements.
            kept = await patiently(lambda: self._hub.events.kept(self.tenant_id))
            if kept.oldest > self._position:
                raise CursorExpired(kept.oldest)
        return told

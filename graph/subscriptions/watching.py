"""Following what is sampled and kept nowhere: the newest sample of each subject, answered once for equal questions.

Samples have no position: whoever connects again begins with the present. A slow reader gets the newest of each subject.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from graphql import GraphQLError

from domain.access import Caller
from graph.context import GraphContext
from graph.documents import Prepared
from graph.execution import GraphRequest
from graph.schema import Schema
from graph.subscriptions.declaration import Sample
from graph.subscriptions.follower import Follower
from graph.subscriptions.lines import Line
from graph.subscriptions.patience import patiently
from graph.subscriptions.telling import Told

Look = Callable[[], Awaitable[Sequence[Sample]]]
"""Returns the newest sample of every subject; raises Unavailable."""


@dataclass(frozen=True, slots=True)
class WatchQuestion:
    """What somebody watches: a document and its variables, with the rights of a tenant's role."""

    caller: Caller
    request: GraphRequest
    prepared: Prepared

    @property
    def key(self) -> Hashable:
        """Who has an equal one is told the same."""
        variables = orjson.dumps(dict(self.request.variables), option=orjson.OPT_SORT_KEYS)
        scope = self.caller.tenant_id, self.caller.role, self.caller.api_key_id is None
        return self.request.text, self.request.operation_name, variables, scope


class Watches:
    """What is watched in this process. It looks only while somebody watches."""

    def __init__(
        self, schema: Schema, context_for: Callable[[Caller], GraphContext], look: Look, seconds: float
    ) -> None:
        """Look every so many seconds, and answer with contexts of the callers."""
        self._schema = schema
        self._context_for = context_for
        self._look = look
        self._seconds = seconds
        self.groups: Final[dict[Hashable, WatchGroup]] = {}
        self._looking: asyncio.Task[None] | None = None

    def joined(self, question: WatchQuestion, member: Watching) -> WatchGroup:
        """Let a subscription be told with those that ask the same."""
        group = self.groups.get(question.key)
        if group is None:
            group = self.groups[question.key] = WatchGroup(question)
        group.members[member] = None
        member.deliver(group.told())
        if self._looking is None:
            self._looking = asyncio.create_task(self._watch())
        return group

    def leave(self, group: WatchGroup, member: Watching) -> None:
        """Let a subscription go; the last one ends the looking."""
        group.members.pop(member, None)
        if not group.members:
            self.groups.pop(group.question.key, None)
        if not self.groups and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _watch(self) -> None:
        while True:
            await self._tell_all()
            await asyncio.sleep(self._seconds)

    async def _tell_all(self) -> None:
        try:
            samples = await patiently(self._look)
        except Exception as error:  # noqa: BLE001 -- whatever it was, the members see an id and the log the rest.
            for group in list(self.groups.values()):
                group.fail(error)
            return
        for group in list(self.groups.values()):
            try:
                await self._tell(group, samples)
            except Exception as error:  # noqa: BLE001 -- as above.
                group.fail(error)

    async def _tell(self, group: WatchGroup, samples: Sequence[Sample]) -> None:
        """Answer the samples that a group was not told yet; a member that came since is told the others as well."""
        for sample in samples:
            if group.versions.get(sample.subject) != sample.version:
                told = Told(group.next(), await self._answered(group.question, sample), sample.subject)
                group.versions[sample.subject] = sample.version
                group.newest[sample.subject] = told
        for gone in set(group.newest) - {sample.subject for sample in samples}:
            del group.newest[gone], group.versions[gone]
        for member in list(group.members):
            member.deliver([told for told in group.told() if told.sequence > member.position])

    async def _answered(self, question: WatchQuestion, sample: Sample) -> bytes:
        context = self._context_for(question.caller)
        context.prepared = question.prepared
        try:
            result = await self._schema.execute(
                question.prepared.text,
                variable_values=dict(question.request.variables),
                context_value=context,
                root_value=sample.root,
                operation_name=question.request.operation_name,
            )
        finally:
            context.unawaited.close()
        for error in result.errors or ():
            raise error.original_error if isinstance(error.original_error, Exception) else GraphQLError(str(error))
        return orjson.dumps(result.data)


class WatchGroup:
    """Everybody who is told the same."""

    def __init__(self, question: WatchQuestion) -> None:
        """Tell everything that there is."""
        self.question: Final = question
        self.members: Final[dict[Watching, None]] = {}
        self.versions: Final[dict[str, Hashable]] = {}
        self.newest: Final[dict[str, Told]] = {}
        self._number = 0

    def next(self) -> int:
        """Return the number of the next sample that is told."""
        self._number += 1
        return self._number

    def told(self) -> list[Told]:
        """Return the newest sample of every subject, in the order in which they came."""
        return sorted(self.newest.values(), key=lambda told: told.sequence)

    def fail(self, error: Exception) -> None:
        """End every member's subscription."""
        for member in list(self.members):
            member.fail(error)


class Watching(Follower):
    """One client's subscription to samples."""

    resumable = False

    def __init__(self, watches: Watches, question: WatchQuestion, line: Line, left: Callable[[int], None]) -> None:
        """Tell `line` from `start` on; `left` is called once with how many gave way, when it ends."""
        self.ended = False
        self.sent = 0
        self.tenant_id: UUID = question.caller.tenant_id
        self._watches = watches
        self._question = question
        self._line = line
        self._left = left
        self._position = 0
        self._skipped = 0
        self._group: WatchGroup | None = None

    @property
    def position(self) -> int:
        """The number of the last sample that was told."""
        return self._position

    def start(self) -> None:
        """Tell what there is, and then what comes."""
        if not self.ended:
            self._group = self._watches.joined(self._question, self)

    def deliver(self, told: Sequence[Told]) -> None:
        """Tell samples."""
        if not self.ended and told:
            self._position = told[-1].sequence
            self._line.tell(self, told)

    def skip(self) -> None:
        """Count a sample that gave way to a newer one."""
        self._skipped += 1

    def end(self) -> None:
        """Tell no more, and leave nothing behind."""
        if self.ended:
            return
        self.ended = True
        if self._group is not None:
            self._watches.leave(self._group, self)
        self._left(self._skipped)

    def fail(self, error: Exception) -> None:
        """End, and say why."""
        if not self.ended:
            self.end()
            self._line.failed(self, error)

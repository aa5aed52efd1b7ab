"""Who follows what in this process: one reading of each tenant's events, one evaluation for all that see the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from graphql import GraphQLError
from graphql.execution.values import VariableValues, get_variable_values

from domain.access import Caller
from domain.answers import Answers
from domain.errors import Invalid, NotAllowed, Unauthenticated
from domain.events import CursorExpired, Event, EventStream
from domain.signing import EventKey
from graph.admission import Admitted
from graph.compilation import Compiled, LacksPermission, Planner, Sampled, Uncompiled
from graph.errors import Report, formatted
from graph.refusals import LimitExceeded
from graph.schema import Schema
from graph.subscriptions.follower import Follower
from graph.subscriptions.groups import Feed, Subscription
from graph.subscriptions.lines import Line
from graph.subscriptions.patience import patiently
from graph.subscriptions.telling import Question, Told
from graph.subscriptions.watching import Watches, Watching, WatchQuestion


class Hub:
    """The subscriptions of one process."""

    def __init__(
        self,
        schema: Schema,
        planner: Planner,
        answers: Answers,
        events: EventStream,
        key: EventKey,
        report: Report,
        most_of_one: int,
        watches: Watches,
    ) -> None:
        """Follow `events`, answered by `answers`; `key` signs positions, `report` hears what clients must not see.

        `watches` follows what is sampled. A caller has `most_of_one` subscriptions, on whatever connections: each may
        cost a statement for every event.
        """
        self._report = report
        self._most_of_one = most_of_one
        self._schema = schema
        self._planner = planner
        self._answers = answers
        self.watches: Final = watches
        self.watching = 0
        """How many subscriptions to samples there are."""
        self.events: Final = events
        self.key: Final = key
        self.feeds: Final[dict[UUID, Feed]] = {}
        self.callers: Final[Counter[str]] = Counter()
        """How many subscriptions each caller has."""
        self.evaluations = 0
        """How many statements were sent for events."""
        self.told = 0
        """How many frames were handed to clients' lines."""
        self.skipped = 0
        """How many of them gave way to newer ones, since their clients read slowly."""
        self.refusals: Final[Counter[str]] = Counter()
        """How many errors ended a subscription or a connection, by their code."""

    @property
    def groups(self) -> int:
        """How many different questions are followed."""
        return sum(len(feed.groups) for feed in self.feeds.values()) + len(self.watches.groups)

    @property
    def subscriptions(self) -> int:
        """How many subscriptions there are."""
        return sum(feed.users for feed in self.feeds.values()) + self.watching

    def question(self, admitted: Admitted, caller: Caller | None) -> Question | WatchQuestion:
        """Return what an admitted subscription follows; raises Invalid, NotAllowed or Unauthenticated."""
        if caller is None:
            raise Unauthenticated
        request, prepared, operation = admitted.request, admitted.prepared, admitted.operation
        try:
            variables = self._planner.coerced(prepared, operation, request.variables)
            compiled = self._planner.compiled(prepared, operation, variables, caller)
        except LacksPermission as error:
            raise NotAllowed(f"Your role, {caller.role.name}, lacks {error.permission.name}.") from None
        except Sampled as sampled:
            if not caller.may(sampled.permission):
                raise NotAllowed(f"Your role, {caller.role.name}, lacks {sampled.permission.name}.") from None
            return WatchQuestion(caller, request, prepared)
        except Uncompiled as error:
            raise Invalid(self._misfit(admitted) or str(error), field="variables") from None
        if compiled.followed is None:
            raise TypeError("Only subscriptions are followed.")
        given = compiled.given(variables)
        arguments = compiled.followed.arguments(variables)
        after = arguments.get("after")
        stream, viewer = compiled.followed.stream, caller.actor.id
        scope = self._answers.scope(caller, compiled.plan, given)
        told_to = viewer if stream.told_to is not None else None
        return Question(
            caller=caller,
            plan=compiled.plan,
            given=given,
            wants=stream.wanted(arguments, viewer),
            newest_of=stream.newest_of,
            newest=stream.newest,
            after=self.key.position(caller.tenant_id, after, "after") if isinstance(after, str) else None,
            key=(prepared.text, request.operation_name, _without_position(admitted, compiled), (scope, told_to)),
            # The plan lives as long as whoever asks by it.
            asks=(id(compiled.plan), repr(given), scope),
        )

    async def follow(self, question: Question | WatchQuestion, line: Line) -> Follower:
        """Begin to tell a line; raises LimitExceeded, CursorExpired or Unavailable."""
        tenant_id, principal, most = question.caller.tenant_id, question.caller.principal, self._most_of_one
        if self.callers[principal] >= most:
            raise LimitExceeded("subscriptionsPerCaller", "subscriptions of one caller", most + 1, most)
        if isinstance(question, WatchQuestion):
            return self._watched(question, line)
        feed = self.feeds.get(tenant_id)
        if feed is None:
            feed = self.feeds[tenant_id] = Feed(self, tenant_id)
        feed.users += 1
        self.callers[principal] += 1
        try:
            position = await feed.beginning(question.after)
            return Subscription(self, feed, question, line, position)
        except BaseException:
            self.leave(feed, principal)
            raise

    def leave(self, feed: Feed, principal: str) -> None:
        """Give back what `follow` took."""
        self._uncount(principal)
        feed.users -= 1
        if not feed.users and self.feeds.pop(feed.tenant_id, None) is not None:
            feed.close()

    def _watched(self, question: WatchQuestion, line: Line) -> Watching:
        principal = question.caller.principal

        def left(skipped: int) -> None:
            self.watching -= 1
            self.skipped += skipped
            self._uncount(principal)

        self.watching += 1
        self.callers[principal] += 1
        return Watching(self.watches, question, line, left)

    def _uncount(self, principal: str) -> None:
        self.callers[principal] -= 1
        if not self.callers[principal]:
            del self.callers[principal]

    async def evaluated(self, question: Question, events: Sequence[Event]) -> list[Told]:
        """Return what is told of events, however long the database takes to come back."""
        wanted = {event.sequence: question.subject(event) for event in events if question.wants(event)}
        if not wanted:
            return []
        self.evaluations += 1
        answers = await patiently(
            lambda: self._answers.told(question.caller, question.plan, question.given, list(wanted))
        )
        return [Told(sequence, data, wanted[sequence]) for sequence, data in answers]

    async def framed(self, question: Question, frames: Sequence[Event], position: int) -> list[Told]:
        """Return what is told of frames, at a position that they repeat."""
        self.evaluations += 1
        answers = await patiently(
            lambda: self._answers.framed(question.caller, question.plan, question.given, frames, position)
        )
        return [Told(position, data, question.frame_subject(frames[place])) for place, data in answers]

    def shaped(self, error: Exception, tenant_id: UUID | None) -> list[dict[str, Any]]:
        """Return an error as clients see it; one about a position says from where it still works."""
        shape = formatted(GraphQLError(str(error), original_error=error), self._report)
        if isinstance(error, CursorExpired) and tenant_id is not None:
            shape["extensions"]["oldestCursor"] = self.key.cursor(tenant_id, error.oldest)
        self.refusals[shape["extensions"]["code"]] += 1
        return [shape]

    def _misfit(self, admitted: Admitted) -> str | None:
        """Return in what the variables do not fit their types."""
        core = self._schema._schema  # noqa: SLF001 -- the graphql-core schema has no public name.
        definitions = admitted.operation.variable_definitions or ()
        values = get_variable_values(core, definitions, dict(admitted.request.variables))
        return None if isinstance(values, VariableValues) else values[0].message


def _without_position(admitted: Admitted, compiled: Compiled) -> bytes:
    """Return the variables that what is told depends on."""
    position = compiled.followed.position if compiled.followed is not None else None
    variables: dict[str, Any] = {name: each for name, each in admitted.request.variables.items() if name != position}
    return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)

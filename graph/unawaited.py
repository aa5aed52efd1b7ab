"""What graphql-core began and then let go: coroutines beside a refused field, closed with their operation.

Where one field's refusal ends an operation, its siblings are cancelled. One whose task has not had its first turn never
runs, nor does what was to be completed below it: reads for nobody if they were let run, warnings if they were dropped.
"""

from __future__ import annotations

from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import Any

from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class Unawaited:
    """The coroutines of one operation."""

    def __init__(self) -> None:
        """Begin with none."""
        self._seen: list[CoroutineType[Any, Any, Any]] = []

    def is_awaitable(self, value: Any) -> bool:
        """Tell graphql-core whether to wait for a value, which it asks of everything that it gets or makes."""
        if not optimized_is_awaitable(value):
            return False
        if isinstance(value, CoroutineType):
            self._seen.append(value)
        return True

    def close(self) -> None:
        """Close those that nobody has begun; the operation is over. The others end, or are cancelled, by themselves."""
        for coroutine in self._seen:
            if getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()
        self._seen.clear()


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation, and shows its coroutines to the context's `unawaited`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take what Strawberry passes; every executor of a part of the operation shares the predicate."""
        super().__init__(*arguments, **named)
        self.is_awaitable = self.context_value.unawaited.is_awaitable

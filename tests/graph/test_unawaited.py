"""What stood beside a refused field is closed with its operation: nothing runs for nobody, and nothing warns."""

import asyncio
import gc
import warnings
from dataclasses import dataclass, field

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionContext

from graph.unawaited import Executor, Unawaited

BEGUN: list[str] = []


@strawberry.type
class Thing:
    """A row whose links are answered by coroutines that need not wait."""

    @strawberry.field
    async def left(self) -> "Thing":
        """Answer a link."""
        BEGUN.append("left")
        return Thing()

    @strawberry.field
    async def right(self) -> "Thing":
        """Answer a link."""
        BEGUN.append("right")
        return Thing()


@strawberry.type
class Query:
    """The roots."""

    @strawberry.field
    async def refused(self) -> int:
        """Refuse, which ends the operation: no null may stand here."""
        raise PermissionError

    @strawberry.field
    async def things(self) -> list[Thing]:
        """Answer a list."""
        return [Thing(), Thing()]


@dataclass
class Context:
    """As much of a context as the executor needs."""

    unawaited: Unawaited = field(default_factory=Unawaited)


class Schema(strawberry.Schema):
    """A schema that keeps its errors out of the log, which would keep their frames."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Say nothing."""


async def answered(executor: type) -> None:
    """Run an operation whose siblings are let go before their turn."""
    context = Context()
    text = "{ refused things { left { left { __typename } right { __typename } } right { __typename } } }"
    result = await Schema(Query, execution_context_class=executor).execute(text, context_value=context)
    assert result.data is None
    assert [error.path for error in result.errors or ()] == [["refused"]]
    context.unawaited.close()


async def told(executor: type) -> list[str]:
    """Run the operation; return what Python says of coroutines that nobody awaited."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await asyncio.create_task(answered(executor))
        gc.collect()
    # What earlier tests left may be collected, and complained of, at the same time.
    return [line for warning in caught if "was never awaited" in (line := str(warning.message))]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_without_it_python_would_warn() -> None:
    # Otherwise the next test would show nothing.
    assert await told(StrawberryGraphQLCoreExecutionContext) != []


async def test_what_stands_beside_a_refused_field_is_closed() -> None:
    assert await told(Executor) == []

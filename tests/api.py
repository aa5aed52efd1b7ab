"""A client of the schema for tests: one call, one answer in the shape that HTTP gives."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from graphql import GraphQLError

from app.wiring import System
from domain.access import Caller, Role
from domain.perception import Then
from domain.values import new_id
from graph.context import GraphContext
from graph.errors import formatted
from tests.factories.access import Tenant

OPERATIONS = Path(__file__).parent.parent / "graph" / "operations"

Answer = dict[str, Any]


def operation(name: str) -> str:
    """Return the text of a client operation."""
    return (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")


@dataclass(slots=True)
class Api:
    """Runs documents as users of one tenant."""

    system: System
    tenant: Tenant
    address: str = field(default_factory=lambda: str(new_id()))
    """Where the requests come from: a place of its own, so that no other test's failures count."""
    after_session: "Then | None" = None
    """What follows the end of a session; nothing, unless told otherwise."""
    statements: int = 0
    """How many read statements the last call sent."""

    def context(self, caller: Caller | None) -> GraphContext:
        """Make the context of one operation."""
        return GraphContext(
            caller_or_none=caller,
            reads=self.system.reads,
            units=self.system.units,
            sign_in=self.system.sign_in,
            uploads=self.system.uploads,
            cameras=self.system.cameras,
            messengers=self.system.messengers,
            providers=self.system.providers,
            sources=self.system.sources,
            after_session=self.after_session,
            fleet=self.system.fleet,
            address=self.address,
        )

    async def bearer(self, role: Role) -> dict[str, str]:
        """Return the header that makes an HTTP client the user of a role, as sign-in would."""
        caller, session_id = self.tenant.caller(role), new_id()
        async with self.system.units.write(caller) as unit:
            await unit.access.open_session(session_id, caller.as_user(), unit.now)
        token = self.system.sign_in.tokens.sign(caller, session_id, datetime.now(UTC), timedelta(minutes=10))
        return {"authorization": f"Bearer {token}"}

    async def run(
        self, document: str, /, *, role: Role | None = Role.ADMIN, caller: Caller | None = None, **variables: Any
    ) -> Answer:
        """Run a document, or a client operation by its name, as the user of a role; None is an anonymous caller."""
        context = self.context(caller or (self.tenant.caller(role) if role is not None else None))
        before = self.system.pool.statements
        text = document if "{" in document else operation(document)
        result = await self.system.schema.execute(text, variable_values=variables, context_value=context)
        self.statements = self.system.pool.statements - before
        errors = [formatted(error, unmasked) for error in result.errors or ()]
        return {"data": result.data} | ({"errors": errors} if errors else {})

    async def data(self, document: str, /, **arguments: Any) -> Answer:
        """Run a document that must not have errors, and return its data."""
        answer = await self.run(document, **arguments)
        assert "errors" not in answer, answer["errors"]
        data: Answer = answer["data"]
        return data


def unmasked(_error_id: str, error: GraphQLError) -> None:
    """Fail with an error that clients would not see: nothing in a test should have to be masked."""
    raise error.original_error or error

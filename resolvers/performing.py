"""How a use case runs: in one unit, and once per idempotency key."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar, get_type_hints

from pydantic import TypeAdapter

from domain.errors import Conflict, Contended, Invalid
from domain.unit import Unit
from resolvers.context import Context

Command = TypeVar("Command")
Result = TypeVar("Result")

LONGEST_KEY: Final = 200
MOST_RUNS: Final = 3
"""How often a use case is run that loses against others."""


async def perform(
    context: Context,
    use_case: Callable[[Unit, Command], Awaitable[Result]],
    command: Command,
    idempotency_key: str | None = None,
    *,
    brief: bool = False,
) -> Result:
    """Run a use case in a unit of its own, and again if the unit lost against another that wrote the same.

    A `brief` one is tried without a transaction first; it takes no key.

    With a key, the same key and command give the first run's result without a second effect. Raises Conflict when the
    key came with another command, and whatever the use case raises.
    """
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= LONGEST_KEY:
        raise Invalid(f"An idempotency key has 1 to {LONGEST_KEY} characters.", field="idempotencyKey")
    if brief:
        with suppress(Contended):
            async with context.units.brief(context.caller) as unit:
                return await use_case(unit, command)
    for _ in range(MOST_RUNS - 1):
        # Nothing is left of a unit that lost.
        with suppress(Contended):
            return await _run(context, use_case, command, idempotency_key)
    return await _run(context, use_case, command, idempotency_key)


async def _run(
    context: Context, use_case: Callable[[Unit, Command], Awaitable[Result]], command: Command, key: str | None
) -> Result:
    async with context.units.write(context.caller) as unit:
        return await use_case(unit, command) if key is None else await _once(unit, use_case, command, key)


async def _once(
    unit: Unit, use_case: Callable[[Unit, Command], Awaitable[Result]], command: Command, key: str
) -> Result:
    operation = f"{use_case.__module__.removeprefix('domain.')}.{use_case.__name__}"
    results: TypeAdapter[Result] = TypeAdapter(get_type_hints(use_case, localns={"Unit": Unit})["return"])
    payload_hash = hashlib.sha256(TypeAdapter(type(command)).dump_json(command)).hexdigest()
    recorded = await unit.claim_key(operation, key, payload_hash)
    if recorded is None:
        result = await use_case(unit, command)
        await unit.keep_result(operation, key, results.dump_json(result).decode())
        return result
    if recorded.payload_hash != payload_hash:
        raise Conflict("This idempotency key was used for something else.", field="idempotencyKey")
    return results.validate_json(recorded.result)

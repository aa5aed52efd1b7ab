"""What `velocity operations` does: persisted operations are listed, registered from a manifest, and checked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
from asyncpg import Connection, Record

from app.admission import limits_of
from app.database import check_answers, database
from app.failures import CannotContinue
from app.settings import Settings
from app.wiring import proven_schema
from db.access.operations import register, register_everywhere, registered
from db.roles import tenant_ids
from domain.access.operations import PersistedOperation
from graph.documents import Documents
from graph.limits import Limits, document_check
from graph.persisted import read_manifest, shipped


async def register_shipped(owner: str) -> int:
    """Register what comes with this release in every tenant; return how many registrations are new."""
    connection = await asyncpg.connect(owner)
    try:
        return await register_everywhere(connection, shipped())
    finally:
        await connection.close()


async def listing(settings: Settings) -> str:
    """Return every tenant's documents, a line for each."""
    lines = []
    async with _owner(settings) as connection:
        for tenant_id in await tenant_ids(connection):
            lines.append(f"tenant {tenant_id}")
            for each in await registered(connection, tenant_id):
                alias = f"  also {each.alias}" if each.alias is not None else ""
                lines.append(f"  {each.document_id}  {each.kind.name:<12}  {each.name}{alias}")
    return "\n".join(lines)


async def register_file(settings: Settings, file: Path, tenant_id: UUID | None) -> str:
    """Register a manifest's documents in one tenant or in every one; raises CannotContinue where one is not valid."""
    operations = read_manifest(_content(file))
    if found := faults(operations, limits_of(settings)):
        raise CannotContinue("Nothing was registered. " + " ".join(found))
    async with _owner(settings) as connection:
        known = await tenant_ids(connection)
        if tenant_id is not None and tenant_id not in known:
            raise CannotContinue(f"There is no tenant {tenant_id}.")
        chosen = known if tenant_id is None else [tenant_id]
        added = sum([await register(connection, operations, each) for each in chosen])
    return f"{len(operations)} operations in {len(chosen)} tenants: {added} registrations are new."


async def check(settings: Settings, file: Path | None) -> tuple[int, list[str]]:
    """Check a manifest, or what ships and what is registered; return how many documents, and what is wrong."""
    if file is not None:
        operations: Sequence[PersistedOperation] = read_manifest(_content(file))
    else:
        async with _owner(settings) as connection:
            kept = [await registered(connection, tenant_id) for tenant_id in await tenant_ids(connection)]
        unique = {each.document_id: each for each in (*shipped(), *(each for tenant in kept for each in tenant))}
        operations = list(unique.values())
    return len(operations), faults(operations, limits_of(settings))


def faults(operations: Sequence[PersistedOperation], limits: Limits) -> list[str]:
    """Return what keeps documents from running: they do not fit the schema, or break a limit whatever is sent."""
    documents = Documents(proven_schema(), [document_check(limits)], tokens=limits.tokens, nesting=limits.nesting)
    found = []
    for each in operations:
        prepared = documents.get(each.text)
        found += [f"{each.name}: {error.message}" for error in prepared.errors]
        if not prepared.errors:
            least = documents.estimate(prepared, prepared.operation(None)).under({})
            if least.nodes > limits.nodes or least.points > limits.points:
                found.append(f"{each.name}: asks for {least.nodes} rows and {least.points} points.")
    return found


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CannotContinue(f"{file} cannot be read: {error.strerror}.") from error


@asynccontextmanager
async def _owner(settings: Settings) -> AsyncIterator[Connection[Record]]:
    async with database(settings) as found:
        await check_answers(found.owner, "DATABASE_OWNER_URL")
        connection = await asyncpg.connect(found.owner)
        try:
            yield connection
        finally:
            await connection.close()

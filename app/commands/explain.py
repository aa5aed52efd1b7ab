"""What `velocity explain` does: the statement of a document, PostgreSQL's plan of it, or why there is none."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
from asyncpg import Connection, Record

from app.commands.access_token import caller_of
from app.database import check_serves, database
from app.failures import CannotContinue
from app.settings import Settings
from app.wiring import System, system
from db.engine import READ_SETTINGS, SET_TENANT
from db.reading.explaining import Explained, explained
from domain.access import Caller
from domain.errors import DomainError
from graph.compilation import Planner, Uncompiled
from graph.documents import Documents


async def explain(settings: Settings, text: str, operation: str | None, variables: str, email: str) -> str:
    """Return what an operator wants to know of a document; raises CannotContinue for what cannot be read."""
    try:
        given = json.loads(variables)
    except ValueError as error:
        raise CannotContinue(f"The variables are no JSON: {error}") from None
    if not isinstance(given, dict):
        raise CannotContinue("The variables are a JSON object.")
    single = settings.model_copy(update={"read_connections": 1, "write_connections": 1})
    async with database(single) as found:
        await check_serves(found.app)
        async with system(single, found) as opened:
            caller = await caller_of(opened, email)
            return await _explained(opened, caller, text, operation, given)


async def _explained(
    opened: System, caller: Caller, text: str, operation_name: str | None, variables: dict[str, Any]
) -> str:
    documents, planner = Documents(opened.schema), Planner(opened.schema)
    prepared = documents.get(text)
    if prepared.errors:
        raise CannotContinue("\n".join(error.message for error in prepared.errors))
    try:
        operation = prepared.operation(operation_name)
        coerced = planner.coerced(prepared, operation, variables)
        compiled = planner.compiled(prepared, operation, coerced, caller)
        template, bound = opened.answers.prepared(caller, compiled.plan, compiled.given(coerced))
    except Uncompiled as reason:
        return f"Resolvers run this document: {reason}"
    except DomainError as refusal:
        return f"Resolvers refuse this request: {refusal.message}"
    connection: Connection[Record] = await asyncpg.connect(opened.database.app, server_settings=READ_SETTINGS)
    try:
        await connection.fetchval(SET_TENANT, str(caller.tenant_id))
        plan = await explained(connection, template, bound)
    finally:
        await connection.close()
    return _report(template.sql, plan)


def _report(sql: str, plan: Explained) -> str:
    lines = ["-- The statement", sql, "", "-- The plan", plan.text, "", "-- The index of each connection"]
    lines += [f"{path}: {', '.join(indexes) or 'none'}" for path, indexes in plan.connections.items()] or ["none"]
    if plan.others:
        lines += ["", "-- Other indexes", *plan.others]
    if plan.scans:
        lines += ["", "-- Read whole", *(f"{table}: {rows} rows" for table, rows in plan.scans)]
    took = f"-- Planned in {plan.planning} ms, executed in {plan.execution} ms, {plan.rows} rows read"
    return "\n".join([*lines, "", took])

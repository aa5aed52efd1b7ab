"""PostgreSQL's plan of a statement as the read connections run it: generic, and with its timings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from asyncpg import Connection, Record


@dataclass(frozen=True, slots=True)
class Explained:
    """A plan: its text, the indexes it descends, the tables it reads whole and how many rows, and its milliseconds."""

    text: str
    indexes: tuple[str, ...]
    scans: tuple[tuple[str, int], ...]
    planning: float
    execution: float


async def explained(connection: Connection[Record], sql: str, values: Sequence[object]) -> Explained:
    """Run a statement under EXPLAIN ANALYZE.

    It is prepared and executed in SQL: EXPLAIN with bound parameters would show a plan made for these very values,
    which the read connections never use. The caller has set the tenant.
    """
    prepared = await connection.prepare(sql)
    types = [f"{parameter.schema}.{parameter.name}" for parameter in prepared.get_parameters()]
    literals = [
        await connection.fetchval(f"SELECT quote_nullable(($1::{_type(name)})::text)", value)
        for name, value in zip(types, values, strict=True)
    ]
    await connection.execute(f"PREPARE explained AS {sql}")
    try:
        execute = f"EXECUTE explained({', '.join(literals)})" if literals else "EXECUTE explained"
        lines = [row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {execute}")]
        document = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {execute}")
    finally:
        await connection.execute("DEALLOCATE explained")
    [plan] = orjson.loads(document)
    nodes = list(_nodes(plan["Plan"]))
    indexes = {node["Index Name"] for node in nodes if "Index Name" in node}
    scans = {
        (node["Relation Name"], int(node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        for node in nodes
        if node["Node Type"] == "Seq Scan"
    }
    return Explained(
        "\n".join(lines), tuple(sorted(indexes)), tuple(sorted(scans)), plan["Planning Time"], plan["Execution Time"]
    )


def _type(name: str) -> str:
    schema, _, base = name.partition(".")
    return f'{schema}."{base.removesuffix("[]")}"{"[]" if base.endswith("[]") else ""}'


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)

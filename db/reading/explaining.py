"""PostgreSQL's plan of a statement as the read connections run it: generic, and with its timings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from asyncpg import Connection, Record

from db.reading.template import Template


@dataclass(frozen=True, slots=True)
class Explained:
    """A plan: its text, what it reads, and its milliseconds."""

    text: str
    connections: Mapping[str, tuple[str, ...]]
    """The indexes that each connection and list descends to its rows, by its path in the answer."""
    others: tuple[str, ...]
    """The indexes that everything else descends: links, masks, ownership."""
    scans: tuple[tuple[str, int], ...]
    """The tables that are read whole, and how many rows."""
    rows: int
    """How many rows of tables were read in all, those that a condition then removed too."""
    planning: float
    execution: float


async def explained(connection: Connection[Record], template: Template, bound: Mapping[str, object]) -> Explained:
    """Run a statement under EXPLAIN ANALYZE.

    It is prepared and executed in SQL: EXPLAIN with bound parameters would show a plan made for these very values,
    which the read connections never use. The caller has set the tenant.
    """
    prepared = await connection.prepare(template.sql)
    types = [f"{parameter.schema}.{parameter.name}" for parameter in prepared.get_parameters()]
    literals = [
        await connection.fetchval(f"SELECT quote_nullable(($1::{_type(name)})::text)", value)
        for name, value in zip(types, template.filled(bound), strict=True)
    ]
    await connection.execute(f"PREPARE explained AS {template.sql}")
    try:
        execute = f"EXECUTE explained({', '.join(literals)})" if literals else "EXECUTE explained"
        lines = [row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {execute}")]
        document = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {execute}")
    finally:
        await connection.execute("DEALLOCATE explained")
    [plan] = orjson.loads(document)
    nodes = list(_nodes(plan["Plan"], ""))
    connections, others = _indexes(nodes, template.reads)
    scans = {(node["Relation Name"], round(_read(node))) for _, node in nodes if node["Node Type"] == "Seq Scan"}
    return Explained(
        "\n".join(lines),
        connections,
        others,
        tuple(sorted(scans)),
        round(sum(_read(node) * node["Actual Loops"] for _, node in nodes if "Relation Name" in node)),
        plan["Planning Time"],
        plan["Execution Time"],
    )


def _indexes(
    nodes: Iterable[tuple[str, dict[str, Any]]], reads: Iterable[tuple[str, str]]
) -> tuple[Mapping[str, tuple[str, ...]], tuple[str, ...]]:
    """Return the indexes by connection, and those of everything else."""
    by_alias: defaultdict[str, set[str]] = defaultdict(set)
    for alias, node in nodes:
        if "Index Name" in node:
            by_alias[alias].add(node["Index Name"])
    connections: defaultdict[str, set[str]] = defaultdict(set)
    for path, alias in reads:
        connections[path] |= by_alias.pop(alias, set())
    others = {index for indexes in by_alias.values() for index in indexes}
    return {path: tuple(sorted(connections[path])) for path in sorted(connections)}, tuple(sorted(others))


def _read(node: dict[str, Any]) -> float:
    """Return how many rows a scan read each time that it ran, on average."""
    counts = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(float(node.get(name, 0)) for name in counts)


def _type(name: str) -> str:
    schema, _, base = name.partition(".")
    return f'{schema}."{base.removesuffix("[]")}"{"[]" if base.endswith("[]") else ""}'


def _nodes(plan: dict[str, Any], alias: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every node with the alias of the table that it reads for.

    A bitmap's index bears no alias: it is the one of the scan above it. A partition's is its table's and a number.
    """
    alias = str(plan["Alias"]).partition("_")[0] if "Alias" in plan else alias
    yield alias, plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child, alias)

"""Verifies every canvas's revisions against what is stored: what was changed later does not fit its hash or digest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from asyncpg import Connection, Record

from db.canvases.rows import component_of, revision_of, rows_of
from db.roles import set_tenant, tenant_ids
from domain.canvases import Revision
from domain.canvases.history import faults
from domain.canvases.trees import component_hash, hash_of_tree

REVISIONS: Final = """
select r.*, array(
    select p.parent_id from canvas_revision_parents p
    where p.tenant_id = r.tenant_id and p.revision_id = r.id order by p.position
) as parent_ids from canvas_revisions r where r.tenant_id = $1 order by r.canvas_id, r.number
"""
COMPONENTS: Final = """
select c.*, d.as_of from canvas_components c
left join canvas_data d on d.tenant_id = c.tenant_id and d.digest = c.data_digest where c.tenant_id = $1
"""
KEPT: Final = """
select digest, columns, rows, truncated, as_of, salt from canvas_data where tenant_id = $1 and erased_at is null
"""
# The first revision of each canvas that shows rows with one of these digests.
SHOWING: Final = """
select distinct on (r.canvas_id) r.id from canvas_components c
join canvas_placements p on p.tenant_id = c.tenant_id and p.component_id = c.id
join canvas_revisions r on r.tenant_id = p.tenant_id and r.canvas_id = p.canvas_id and r.number = p.from_number
where c.tenant_id = $1 and c.data_digest = any($2::bytea[]) order by r.canvas_id, r.number
"""
OTHER_ROWS: Final = "The rows beside it are not those that it was made with."
PLACEMENTS: Final = """
select canvas_id, component_key, component_id, from_number, until_number from canvas_placements where tenant_id = $1
"""


@dataclass(frozen=True, slots=True)
class BrokenRevision:
    """A revision that is not as it was made, and why."""

    tenant_id: UUID
    revision_id: UUID
    reason: str


async def broken_revisions(owner_dsn: str, tenant_id: UUID | None = None) -> AsyncIterator[BrokenRevision]:
    """Yield every revision that does not fit its hash, tenant by tenant, or in one tenant only."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        for tenant in await tenant_ids(connection) if tenant_id is None else [tenant_id]:
            await set_tenant(connection, tenant)
            async for broken in _of_tenant(connection, tenant):
                yield broken
    finally:
        await connection.close()


async def _of_tenant(connection: Connection[Record], tenant_id: UUID) -> AsyncIterator[BrokenRevision]:
    # One snapshot: what is committed meanwhile is in none of them.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        revisions = [_revision(row) for row in await connection.fetch(REVISIONS, tenant_id)]
        # A version is hashed once, in however many revisions it is.
        hashes: dict[UUID, str] = {}
        async for row in connection.cursor(COMPONENTS, tenant_id, prefetch=1000):
            hashes[row["id"]] = component_hash(component_of(_read(row, "visualization", "source_variables")))
        trees = _Trees(await connection.fetch(PLACEMENTS, tenant_id), hashes)
        others = [
            row["digest"]
            async for row in connection.cursor(KEPT, tenant_id, prefetch=10)
            if rows_of(_read(row, "columns", "rows")).digest != row["digest"].hex()
        ]
        showing = [row["id"] for row in await connection.fetch(SHOWING, tenant_id, others)] if others else []
    for revision_id in showing:
        yield BrokenRevision(tenant_id, revision_id, OTHER_ROWS)
    by_id = {revision.id: revision for revision in revisions}
    for revision in revisions:
        parents = [by_id[each] for each in revision.parent_ids]
        for reason in faults(revision, parents, hash_of_tree(trees.at(revision))):
            yield BrokenRevision(tenant_id, revision.id, reason)


class _Trees:
    """Which versions each revision has, found by walking through the placements once."""

    def __init__(self, placements: list[Record], hashes: Mapping[UUID, str]) -> None:
        self._changes: dict[tuple[UUID, int], list[tuple[str, str | None]]] = {}
        self._tree: dict[str, str] = {}
        for row in placements:
            began, ended = (row["canvas_id"], row["from_number"]), (row["canvas_id"], row["until_number"])
            # What ends comes before what begins: a new version takes the place of the old one.
            self._changes.setdefault(ended, []).insert(0, (row["component_key"], None))
            self._changes.setdefault(began, []).append((row["component_key"], hashes.get(row["component_id"], "")))

    def at(self, revision: Revision) -> Mapping[str, str]:
        """Return the hashes of a revision's components by their keys; call it in the order of canvases and numbers."""
        if revision.number == 1:
            self._tree = {}
        for key, version in self._changes.get((revision.canvas_id, revision.number), ()):
            if version is None:
                self._tree.pop(key, None)
            else:
                self._tree[key] = version
        return self._tree


def _revision(row: Record) -> Revision:
    return revision_of(_read(row, "changes"), tuple(row["parent_ids"]))


def _read(row: Record, *documents: str) -> Any:  # noqa: ANN401 -- a row, with its JSON as values.
    values = dict(row)
    return values | {name: values[name] and orjson.loads(values[name]) for name in documents}

"""How canvases are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Table, Uuid, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db import erasing
from db.canvases.rows import (
    ANCESTRY,
    TREE,
    component_of,
    component_row,
    request_of,
    request_row,
    revision_of,
    revision_row,
)
from db.canvases.source import CANVASES, MERGE_REQUESTS
from db.canvases.subjects import keep_subjects
from db.canvases.tables import (
    NOT_ENDED,
    canvas_components,
    canvas_data,
    canvas_placements,
    canvas_revision_parents,
    canvas_revisions,
    canvas_shares,
    canvases,
    merge_request_reviews,
    merge_requests,
)
from domain.access import Actor, UserStatus
from domain.canvases import (
    Canvas,
    CanvasAccess,
    Component,
    DataRows,
    MergeRequest,
    MergeRequestStatus,
    RequestUndecided,
    Review,
    ReviewDecision,
    Revision,
    Scope,
    Tree,
)
from domain.errors import NotFound

if TYPE_CHECKING:
    from db.unit import SqlUnit

UNDECIDED = (MergeRequestStatus.OPEN.name, MergeRequestStatus.APPROVED.name)


class SqlCanvases:
    """The canvas store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    @property
    def _tenant(self) -> UUID:
        return self._unit.caller.tenant_id

    async def get_for_update(self, canvas_id: UUID, field: str) -> Canvas:
        """Return a canvas and lock its row; raises NotFound naming `field`."""
        try:
            row = await self._unit.visible_row(CANVASES, canvas_id)
        except NotFound:
            raise NotFound(field=field) from None
        return await self._canvas(row)

    async def get_both_for_update(self, source_id: UUID, target_id: UUID) -> tuple[Canvas | None, Canvas | None]:
        """Return two canvases and lock their rows in the order of their ids; None for one that is not to be seen."""
        await self._unit.connection.execute(
            select(canvases.c.id)
            .where(canvases.c.tenant_id == self._tenant, canvases.c.id.in_((source_id, target_id)))
            .order_by(canvases.c.id)
            .with_for_update()
        )
        return await self._seen(source_id), await self._seen(target_id)

    async def _seen(self, canvas_id: UUID) -> Canvas | None:
        try:
            return await self._canvas(await self._unit.visible_row(CANVASES, canvas_id, lock=False))
        except NotFound:
            return None

    async def _canvas(self, row: RowMapping) -> Canvas:
        share = canvas_shares.c
        found = await self._unit.connection.execute(
            select(share.access).where(
                share.tenant_id == self._tenant,
                share.canvas_id == row["id"],
                share.user_id == self._unit.caller.actor.id,
            )
        )
        access = found.scalar_one_or_none()
        return Canvas(
            row["id"], row["title"], row["owner_id"], row["head_id"], row["forked_from_id"], row["archived_at"],
            None if access is None else CanvasAccess[access],
        )  # fmt: skip

    async def is_active(self, user_id: UUID, field: str) -> bool:
        """Whether a user can work; raises NotFound naming `field`."""
        return await self._unit.exists("users", user_id, field, column="status") == UserStatus.ACTIVE.name

    async def revision(self, revision_id: UUID) -> Revision:
        """Return a revision, whoever may see its canvas; raises NotFound naming `revisionId`."""
        table = canvas_revisions
        found = await self._unit.connection.execute(
            select(table).where(table.c.tenant_id == self._tenant, table.c.id == revision_id)
        )
        row = found.mappings().one_or_none()
        if row is None:
            raise NotFound(field="revisionId")
        parent = canvas_revision_parents.c
        parents = await self._unit.connection.execute(
            select(parent.parent_id)
            .where(parent.tenant_id == self._tenant, parent.revision_id == revision_id)
            .order_by(parent.position)
        )
        return revision_of(row, tuple(parents.scalars()))

    async def tree(self, revision_id: UUID) -> Tree:
        """Return the components of a revision, whoever may see its canvas."""
        statement = text(TREE).columns(**{column.name: column.type for column in canvas_components.c})
        found = await self._unit.connection.execute(statement, {"tenant": self._tenant, "revision": revision_id})
        return {row["key"]: component_of(row) for row in found.mappings()}

    async def head_id(self, canvas_id: UUID) -> UUID:
        """Return the head of a canvas as it is at this moment, whoever may see it."""
        found = await self._unit.connection.execute(
            select(canvases.c.head_id).where(canvases.c.tenant_id == self._tenant, canvases.c.id == canvas_id)
        )
        head_id: UUID = found.scalar_one()
        return head_id

    async def ancestry(self, revision_ids: Sequence[UUID]) -> Mapping[UUID, tuple[UUID, ...]]:
        """Return the parents of these revisions and of all that came before them, by their ids."""
        statement = text(ANCESTRY).bindparams(bindparam("revisions", type_=ARRAY(Uuid)))
        found = await self._unit.connection.execute(
            statement, {"tenant": self._tenant, "revisions": list(revision_ids)}
        )
        return {row["id"]: tuple(row["parent_ids"]) for row in found.mappings()}

    async def add(self, canvas: Canvas, first: Revision, tree: Tree, now: datetime) -> None:
        """Store a new canvas with its first revision and that revision's components, all of them new versions."""
        await self._unit.add(
            canvases, id=canvas.id, title=canvas.title, owner_id=canvas.owner_id, head_id=first.id,
            forked_from_id=canvas.forked_from_id, created_at=now, updated_at=now,
        )  # fmt: skip
        await self._add_history(first)
        await self._add_versions(first, tree.values())
        await self._place(first, tree.values())

    async def hold_off_erasures(self) -> None:
        """Let no erasure of the tenant's begin until the unit ends, and wait for one that has begun."""
        await erasing.hold_off(self._unit.connection, self._tenant)

    async def add_revision(self, revision: Revision, tree: Tree, rows: Sequence[DataRows]) -> None:
        """Store a revision with its tree and make it the head; what it shares with the head is not stored again."""
        await self._add_rows(rows)
        await self._add_history(revision)
        placed = await self._placed(revision.canvas_id)
        changed = [each for each in tree.values() if placed.get(each.key) != each.id]
        await self._add_versions(revision, await self._missing(changed))
        await self._end(
            revision, [key for key, version in placed.items() if key not in tree or tree[key].id != version]
        )
        await self._place(revision, changed)
        await self._unit.change(canvases, revision.canvas_id, head_id=revision.id, updated_at=revision.created_at)

    async def _add_rows(self, rows: Sequence[DataRows]) -> None:
        scope = Scope.of(self._unit.caller)
        for each in rows:
            await self._unit.add(
                canvas_data, digest=bytes.fromhex(each.digest), author_noun=scope.actor.noun, author_id=scope.actor.id,
                author_role=scope.role.name, author_members=list(scope.members), as_of=each.as_of,
                columns=[{"name": one.name, "label": one.label, "type": one.type.name} for one in each.columns],
                rows=list(each.rows), truncated=each.truncated, salt=each.salt,
            )  # fmt: skip
            await keep_subjects(self._unit.connection, self._tenant, each)

    async def _add_history(self, revision: Revision) -> None:
        await self._unit.add(canvas_revisions, **revision_row(revision))
        await self._add_all(
            canvas_revision_parents,
            [
                {"revision_id": revision.id, "position": position, "parent_id": parent_id}
                for position, parent_id in enumerate(revision.parent_ids)
            ],
        )

    async def _placed(self, canvas_id: UUID) -> dict[str, UUID]:
        placement = canvas_placements.c
        found = await self._unit.connection.execute(
            select(placement.component_key, placement.component_id).where(
                placement.tenant_id == self._tenant,
                placement.canvas_id == canvas_id,
                placement.until_number == NOT_ENDED,
            )
        )
        return {row.component_key: row.component_id for row in found}

    async def _missing(self, versions: Sequence[Component]) -> list[Component]:
        component = canvas_components.c
        found = await self._unit.connection.execute(
            select(component.id).where(
                component.tenant_id == self._tenant, component.id.in_([each.id for each in versions])
            )
        )
        stored = set(found.scalars())
        return [each for each in versions if each.id not in stored]

    async def _add_versions(self, revision: Revision, versions: Iterable[Component]) -> None:
        await self._add_all(
            canvas_components,
            [
                {"canvas_id": revision.canvas_id, "created_at": revision.created_at, **component_row(each)}
                for each in versions
            ],
        )

    async def _place(self, revision: Revision, versions: Iterable[Component]) -> None:
        await self._add_all(
            canvas_placements,
            [
                {
                    "canvas_id": revision.canvas_id, "component_key": each.key, "from_number": revision.number,
                    "until_number": NOT_ENDED, "component_id": each.id,
                }
                for each in versions
            ],
        )  # fmt: skip

    async def _end(self, revision: Revision, keys: Sequence[str]) -> None:
        if not keys:
            return
        placement = canvas_placements.c
        await self._unit.connection.execute(
            update(canvas_placements)
            .where(
                placement.tenant_id == self._tenant,
                placement.canvas_id == revision.canvas_id,
                placement.until_number == NOT_ENDED,
                placement.component_key.in_(keys),
            )
            .values(until_number=revision.number)
        )

    async def _add_all(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        if rows:
            stored = [{"tenant_id": self._tenant, **row} for row in rows]
            await self._unit.connection.execute(insert(table), stored)

    async def save(self, canvas: Canvas, now: datetime) -> None:
        """Store a canvas's title and whether it is archived."""
        await self._unit.change(canvases, canvas.id, title=canvas.title, archived_at=canvas.archived_at, updated_at=now)

    async def share(self, canvas_id: UUID, user_id: UUID, access: CanvasAccess, now: datetime) -> CanvasAccess | None:
        """Store what a user may do with a canvas; return what it was before."""
        share = canvas_shares.c
        found = await self._unit.connection.execute(
            select(share.access).where(
                share.tenant_id == self._tenant, share.canvas_id == canvas_id, share.user_id == user_id
            )
        )
        before = found.scalar_one_or_none()
        await self._unit.connection.execute(
            insert(canvas_shares)
            .values(tenant_id=self._tenant, canvas_id=canvas_id, user_id=user_id, access=access.name, created_at=now)
            .on_conflict_do_update(index_elements=["tenant_id", "canvas_id", "user_id"], set_={"access": access.name})
        )
        return None if before is None else CanvasAccess[before]

    async def unshare(self, canvas_id: UUID, user_id: UUID) -> bool:
        """Take away what a user was given; False where there was nothing."""
        share = canvas_shares.c
        result = await self._unit.connection.execute(
            delete(canvas_shares).where(
                share.tenant_id == self._tenant, share.canvas_id == canvas_id, share.user_id == user_id
            )
        )
        return result.rowcount == 1

    async def get_request(self, request_id: UUID) -> MergeRequest:
        """Return a merge request that the caller may see; raises NotFound naming `mergeRequestId`."""
        try:
            await self._unit.visible_row(MERGE_REQUESTS, request_id, lock=False, columns=("id",))
        except NotFound:
            raise NotFound(field="mergeRequestId") from None
        [found] = await self._requests(merge_requests.c.id == request_id, lock=False)
        return found

    async def lock_request(self, request_id: UUID) -> MergeRequest:
        """Lock a merge request's row and return it as it is now."""
        [found] = await self._requests(merge_requests.c.id == request_id)
        return found

    async def lock_undecided(self, canvas_id: UUID) -> Sequence[MergeRequest]:
        """Lock and return the undecided requests from or into a canvas, by their ids."""
        request = merge_requests.c
        ends = (request.source_id == canvas_id) | (request.target_id == canvas_id)
        return await self._requests(ends, request.status.in_(UNDECIDED))

    async def _requests(self, *conditions: ColumnElement[bool], lock: bool = True) -> list[MergeRequest]:
        wanted = (
            select(merge_requests)
            .where(merge_requests.c.tenant_id == self._tenant, *conditions)
            .order_by(merge_requests.c.id)
        )
        found = await self._unit.connection.execute(wanted.with_for_update() if lock else wanted)
        return [request_of(row) for row in found.mappings()]

    async def add_request(self, request: MergeRequest) -> None:
        """Store a merge request; raises RequestUndecided where one has the same source and target."""
        added = await self._unit.connection.execute(
            insert(merge_requests)
            .values(
                tenant_id=self._tenant, id=request.id, title=request.title, source_id=request.source_id,
                target_id=request.target_id, author_noun=request.author.noun, author_id=request.author.id,
                created_at=request.created_at, updated_at=request.created_at, **request_row(request),
            )
            .on_conflict_do_nothing(
                index_elements=["tenant_id", "source_id", "target_id"],
                index_where=text("status IN ('OPEN', 'APPROVED')"),
            )
        )  # fmt: skip
        if added.rowcount == 0:
            raise RequestUndecided

    async def save_request(self, request: MergeRequest, now: datetime) -> None:
        """Store what changed about a merge request."""
        await self._unit.change(merge_requests, request.id, updated_at=now, **request_row(request))

    async def reviews(self, request_id: UUID) -> Sequence[Review]:
        """Return the reviews of a merge request, oldest first."""
        table = merge_request_reviews
        found = await self._unit.connection.execute(
            select(table)
            .where(table.c.tenant_id == self._tenant, table.c.merge_request_id == request_id)
            .order_by(table.c.at, table.c.id)
        )
        return [
            Review(
                row["id"], request_id, Actor(row["author_noun"], row["author_id"]), ReviewDecision[row["decision"]],
                row["comment"], row["at"], row["source_head_id"],
            )
            for row in found.mappings()
        ]  # fmt: skip

    async def add_review(self, review: Review) -> None:
        """Store a review."""
        await self._unit.add(
            merge_request_reviews, id=review.id, merge_request_id=review.request_id, decision=review.decision.name,
            comment=review.comment, author_noun=review.author.noun, author_id=review.author.id, at=review.at,
            source_head_id=review.source_head_id,
        )  # fmt: skip

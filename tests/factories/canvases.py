"""Canvases as rows: with their history, their components and the rows beside them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Connection, Record

from db.canvases.tables import NOT_ENDED
from db.roles import set_tenant
from domain.access import Role
from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


@dataclass(slots=True)
class Made:
    """A canvas with its only revision."""

    id: UUID
    head_id: UUID
    components: dict[str, UUID] = field(default_factory=dict)


async def canvas(
    owner: "Connection[Record]", of: Tenant, *, owner_id: UUID, title: str = "Board", keys: tuple[str, ...] = (),
    parents: tuple[UUID, ...] = (), **values: object,
) -> Made:  # fmt: skip
    """Make a canvas with one revision, and a text under each key."""
    made = Made(new_id(), new_id())
    await set_tenant(owner, of.id)
    async with owner.transaction():
        await insert(
            owner, "canvases", of.id, id=made.id, title=title, owner_id=owner_id, head_id=made.head_id,
            **{"created_at": AT, "updated_at": AT, **values},
        )  # fmt: skip
        await revision(owner, of, canvas_id=made.id, id=made.head_id, author_id=owner_id, parents=parents)
    for number, key in enumerate(keys):
        made.components[key] = await component(owner, of, canvas_id=made.id, key=key, order_key=f"a{number}")
    return made


async def revision(
    owner: "Connection[Record]", of: Tenant, *, canvas_id: UUID, author_id: UUID, parents: tuple[UUID, ...] = (),
    **values: Any,
) -> UUID:  # fmt: skip
    """Make a revision, the first one unless told otherwise."""
    values = {
        "id": new_id(), "number": 1, "kind": "COMMIT", "author_noun": "users", "tree_hash": bytes(32),
        "hash": bytes(32), "changes": "[]", "created_at": AT, **values,
    }  # fmt: skip
    await insert(owner, "canvas_revisions", of.id, canvas_id=canvas_id, author_id=author_id, **values)
    revision_id: UUID = values["id"]
    for position, parent_id in enumerate(parents):
        await insert(
            owner, "canvas_revision_parents", of.id, revision_id=revision_id, position=position, parent_id=parent_id
        )
    return revision_id


async def follow(owner: "Connection[Record]", of: Tenant, made: Made, *, author_id: UUID, mark: int = 1) -> None:
    """Give a canvas a second revision; `mark` makes its tree's hash another."""
    first = made.head_id
    made.head_id = await revision(
        owner, of, canvas_id=made.id, author_id=author_id, number=2, parents=(first,), tree_hash=bytes([mark] * 32)
    )
    await owner.execute("UPDATE canvases SET head_id = $1 WHERE id = $2", made.head_id, made.id)


async def component(
    owner: "Connection[Record]", of: Tenant, *, canvas_id: UUID, key: str, from_number: int = 1,
    until_number: int = NOT_ENDED, **values: object,
) -> UUID:  # fmt: skip
    """Make a version of a component, a text unless told otherwise, and place it."""
    component_id = new_id()
    values = {
        "kind": "TEXT", "title": key, "order_key": key, "x": 0, "y": 0, "width": 4, "height": 3, "created_at": AT,
        **values,
    }  # fmt: skip
    await insert(owner, "canvas_components", of.id, id=component_id, canvas_id=canvas_id, key=key, **values)
    await insert(
        owner, "canvas_placements", of.id, canvas_id=canvas_id, component_key=key, from_number=from_number,
        until_number=until_number, component_id=component_id,
    )  # fmt: skip
    return component_id


async def data(
    owner: "Connection[Record]", of: Tenant, *, author: Role, rows: list[Any] | None = None, known_by: str | None = None
) -> bytes:
    """Keep rows that the user of a role read; None are erased ones. Returns their digest, any unless told otherwise."""
    caller = of.caller(author)
    digest = sha256(new_id().bytes).digest() if known_by is None else bytes.fromhex(known_by)
    columns = [{"name": "stage", "label": "Stage", "type": "TEXT"}]
    await insert(
        owner, "canvas_data", of.id, digest=digest, author_noun="users", author_id=caller.user_id,
        author_role=author.name, author_members=list(caller.members), as_of=AT,
        columns=orjson.dumps(columns).decode(), rows=None if rows is None else orjson.dumps(rows).decode(),
        salt=None if rows is None else bytes(16), erased_at=AT if rows is None else None,
    )  # fmt: skip
    return digest


async def share(owner: "Connection[Record]", of: Tenant, *, canvas_id: UUID, user_id: UUID, access: str) -> None:
    """Share a canvas with a user."""
    await insert(owner, "canvas_shares", of.id, canvas_id=canvas_id, user_id=user_id, access=access, created_at=AT)


async def merge_request(
    owner: "Connection[Record]", of: Tenant, *, source: Made, target: Made, author_id: UUID, **values: object
) -> UUID:
    """Make a merge request, OPEN unless told otherwise, on the target's head."""
    request_id = new_id()
    values = {
        "title": "Take these", "status": "OPEN", "author_noun": "users", "base_id": target.head_id,
        "source_head_id": source.head_id, "target_head_id": target.head_id, "created_at": AT, "updated_at": AT,
        **values,
    }  # fmt: skip
    await insert(
        owner, "merge_requests", of.id, id=request_id, source_id=source.id, target_id=target.id,
        author_id=author_id, **values,
    )  # fmt: skip
    return request_id


async def grown(owner: "Connection[Record]", of: Tenant, made: Made, *, components: int, revisions: int) -> None:
    """Give a canvas so many components, and so many revisions of which each but the first changes one component."""
    await set_tenant(owner, of.id)
    async with owner.transaction():
        await owner.execute(
            """
            CREATE TEMPORARY TABLE versions ON COMMIT DROP AS
            SELECT gen_random_uuid() AS id, k, 1 AS n FROM generate_series(0, $1 - 1) k
            UNION ALL SELECT gen_random_uuid(), n % $1, n FROM generate_series(2, $2) n
            """,
            components,
            revisions,
        )
        await owner.execute(
            """
            INSERT INTO canvas_revisions
            SELECT r.tenant_id, gen_random_uuid(), r.canvas_id, n, r.kind, r.message, r.author_noun, r.author_id,
                   r.tree_hash, r.hash, r.changes, r.created_at
            FROM canvas_revisions r, generate_series(2, $2) n WHERE r.id = $1
            """,
            made.head_id,
            revisions,
        )
        await owner.execute(
            """
            INSERT INTO canvas_components
                (tenant_id, id, canvas_id, key, kind, title, order_key, x, y, width, height, created_at)
            SELECT $1, id, $2, 'k' || k, 'TEXT', 'Text', to_char(k, 'FM0000'), 0, 0, 4, 3, $3 FROM versions
            """,
            of.id,
            made.id,
            AT,
        )
        await owner.execute(
            """
            INSERT INTO canvas_placements
                (tenant_id, canvas_id, component_key, from_number, until_number, component_id)
            SELECT $1, $2, 'k' || k, n, coalesce(lead(n) OVER (PARTITION BY k ORDER BY n), $3), id FROM versions
            """,
            of.id,
            made.id,
            NOT_ENDED,
        )
        await owner.execute(
            "UPDATE canvases SET head_id = (SELECT id FROM canvas_revisions WHERE canvas_id = $1 AND number = $2)"
            " WHERE id = $1",
            made.id,
            revisions,
        )
    await owner.execute("ANALYZE canvas_placements, canvas_components, canvas_revisions")

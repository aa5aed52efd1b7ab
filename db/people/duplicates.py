"""Who may be the same as whom: found by what people have in common, and kept on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING, Final
from uuid import UUID

from asyncpg import Connection, Record
from sqlalchemy import delete, insert, or_, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.people.tables import people, person_duplicates
from db.reading.writer import Writer
from db.roles import copy_rows
from db.visibility import own_person
from domain.people.duplicates import MOST_NAMESAKES, Duplicate, Identity, compared

if TYPE_CHECKING:
    from db.unit import SqlUnit

MOST_SHARING: Final = 100
"""How many people with one number or address are compared: beyond that it is a switchboard's."""

_WAIT: Final = text(
    "select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(cast(:keys as text[])) as keys(key)"
)


def _candidates(w: Writer, identity: Identity) -> str:
    """Write who has the same number, address or name key, and whether they are the caller's own."""
    t = w.alias(people)
    own = own_person()(w, t) or "true"
    others = (
        f"select {t.id}, {t.full_name}, {t.primary_phone_e164} as phone, {t.primary_email_normalised} as email,"
        f" {t.city}, {own} as own from people {t.name} where {t.tenant_id} = {w.tenant} and {t.merged_into_id} is null"
        f" and {t.id} <> {w.bind(identity.id, 'uuid')}"
    )
    wanted = (
        (t.primary_phone_e164, identity.phone, MOST_SHARING),
        (t.primary_email_normalised, identity.email, MOST_SHARING),
        (t.name_key, identity.name_key, MOST_NAMESAKES),
    )
    return " union ".join(
        f"({others} and {column} = {w.bind(value or None, 'text')} order by {t.id} desc limit {most})"
        for column, value, most in wanted
    )


async def candidates(unit: SqlUnit, identity: Identity) -> list[Identity]:
    """Return everybody else with the same number, address or name key; of namesakes the newest.

    Units that ask about the same one wait for each other, so that of two people added at once one sees the other.
    """
    tenant_id = unit.caller.tenant_id
    shared = sorted(f"{tenant_id} {value}" for value in (identity.phone, identity.email, identity.name_key) if value)
    await unit.connection.execute(_WAIT, {"keys": shared})
    w = Writer(unit.caller)
    statement = _candidates(w, identity)
    found = await unit.connection.exec_driver_sql(statement, tuple(w.values))
    return [Identity(**row) for row in found.mappings()]


async def keep(
    connection: AsyncConnection, tenant_id: UUID, person_id: UUID, found: Sequence[Duplicate], now: datetime
) -> None:
    """Keep who somebody may be, instead of what was kept before."""
    table = person_duplicates
    await connection.execute(
        delete(table).where(
            table.c.tenant_id == tenant_id, or_(table.c.person_id == person_id, table.c.other_id == person_id)
        )
    )
    rows = [row for each in found for row in _rows(tenant_id, person_id, each, now)]
    if rows:
        await connection.execute(insert(table), [dict(zip(_COLUMNS, row, strict=True)) for row in rows])


async def rebuild(owner: Connection[Record], tenant_id: UUID, now: datetime) -> int:
    """Find the duplicates of a whole tenant anew, for rows that came by COPY; return how many pairs there are.

    `owner` is a connection of the owner's that is set to the tenant. Name keys that are missing are filled in.
    """
    found = await owner.fetch(
        "select id, full_name, primary_phone_e164, primary_email_normalised, city"
        " from people where tenant_id = $1 and merged_into_id is null order by id",
        tenant_id,
    )
    identities = [Identity(*row) for row in found]
    await owner.execute(
        "update people set name_key = k.name_key from unnest($2::uuid[], $3::text[]) as k(id, name_key)"
        " where people.tenant_id = $1 and people.id = k.id and people.name_key <> k.name_key",
        tenant_id,
        [each.id for each in identities],
        [each.name_key for each in identities],
    )
    await owner.execute("delete from person_duplicates where tenant_id = $1", tenant_id)
    rows: list[tuple[object, ...]] = []
    pairs = 0
    for one, other in _pairs(identities):
        duplicate = compared(one, other)
        if duplicate is not None:
            pairs += 1
            rows += _rows(tenant_id, one.id, duplicate, now)
    await copy_rows(owner, "person_duplicates", _COLUMNS, rows)
    return pairs


_COLUMNS: Final = ("tenant_id", "person_id", "other_id", "score", "name_score", "evidence", "created_at")


def _rows(tenant_id: UUID, person_id: UUID, found: Duplicate, now: datetime) -> Iterator[tuple[object, ...]]:
    evidence = [each.name for each in found.evidence]
    yield tenant_id, person_id, found.other_id, found.score, found.name_score, evidence, now
    yield tenant_id, found.other_id, person_id, found.score, found.name_score, evidence, now


def _pairs(identities: Iterable[Identity]) -> list[tuple[Identity, Identity]]:
    """Return whom `candidates` would have compared, had the people been added one after the other."""
    sharing: dict[tuple[str, str], list[Identity]] = defaultdict(list)
    alike: dict[str, list[Identity]] = defaultdict(list)
    for each in identities:
        for kind, value in (("phone", each.phone), ("email", each.email)):
            if value is not None:
                sharing[kind, value].append(each)
        alike[each.name_key].append(each)
    alike.pop("", None)
    pairs: dict[tuple[UUID, UUID], tuple[Identity, Identity]] = {}
    for group in sharing.values():
        pairs |= {(one.id, other.id): (one, other) for one, other in combinations(group[-MOST_SHARING:], 2)}
    for group in alike.values():
        for index, other in enumerate(group):
            earlier = group[max(0, index - MOST_NAMESAKES) : index]
            pairs |= {(one.id, other.id): (one, other) for one in earlier}
    return list(pairs.values())

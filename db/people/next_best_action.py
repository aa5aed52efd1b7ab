"""What is kept on a person about the next step: computed again from the person's rows whenever one of them changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

from asyncpg import Connection, Record
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.people.tables import people
from domain.leads import LeadStage
from domain.people.next_best_action import DueTask, Engagement, OpenLead, Situation, decide

# Not FOR UPDATE: what refers to a person holds its key, and two units that wrote such rows would wait for each other.
_LOCK: Final = text(
    "select from people where tenant_id = :tenant and id = any(:people) and merged_into_id is null"
    " order by id for no key update"
)

DECIDED_FOR: Final = timedelta(days=1)
"""How long a decision stands that nothing but time has changed."""
BATCH: Final = 500

_KEPT: Final = (
    "last_contacted_at", "next_best_action_kind", "next_best_action_title", "next_best_action_reason",
    "next_best_action_due_at", "next_best_action_computed_at",
)  # fmt: skip


def _situations(tenant: str, now: str, chosen: str) -> str:
    """Write the statement that answers one row per person; `chosen` says which people `p`.

    A NOTE is no contact. Any call, visit or outbound word after somebody wrote is an answer.
    """
    return f"""
        select p.id, p.rules_qd_at, p.rules_qd_score, contact.last_contacted_at, contact.last_visit_at,
            unanswered.since as unanswered_since, lead.stage, lead.stage_changed_at, task.due_at,
            extract(epoch from {now} at time zone t.time_zone - {now} at time zone 'UTC') as zone_seconds
        from people p
        join tenants t on t.tenant_id = p.tenant_id
        left join lateral (
            select max(i.occurred_at) as last_contacted_at,
                max(i.occurred_at) filter (where i.direction = 'OUTBOUND' or i.kind in ('CALL', 'VISIT'))
                    as answered_at,
                max(i.occurred_at) filter (where i.kind = 'VISIT') as last_visit_at
            from interactions i
            where i.tenant_id = p.tenant_id and i.person_id = p.id and i.kind <> 'NOTE'
        ) contact on true
        left join lateral (
            select min(i.occurred_at) as since from interactions i
            where i.tenant_id = p.tenant_id and i.person_id = p.id and i.kind in ('MESSAGE', 'EMAIL')
                and i.direction = 'INBOUND' and i.occurred_at > coalesce(contact.answered_at, '-infinity')
        ) unanswered on true
        left join lateral (
            select l.stage, l.stage_changed_at from leads l
            where l.tenant_id = p.tenant_id and l.person_id = p.id and l.stage not in ('WON', 'LOST')
            order by l.stage_position desc, l.stage_changed_at desc, l.id desc limit 1
        ) lead on true
        left join lateral (
            select k.due_at from tasks k
            where k.tenant_id = p.tenant_id and k.status = 'OPEN' and k.due_at is not null
                and (k.person_id = p.id or k.lead_id in (
                    select l.id from leads l where l.tenant_id = p.tenant_id and l.person_id = p.id))
            order by k.due_at, k.id limit 1
        ) task on true
        where p.tenant_id = {tenant} and p.merged_into_id is null and {chosen}"""


_SITUATIONS: Final = text(_situations(":tenant", "cast(:now as timestamptz)", "p.id = any(:people)"))

# Somebody for whom nothing was called for is called for by nothing but a change: time alone makes no first step.
_DUE: Final = """
    select p.id from people p
    where p.tenant_id = $1 and p.merged_into_id is null and (
        p.next_best_action_computed_at <= $2::timestamptz - $3::interval
        or exists (
            select from tasks k
            where k.tenant_id = p.tenant_id and k.status = 'OPEN'
                and k.due_at >= p.next_best_action_computed_at and k.due_at < $2::timestamptz
                and (k.person_id = p.id or k.lead_id in (
                    select l.id from leads l where l.tenant_id = p.tenant_id and l.person_id = p.id))))
    order by p.id limit $4 for no key update of p skip locked"""


async def refresh(connection: AsyncConnection, tenant_id: UUID, person_ids: Sequence[UUID], now: datetime) -> None:
    """Keep when people were last contacted and what to do next; absorbed or missing people are left alone.

    The rows are locked first, in one order, so that of two units the later one sees what the earlier one wrote.
    """
    chosen = {"tenant": tenant_id, "people": list(person_ids)}
    await connection.execute(_LOCK, chosen)
    for row in (await connection.execute(_SITUATIONS, chosen | {"now": now})).mappings().all():
        await connection.execute(
            update(people)
            .where(people.c.tenant_id == tenant_id, people.c.id == row["id"])
            .values(dict(zip(_KEPT, _decided(dict(row), now), strict=True)))
        )


async def rebuild(owner: Connection[Record], tenant_id: UUID, now: datetime) -> int:
    """Decide for every person of a tenant, for rows that came by COPY; return how many people there are.

    `owner` is a connection of the owner's that is set to the tenant.
    """
    found = await owner.fetch(_situations("$1", "$2::timestamptz", "true"), tenant_id, now)
    return await _decide(owner, tenant_id, now, found)


async def sweep(owner: Connection[Record], tenant_id: UUID, now: datetime) -> int:
    """Decide again for those for whom time alone may have changed what to do next; return how many they were.

    A task fell due since, or the decision is a day old: silence grows and scores fade. `owner` is a connection of the
    owner's that is set to the tenant. People who are being written just now are left to whoever writes them.
    """
    swept = 0
    while True:
        async with owner.transaction():
            due = [row["id"] for row in await owner.fetch(_DUE, tenant_id, now, DECIDED_FOR, BATCH)]
            statement = _situations("$1", "$2::timestamptz", "p.id = any($3::uuid[])")
            swept += await _decide(owner, tenant_id, now, await owner.fetch(statement, tenant_id, now, due))
        if len(due) < BATCH:
            return swept


async def _decide(owner: Connection[Record], tenant_id: UUID, now: datetime, found: list[Record]) -> int:
    """Decide for people in these situations, in one statement."""
    if not found:
        return 0
    columns = zip(*(_decided(dict(row), now) for row in found), strict=True)
    types = ("timestamptz", "text", "text", "text", "timestamptz", "timestamptz")
    arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types, start=3))
    await owner.execute(
        f"update people set ({', '.join(_KEPT)}) = ({', '.join(f'k.{name}' for name in _KEPT)})"
        f" from unnest($2::uuid[], {arrays}) as k(id, {', '.join(_KEPT)})"
        " where people.tenant_id = $1 and people.id = k.id",
        tenant_id,
        [row["id"] for row in found],
        *map(list, columns),
    )
    return len(found)


def _decided(row: Mapping[str, Any], now: datetime) -> tuple[object, ...]:
    """Return the columns that are kept, in the order of `_KEPT`."""
    action = decide(_situation(row), now)
    if action is None:
        return row["last_contacted_at"], None, None, None, None, None
    return row["last_contacted_at"], action.kind.name, action.title, action.reason, action.due_at, now


def _situation(row: Mapping[str, Any]) -> Situation:
    return Situation(
        lead=None if row["stage"] is None else OpenLead(LeadStage[row["stage"]], row["stage_changed_at"]),
        last_contacted_at=row["last_contacted_at"],
        unanswered_since=row["unanswered_since"],
        task=None if row["due_at"] is None else DueTask(row["due_at"]),
        last_visit_at=row["last_visit_at"],
        engagement=None if row["rules_qd_at"] is None else Engagement(row["rules_qd_score"], row["rules_qd_at"]),
        zone=timezone(timedelta(seconds=float(row["zone_seconds"]))),
    )

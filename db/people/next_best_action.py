"""What is kept on a person about the next step: computed again from the person's rows whenever one of them changes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.leads import LeadStage
from domain.people.next_best_action import DueTask, Engagement, OpenLead, Situation, decide

# Not FOR UPDATE: what refers to a person holds its key, and two units that wrote such rows would wait for each other.
_LOCK: Final = text(
    "select from people where tenant_id = :tenant and id = :person and merged_into_id is null for no key update"
)

# A NOTE is no contact. Any call, visit or outbound word after somebody wrote is an answer.
_SITUATION: Final = text("""
    select p.rules_qd_at, p.rules_qd_score, contact.last_contacted_at, unanswered.since as unanswered_since,
        lead.stage, lead.stage_changed_at, task.title, task.due_at, visit.at as visit_at,
        extract(epoch from cast(:now as timestamptz) at time zone t.time_zone
            - cast(:now as timestamptz) at time zone 'UTC') as zone_seconds
    from people p
    join tenants t on t.tenant_id = p.tenant_id
    left join lateral (
        select max(i.occurred_at) as last_contacted_at,
            max(i.occurred_at) filter (where i.direction = 'OUTBOUND' or i.kind in ('CALL', 'VISIT')) as answered_at
        from interactions i
        where i.tenant_id = p.tenant_id and i.person_id = p.id and i.kind <> 'NOTE' and i.occurred_at <= :now
    ) contact on true
    left join lateral (
        select min(i.occurred_at) as since from interactions i
        where i.tenant_id = p.tenant_id and i.person_id = p.id and i.kind in ('MESSAGE', 'EMAIL')
            and i.direction = 'INBOUND' and i.occurred_at <= :now
            and i.occurred_at > coalesce(contact.answered_at, '-infinity')
    ) unanswered on true
    left join lateral (
        select l.stage, l.stage_changed_at from leads l
        where l.tenant_id = p.tenant_id and l.person_id = p.id and l.stage not in ('WON', 'LOST')
        order by l.stage_position desc, l.stage_changed_at desc, l.id desc limit 1
    ) lead on true
    left join lateral (
        select k.title, k.due_at from tasks k
        where k.tenant_id = p.tenant_id and k.status = 'OPEN' and k.due_at is not null
            and (k.person_id = p.id or k.lead_id in (
                select l.id from leads l where l.tenant_id = p.tenant_id and l.person_id = p.id))
        order by k.due_at, k.id limit 1
    ) task on true
    left join lateral (
        select min(i.occurred_at) as at from interactions i
        where i.tenant_id = p.tenant_id and i.person_id = p.id and i.kind = 'VISIT' and i.occurred_at > :now
    ) visit on true
    where p.tenant_id = :tenant and p.id = :person and p.merged_into_id is null
""")

_KEEP: Final = text("""
    update people set last_contacted_at = :last_contacted_at, next_best_action_kind = :kind,
        next_best_action_title = :title, next_best_action_reason = :reason, next_best_action_due_at = :due_at,
        next_best_action_computed_at = :computed_at
    where tenant_id = :tenant and id = :person
""")


async def refresh(connection: AsyncConnection, tenant_id: UUID, person_id: UUID, now: datetime) -> None:
    """Keep when a person was last contacted and what to do next; an absorbed or missing person is left alone.

    The person's row is locked first, so that of two units the later one sees what the earlier one wrote.
    """
    person = {"tenant": tenant_id, "person": person_id}
    await connection.execute(_LOCK, person)
    row = (await connection.execute(_SITUATION, person | {"now": now})).mappings().one_or_none()
    if row is None:
        return
    action = decide(_situation(row), now)
    kept = {
        "last_contacted_at": row["last_contacted_at"],
        "kind": action and action.kind.name,
        "title": action and action.title,
        "reason": action and action.reason,
        "due_at": action and action.due_at,
        "computed_at": action and now,
    }
    await connection.execute(_KEEP, person | kept)


def _situation(row: RowMapping) -> Situation:
    return Situation(
        lead=None if row["stage"] is None else OpenLead(LeadStage[row["stage"]], row["stage_changed_at"]),
        last_contacted_at=row["last_contacted_at"],
        unanswered_since=row["unanswered_since"],
        task=None if row["title"] is None else DueTask(row["title"], row["due_at"]),
        visit_at=row["visit_at"],
        engagement=None if row["rules_qd_at"] is None else Engagement(row["rules_qd_score"], row["rules_qd_at"]),
        zone=timezone(timedelta(seconds=float(row["zone_seconds"]))),
    )

"""How camera events are written, and how they find the session that they are evidence of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import JSON, CursorResult, Executable, text, update

from db.cctv.tables import cctv_events
from domain.cctv import (
    ARRIVAL,
    LONGEST_VISIT,
    CctvEvent,
    Detection,
    Judged,
    Profile,
    Recognised,
    Risk,
    Seen,
    Visit,
    Witnessed,
)

if TYPE_CHECKING:
    from db.unit import SqlUnit


def _agreed(person: str) -> str:
    """Write that a person agrees, at this moment, to be known by what cameras see."""
    return (
        f"exists (select from consents g where g.tenant_id = :tenant and g.person_id = {person}"
        " and g.purpose = 'SHOWROOM_ENGAGEMENT' and g.modality = 'CCTV' and g.granted_at <= :now"
        " and g.withdrawn_at is null and (g.expires_at is null or g.expires_at > :now))"
    )


# What may be evidence of session `s`: its consent stands, and whoever has a name agreed to cameras as well.
_OPEN: Final = (
    "s.status <> 'STOPPED' and exists (select from consents c where c.tenant_id = :tenant and c.id = s.consent_id"
    " and c.withdrawn_at is null and (c.expires_at is null or c.expires_at > :now))"
    f" and (s.person_id is null or {_agreed('s.person_id')})"
)

# Sessions around an event: that go on at its moment, or begin soon after it.
_VISITS: Final = text(f"""
    select s.id, s.started_at >= :at as began_after, exists (
        select from cctv_events e join perception_sessions k on k.tenant_id = e.tenant_id and k.id = e.session_id
        where e.tenant_id = :tenant and e.plate = any(cast(:plates as bytea[]))
            and (k.id = s.id or k.person_id = s.person_id)) as recognised
    from perception_sessions s
    where s.tenant_id = :tenant and s.started_at between :earliest and :latest
        and (s.ended_at is null or s.ended_at >= :at) and {_OPEN}
    order by s.id
""")

# Events of one vehicle, whose plate was read or not, that came before session `s` and before no other.
_GATHER: Final = text(f"""
    with arrived as (
        select e.id, coalesce(encode(e.plate, 'hex'), e.id::text) as vehicle, exists (
            select from perception_sessions o where o.tenant_id = :tenant and o.id <> s.id and o.status <> 'STOPPED'
                and o.started_at between e.at and e.at + cast(:arrival as interval)) as claimed
        from perception_sessions s join cctv_events e on e.tenant_id = s.tenant_id
            and e.at between s.started_at - cast(:arrival as interval) and s.started_at
        where s.tenant_id = :tenant and s.id = :session and e.kind = 'ARRIVAL' and e.session_id is null and {_OPEN})
    update cctv_events set session_id = :session where tenant_id = :tenant and id in (select id from arrived)
        and (select count(distinct vehicle) = 1 and not bool_or(claimed) from arrived)
    returning id
""")

_UNTIE: Final = text(f"""
    update cctv_events set session_id = null, plate = null where tenant_id = :tenant and session_id = :session
        and exists (select from perception_sessions s where s.tenant_id = :tenant and s.id = :session
            and s.person_id is not null and not {_agreed("s.person_id")})
    returning id
""")

_RECOGNISED: Final = text(f"""
    select k.person_id, max(f.at) as seen_at from perception_sessions s
    join cctv_events e on e.tenant_id = s.tenant_id and e.session_id = s.id
    join cctv_events f on f.tenant_id = e.tenant_id and f.plate = e.plate
    join perception_sessions k on k.tenant_id = f.tenant_id and k.id = f.session_id
    where s.tenant_id = :tenant and s.id = :session and s.person_id is null and k.person_id is not null
        and {_agreed("k.person_id")}
    group by k.person_id order by k.person_id
""")

_OLD: Final = text("""
    with gone as (delete from cctv_events where tenant_id = :tenant and id in (
        select id from cctv_events where tenant_id = :tenant and at < :before order by at, id limit :most) returning id)
    select count(*) from gone
""")

_DISAGREED: Final = text(f"""
    with untied as (update cctv_events set session_id = null, plate = null where tenant_id = :tenant and id in (
        select e.id from cctv_events e join perception_sessions s on s.tenant_id = e.tenant_id and s.id = e.session_id
        where e.tenant_id = :tenant and s.person_id is not null and not {_agreed("s.person_id")}
        order by e.id limit :most) returning id)
    select count(*) from untied
""")

_WITNESSED: Final = text("""
    select e.camera, e.at, e.detections, t.time_zone,
        e.profiled_at is not null or e.assessed_at is not null as judged
    from cctv_events e join tenants t on t.tenant_id = e.tenant_id and t.id = e.tenant_id
    where e.tenant_id = :tenant and e.id = :event
""").columns(detections=JSON())


class SqlCctv:
    """The store of one unit's camera events."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add(self, event: CctvEvent) -> None:
        """Store an event."""
        seen = event.seen
        await self._unit.add(
            cctv_events, id=event.id, kind=seen.kind.name, camera=seen.camera, at=seen.at,
            detections=[each.stored() for each in seen.detections],
            plate=bytes.fromhex(seen.plates[0]) if seen.plates else None, session_id=event.session_id,
            sent_by_noun=event.sent_by.noun, sent_by_id=event.sent_by.id,
        )  # fmt: skip

    async def visits(self, seen: Seen, now: datetime) -> list[Visit]:
        """Return the sessions that an event may belong to and whose consents allow it."""
        given = {
            "at": seen.at, "earliest": seen.at - LONGEST_VISIT, "latest": seen.at + ARRIVAL, "now": now,
            "plates": [bytes.fromhex(token) for token in seen.plates],
        }  # fmt: skip
        rows = await self._run(_VISITS, given)
        return [Visit(row.id, row.recognised, row.began_after) for row in rows]

    async def gather(self, session_id: UUID, now: datetime) -> list[UUID]:
        """Tie to a session what arrived before it, if that is one vehicle and no other session may claim it."""
        found = await self._run(_GATHER, {"session": session_id, "now": now, "arrival": ARRIVAL})
        return sorted(found.scalars())

    async def untie(self, session_id: UUID, now: datetime) -> list[UUID]:
        """Untie the events of a session whose person did not agree to it, and forget the plate; return which."""
        return sorted((await self._run(_UNTIE, {"session": session_id, "now": now})).scalars())

    async def recognised(self, session_id: UUID, now: datetime) -> list[Recognised]:
        """Return the people at whose sessions the vehicle of a nameless visitor was seen, and who agreed to it."""
        rows = await self._run(_RECOGNISED, {"session": session_id, "now": now})
        return [Recognised(row.person_id, row.seen_at) for row in rows]

    async def forget(self, before: datetime, now: datetime, most: int) -> int:
        """Remove at most so many old events, and untie those to which nobody agrees any more; return how many."""
        old: int = (await self._run(_OLD, {"before": before, "most": most})).scalar_one()
        disagreed: int = (await self._run(_DISAGREED, {"now": now, "most": most})).scalar_one()
        return old + disagreed

    async def witnessed(self, event_id: UUID) -> Witnessed | None:
        """Return what a model may know of an event; None where it is no longer kept."""
        row = (await self._run(_WITNESSED, {"event": event_id})).one_or_none()
        if row is None:
            return None
        detections = tuple(_detection(each) for each in row.detections)
        return Witnessed(row.camera, row.at, detections, row.time_zone, row.judged)

    async def save_profile(self, event_id: UUID, profile: Profile, by: Judged) -> bool:
        """Store what a model made of an arrival; return whether the event is still kept."""
        return await self._judge(
            event_id, summary=profile.summary, profiled_at=by.at, profile_visitor_kind=profile.visitor_kind,
            profile_vehicle=profile.vehicle, profile_confidence=profile.confidence, profile_model=by.model,
            profile_prompt_version=by.prompt_version, profile_prompt_hash=by.prompt_hash,
        )  # fmt: skip

    async def save_risk(self, event_id: UUID, risk: Risk, by: Judged) -> bool:
        """Store how much a batch deserves a look; return whether the event is still kept."""
        return await self._judge(
            event_id, summary=risk.summary, assessed_at=by.at, risk_score=risk.score, risk_summary=risk.summary,
            risk_reasoning=risk.reasoning, risk_model=by.model, risk_prompt_version=by.prompt_version,
            risk_prompt_hash=by.prompt_hash,
        )  # fmt: skip

    async def _judge(self, event_id: UUID, **values: object) -> bool:
        result = await self._unit.connection.execute(
            update(cctv_events)
            .where(cctv_events.c.tenant_id == self._unit.caller.tenant_id, cctv_events.c.id == event_id)
            .values(**values)
        )
        return result.rowcount == 1

    async def _run(self, statement: Executable, given: Mapping[str, object]) -> CursorResult[Any]:
        return await self._unit.connection.execute(statement, {"tenant": self._unit.caller.tenant_id, **given})


def _detection(stored: Mapping[str, Any]) -> Detection:
    at = stored.get("at")
    return Detection(
        stored["label"], stored["confidence"], None if at is None else datetime.fromisoformat(at),
        stored.get("attributes", {}),
    )  # fmt: skip

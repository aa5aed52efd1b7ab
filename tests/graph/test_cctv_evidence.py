"""Whose visit a camera event is evidence of: by a plate that is known, or by one arrival before one session."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from db.perception.overdue import SqlOverdue
from domain import cctv
from domain.access import Caller, Role
from domain.cctv import CctvEventKind, Seen
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import cctv as cameras
from tests.factories import people, perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"
JUNIOR, SENIOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.ADMIN
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NOW = datetime.now(UTC)
ONE, OTHER = "11" * 32, "22" * 32


async def seen(
    system: System, tenant: Tenant, ago: timedelta, plate: str | None = ONE, kind: CctvEventKind = CctvEventKind.ARRIVAL
) -> UUID:
    """Let a camera see a vehicle."""
    async with system.units.write(tenant.caller(SENIOR)) as unit:
        given = () if plate is None else (plate,)
        return await cctv.keep(unit, Seen("Gate", NOW - ago, kind, given))


async def begun(owner: Owner, tenant: Tenant, ago: timedelta, person_id: UUID | None = None, **values: Any) -> UUID:
    """Make a session that runs since a while, as if it had begun while no event was kept."""
    consent = await perception.consent(
        owner, tenant, granted_at=NOW - ago - MINUTE, person_id=person_id, recorded_by_id=tenant.users[JUNIOR],
        subject_kind="VISITOR" if person_id is None else "PERSON",
    )  # fmt: skip
    return await perception.session(
        owner, tenant, consent_id=consent, started_by_id=tenant.users[JUNIOR], started_at=NOW - ago,
        person_id=person_id, **values,
    )  # fmt: skip


async def starts(api: Api, owner: Owner, tenant: Tenant, person_id: UUID | None = None) -> UUID:
    """Begin a session now."""
    consent = await perception.consent(
        owner, tenant, granted_at=NOW - DAY, person_id=person_id, recorded_by_id=tenant.users[JUNIOR],
        subject_kind="VISITOR" if person_id is None else "PERSON",
    )  # fmt: skip
    data = await api.data("PerceptionSessionStart", role=JUNIOR, consentId=f"consent_{consent}", surface="KIOSK")
    return UUID(data["perceptionSessionStart"]["session"]["id"].removeprefix("session_"))


async def client_of(owner: Owner, tenant: Tenant, *, agrees: bool) -> UUID:
    """Make a person of the junior's, who agreed to cameras or did not."""
    person_id = await people.client(owner, tenant)
    if agrees:
        await perception.consent(
            owner, tenant, granted_at=NOW - 90 * DAY, person_id=person_id, modality="CCTV",
            recorded_by_id=tenant.users[JUNIOR],
        )  # fmt: skip
    return person_id


async def tied(owner: Owner, tenant: Tenant) -> dict[UUID, UUID | None]:
    return {row["id"]: row["session_id"] for row in await rows_of(owner, "cctv_events", tenant.id)}


async def test_the_one_vehicle_before_the_one_session_is_its_visitors(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    too_early = await seen(system, tenant, 31 * MINUTE, OTHER)
    at_the_gate, at_the_door = [await seen(system, tenant, ago * MINUTE) for ago in (10, 8)]
    elsewhere = await seen(system, tenant, 5 * MINUTE, OTHER, CctvEventKind.SIGHTING)
    session_id = await starts(api, owner_connection, tenant)

    assert await tied(owner_connection, tenant) == {
        too_early: None, at_the_gate: session_id, at_the_door: session_id, elsewhere: None
    }  # fmt: skip
    kinds = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert kinds == [*["CctvEventAdded"] * 4, "PerceptionSessionStarted", *["CctvEventTied"] * 2]
    shown = await api.data(
        "query($id: ID!) { perceptionSession(id: $id)"
        " { cctvEvents { totalCount edges { node { id session { id } } } } } }",
        role=JUNIOR, id=f"session_{session_id}",
    )  # fmt: skip
    assert shown["perceptionSession"]["cctvEvents"] == {
        "totalCount": 2,
        "edges": [
            {"node": {"id": f"cctvevent_{each}", "session": {"id": f"session_{session_id}"}}}
            for each in (at_the_door, at_the_gate)
        ],
    }


@pytest.mark.parametrize("plates", [(ONE, OTHER), (ONE, None), (None, None)])
async def test_of_two_vehicles_neither_is_taken(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, plates: tuple[str | None, str | None]
) -> None:
    for place, plate in enumerate(plates):
        await seen(system, tenant, (5 + place) * MINUTE, plate)
    await starts(api, owner_connection, tenant)

    assert set((await tied(owner_connection, tenant)).values()) == {None}


async def test_one_vehicle_whose_plate_was_not_read_is_enough(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    event_id = await seen(system, tenant, 5 * MINUTE, None)
    session_id = await starts(api, owner_connection, tenant)

    assert await tied(owner_connection, tenant) == {event_id: session_id}


async def test_of_two_sessions_neither_gets_it(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    for ago in (9, 6):
        await begun(owner_connection, tenant, ago * MINUTE)
    late = await seen(system, tenant, 10 * MINUTE)
    await starts(api, owner_connection, tenant)

    assert await tied(owner_connection, tenant) == {late: None}


async def test_an_event_that_comes_late_finds_the_session_that_has_begun(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    session_id = await begun(owner_connection, tenant, 6 * MINUTE)
    before = await seen(system, tenant, 10 * MINUTE)
    # It came while the visitor was inside already: only a plate that is known there could tie it.
    during = await seen(system, tenant, 3 * MINUTE, OTHER)
    again = await seen(system, tenant, 2 * MINUTE, ONE, CctvEventKind.SIGHTING)

    assert await tied(owner_connection, tenant) == {before: session_id, during: None, again: session_id}


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED"])
async def test_a_session_that_has_ended_may_have_been_the_one(
    system: System, tenant: Tenant, owner_connection: Owner, status: str
) -> None:
    session_id = await begun(owner_connection, tenant, 6 * MINUTE, status=status, ended_at=NOW - 2 * MINUTE)
    before, after = [await seen(system, tenant, ago * MINUTE) for ago in (10, 1)]

    expected = session_id if status == "COMPLETED" else None
    assert await tied(owner_connection, tenant) == {before: expected, after: None}


async def test_a_batch_of_detections_belongs_to_no_session(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    event_id = await seen(system, tenant, 5 * MINUTE, None, CctvEventKind.DETECTIONS)
    await starts(api, owner_connection, tenant)

    assert await tied(owner_connection, tenant) == {event_id: None}


@pytest.mark.parametrize("agrees", [True, False])
async def test_who_has_a_name_is_tied_to_what_cameras_see_only_if_they_agreed(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, *, agrees: bool
) -> None:
    person_id = await client_of(owner_connection, tenant, agrees=agrees)
    earlier = await begun(
        owner_connection, tenant, 9 * DAY, person_id, status="COMPLETED", ended_at=NOW - 9 * DAY + MINUTE
    )
    await cameras.event(owner_connection, tenant, at=NOW - 9 * DAY, session_id=earlier, plate=bytes.fromhex(ONE))
    arrived = await seen(system, tenant, 5 * MINUTE, ONE)
    session_id = await starts(api, owner_connection, tenant, person_id)
    recognised = await seen(system, tenant, -1 * MINUTE, ONE, CctvEventKind.SIGHTING)

    found = await tied(owner_connection, tenant)
    assert (found[arrived], found[recognised]) == ((session_id, session_id) if agrees else (None, None))


async def test_a_visitor_who_gets_a_name_and_did_not_agree_loses_the_evidence(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    agreed, not_agreed = [await client_of(owner_connection, tenant, agrees=each) for each in (True, False)]
    kept = await begun(owner_connection, tenant, 90 * MINUTE)
    lost = await begun(owner_connection, tenant, 6 * MINUTE)
    events = [await seen(system, tenant, ago * MINUTE, plate) for ago, plate in ((95, ONE), (10, OTHER))]
    assert await tied(owner_connection, tenant) == dict(zip(events, (kept, lost), strict=True))

    for session_id, person_id in ((kept, agreed), (lost, not_agreed)):
        await api.data(
            "PerceptionSessionMatch", role=JUNIOR, sessionId=f"session_{session_id}",
            target={"personId": f"person_{person_id}"},
        )  # fmt: skip

    rows = await rows_of(owner_connection, "cctv_events", tenant.id)
    assert [(row["session_id"], row["plate"]) for row in rows] == [(kept, bytes.fromhex(ONE)), (None, None)]


@pytest.mark.parametrize("modality", ["FACE", "CCTV"])
async def test_a_withdrawal_erases_what_cameras_saw(
    api: Api, tenant: Tenant, owner_connection: Owner, modality: str
) -> None:
    person_id = await client_of(owner_connection, tenant, agrees=True)
    session_id = await begun(owner_connection, tenant, 6 * MINUTE, person_id)
    await perception.score(owner_connection, tenant, person_id=person_id, at=NOW, score=50.0, session_id=session_id)
    await cameras.event(owner_connection, tenant, session_id=session_id, plate=bytes.fromhex(ONE))
    unrelated = await cameras.event(owner_connection, tenant)
    consent_id = await owner_connection.fetchval(
        "SELECT id FROM consents WHERE person_id = $1 AND modality = $2", person_id, modality
    )

    data = await api.data("ConsentWithdraw", role=JUNIOR, consentId=f"consent_{consent_id}")

    erasure = await api.data(
        "query($id: ID!) { erasure(id: $id) { status receipts { store rows } } }", role=JUNIOR,
        id=data["consentWithdraw"]["erasure"]["id"],
    )  # fmt: skip
    rows = {each["store"]: each["rows"] for each in erasure["erasure"]["receipts"]}
    # What was measured of the face rests on the other consent.
    assert (erasure["erasure"]["status"], rows["cctv_events"], rows["qd_scores"]) == (
        "DONE", 1, 1 if modality == "FACE" else 0
    )  # fmt: skip
    assert list(await tied(owner_connection, tenant)) == [unrelated]


async def test_old_events_go_and_evidence_goes_with_the_consent(
    system: System, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    agreed, ended = [await client_of(owner_connection, tenant, agrees=each) for each in (True, False)]
    await perception.consent(
        owner_connection, tenant, granted_at=NOW - 9 * DAY, expires_at=NOW - DAY, person_id=ended, modality="CCTV"
    )
    sessions = [await begun(owner_connection, tenant, 2 * DAY, person_id) for person_id in (agreed, ended)]
    plate = bytes.fromhex(ONE)
    kept, untied = [
        await cameras.event(owner_connection, tenant, at=NOW - 2 * DAY, session_id=session_id, plate=plate)
        for session_id in sessions
    ]
    for age in (91, 95, 99):
        await cameras.event(owner_connection, tenant, at=NOW - age * DAY)

    class Here:
        async def watched(self) -> Any:
            async for caller, tenant_id in SqlOverdue(write_engine).watched():
                if tenant_id == tenant.id:
                    yield caller, tenant_id

    done = await cctv.sweep(system.units, Here(), NOW - 90 * DAY, most=2)

    assert done == 4
    rows = await rows_of(owner_connection, "cctv_events", tenant.id)
    assert [(row["id"], row["session_id"], row["plate"]) for row in rows] == [
        (kept, sessions[0], plate), (untied, None, None)
    ]  # fmt: skip
    told = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert told == ["CctvEventsForgotten"] * 2


async def test_who_sees_which_event(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    session_id = await begun(owner_connection, tenant, 6 * MINUTE)
    mine = await cameras.event(owner_connection, tenant, session_id=session_id, camera="Gate")
    nobodys = await cameras.event(owner_connection, tenant, camera="Lobby", at=NOW - DAY)

    async def listed(caller: Caller, **filter_: Any) -> list[str]:
        data = await api.data("CctvEvents", caller=caller, first=10, filter=filter_)
        return [edge["node"]["id"] for edge in data["cctvEvents"]["edges"]]

    first, second = f"cctvevent_{mine}", f"cctvevent_{nobodys}"
    assert await listed(tenant.caller(JUNIOR)) == [first]
    assert await listed(Caller(tenant.id, new_id(), JUNIOR, ())) == []
    for role in (SENIOR, Role.SALES_DIRECTOR, ADMIN):
        assert await listed(tenant.caller(role)) == [first, second]
    assert await listed(tenant.caller(), cameras=["Lobby", "Door"]) == [second]
    assert await listed(tenant.caller(), cameras=[]) == []
    assert await listed(tenant.caller(), **{"from": (NOW - MINUTE).isoformat()}) == [first]
    assert await listed(tenant.caller(), to=(NOW - DAY).isoformat()) == []


async def test_an_event_shows_no_plate(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    await cameras.event(owner_connection, tenant, plate=bytes.fromhex(ONE))

    types: Answer = await api.data('{ __type(name: "CctvEvent") { fields { name } } }', role=ADMIN)

    names = [each["name"] for each in types["__type"]["fields"]]
    assert sorted(names) == ["at", "camera", "id", "profile", "risk", "session", "summary"]

"""Auto mode: a visitor whose vehicle is known is proposed to be somebody, and a person decides."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain import perception as domain
from domain.access import Role
from domain.cctv.matching import finalise
from tests.api import Answer, Api
from tests.factories import cctv as cameras
from tests.factories import people, perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"
JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
NOW = datetime.now(UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CAR, OTHER = bytes([1]) * 32, bytes([2]) * 32


@pytest.fixture(autouse=True)
def matching(api: Api) -> None:
    """An installation as it is wired: what follows a session is told to the context."""
    api.after_session = finalise


async def client_of(owner: Owner, tenant: Tenant, *, car: bytes = CAR, agrees: bool = True, ago: int = 9) -> UUID:
    """Make a person of the junior's who came in a car some days ago, and agreed to cameras."""
    person_id = await people.client(owner, tenant)
    given: dict[str, Any] = {"person_id": person_id, "recorded_by_id": tenant.users[JUNIOR]}
    if agrees:
        await perception.consent(owner, tenant, granted_at=NOW - 20 * DAY, modality="CCTV", **given)
    consent = await perception.consent(owner, tenant, granted_at=NOW - 20 * DAY, **given)
    began = NOW - ago * DAY
    earlier = await perception.session(
        owner, tenant, consent_id=consent, started_by_id=tenant.users[JUNIOR], person_id=person_id, started_at=began,
        status="COMPLETED", ended_at=began + MINUTE,
    )  # fmt: skip
    await cameras.event(owner, tenant, at=began - MINUTE, session_id=earlier, plate=car)
    return person_id


async def visitor_of(owner: Owner, tenant: Tenant, car: bytes | None = CAR) -> UUID:
    """Make the running session of somebody without a name who came in a car."""
    consent = await perception.consent(
        owner, tenant, granted_at=NOW - DAY, subject_kind="VISITOR", recorded_by_id=tenant.users[JUNIOR]
    )
    session_id = await perception.session(
        owner, tenant, consent_id=consent, started_by_id=tenant.users[JUNIOR], started_at=NOW - 10 * MINUTE
    )
    await cameras.event(owner, tenant, at=NOW - 15 * MINUTE, session_id=session_id, plate=car)
    return session_id


async def completed(api: Api, session_id: UUID) -> None:
    data = await api.data("PerceptionSessionComplete", role=JUNIOR, sessionId=f"session_{session_id}")
    assert data["perceptionSessionComplete"]["session"]["status"] == "COMPLETED"


async def queue(api: Api) -> list[Answer]:
    page = (await api.data("ProposalQueue", role=SENIOR, first=5))["proposals"]
    return [edge["node"] for edge in page["edges"]]


async def decided(api: Api, proposal: Answer, decision: str = "APPROVE") -> Answer:
    data = await api.data("ProposalDecide", role=SENIOR, proposalId=proposal["id"], decision=decision)
    found: Answer = data["proposalDecide"]
    return found


async def test_who_came_in_a_known_car_is_proposed_and_approved(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await client_of(owner_connection, tenant)
    session_id = await visitor_of(owner_connection, tenant)
    for _ in range(2):
        await completed(api, session_id)

    [proposal] = await queue(api)
    assert (proposal["kind"], proposal["status"], proposal["subject"]["id"]) == (
        "MATCH", "PENDING", f"person_{person_id}"
    )  # fmt: skip
    assert proposal["changes"] == [{"field": "session", "before": None, "after": {"id": f"session_{session_id}"}}]
    day = NOW - 9 * DAY - MINUTE
    assert [each["text"] for each in proposal["evidence"]] == [
        f"The same vehicle was seen at a session on {day:%Y-%m-%d}."
    ]
    assert (proposal["source"]["kind"], proposal["source"]["model"]) == ("RULES", None)
    sessions = {
        row["id"]: row["person_id"] for row in await rows_of(owner_connection, "perception_sessions", tenant.id)
    }
    assert sessions[session_id] is None

    assert (await decided(api, proposal))["proposal"]["status"] == "APPROVED"

    sessions = {
        row["id"]: row["person_id"] for row in await rows_of(owner_connection, "perception_sessions", tenant.id)
    }
    assert sessions[session_id] == person_id
    # They agreed to cameras: what these saw goes on being evidence of the visit.
    assert session_id in {row["session_id"] for row in await rows_of(owner_connection, "cctv_events", tenant.id)}


async def test_a_rejected_match_leaves_the_visitor_without_a_name(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    await client_of(owner_connection, tenant)
    session_id = await visitor_of(owner_connection, tenant)
    await completed(api, session_id)
    [proposal] = await queue(api)

    assert (await decided(api, proposal, "REJECT"))["proposal"]["status"] == "REJECTED"

    await completed(api, session_id)
    assert len(await queue(api)) == 1
    assert (
        await owner_connection.fetchval("SELECT person_id FROM perception_sessions WHERE id = $1", session_id) is None
    )


async def test_nobody_is_proposed_whom_the_vehicle_does_not_tell(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    await client_of(owner_connection, tenant, car=OTHER)
    await client_of(owner_connection, tenant, car=bytes([3]) * 32, agrees=False)
    for ago in (9, 8):
        await client_of(owner_connection, tenant, car=bytes([4]) * 32, ago=ago)
    for car in (CAR, None, bytes([3]) * 32, bytes([4]) * 32):
        await completed(api, await visitor_of(owner_connection, tenant, car))

    assert await queue(api) == []


@pytest.mark.parametrize("change", ["the consent has ended", "another was recognised", "it is known who it was"])
async def test_a_match_that_was_overtaken_is_not_made(
    api: Api, tenant: Tenant, owner_connection: Owner, change: str
) -> None:
    person_id = await client_of(owner_connection, tenant)
    session_id = await visitor_of(owner_connection, tenant)
    await completed(api, session_id)
    [proposal] = await queue(api)
    match change:
        case "the consent has ended":
            await owner_connection.execute(
                "UPDATE consents SET withdrawn_at = now() WHERE person_id = $1 AND modality = 'CCTV'", person_id
            )
        case "another was recognised":
            await client_of(owner_connection, tenant)
        case _:
            await api.data(
                "PerceptionSessionMatch", role=JUNIOR, sessionId=f"session_{session_id}",
                target={"newLead": {"fullName": "Meera Iyer"}},
            )  # fmt: skip

    assert (await decided(api, proposal))["code"] == "CONFLICT"

    assert [each["status"] for each in await queue(api)] == ["EXPIRED"]


async def test_a_session_that_nobody_ended_is_finalised_too(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    await client_of(owner_connection, tenant)
    session_id = await visitor_of(owner_connection, tenant)

    async with system.units.write(tenant.caller()) as unit:
        assert await domain.complete_if_left(unit, session_id, NOW, finalise)

    assert len(await queue(api)) == 1

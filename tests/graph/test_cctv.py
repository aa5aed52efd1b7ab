"""What bridges send, through the schema: kept once with its job, without the plate, within bounds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from asyncpg import Connection, Record

from domain.access import Caller, Role
from domain.cctv import PlateKey
from tests.api import Answer, Api
from tests.factories import access
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"
JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
PLATE = "MH 12 AB 1234"
SEEN = [{"label": "car", "confidence": 0.93, "attributes": {"colour": "white", "make": "Kia"}}]
BATCH = [
    {"label": "person", "confidence": 0.8, "at": (NOW - MINUTE).isoformat()},
    {"label": "car", "confidence": 0.9, "at": (NOW - 2 * MINUTE).isoformat()},
]


async def bridge(owner: Owner, tenant: Tenant, role: Role = SENIOR) -> Caller:
    """Make the API key of a bridge."""
    key = await access.api_key(owner, tenant, role=role.name)
    return Caller(tenant.id, None, role, (), api_key_id=key)


async def ingested(api: Api, caller: Caller, key: str = "one", **given: Any) -> Answer:
    sent = {"camera": "Gate", "at": NOW.isoformat(), "idempotencyKey": key, **given}
    found: Answer = (await api.data("CctvEventIngest", caller=caller, input=sent))["cctvEventIngest"]
    return found


async def submitted(api: Api, caller: Caller, **given: Any) -> Answer:
    sent = {"camera": "Gate", "detections": BATCH, **given}
    found: Answer = (await api.data("DetectionBatchSubmit", caller=caller, input=sent))["detectionBatchSubmit"]
    return found


async def test_an_event_and_its_job_are_one_unit(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    caller = await bridge(owner_connection, tenant)

    answer = await ingested(api, caller, plate=PLATE, detections=SEEN)

    [event] = await rows_of(owner_connection, "cctv_events", tenant.id)
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert answer == {
        "__typename": "CctvEventIngestPayload",
        "event": {"id": f"cctvevent_{event['id']}", "at": answer["event"]["at"]},
        "job": {"id": f"job_{job['id']}", "status": "QUEUED"},
    }
    assert datetime.fromisoformat(answer["event"]["at"]) == NOW
    assert (event["kind"], event["camera"], json.loads(event["detections"])) == ("ARRIVAL", "Gate", SEEN)
    assert (event["sent_by_noun"], event["sent_by_id"]) == ("api_keys", caller.api_key_id)
    assert (job["task"], job["subject_noun"], job["subject_id"]) == ("CCTV_PROFILER", "cctv_events", event["id"])


async def test_an_event_that_is_sent_again_is_kept_once(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    caller = await bridge(owner_connection, tenant)

    first, again = [await ingested(api, caller, plate=plate) for plate in (PLATE, "mh-12-ab-1234")]
    other = await ingested(api, caller, plate="MH 12 AB 1235")
    second = await ingested(api, caller, "two", plate=PLATE)

    assert (again, other["code"], other["field"]) == (first, "CONFLICT", "idempotencyKey")
    assert second["event"]["id"] != first["event"]["id"]
    for table in ("cctv_events", "jobs"):
        assert len(await rows_of(owner_connection, table, tenant.id)) == 2


async def test_no_row_holds_the_plate(
    api: Api, tenant: Tenant, owner_connection: Owner, superuser_connection: Owner
) -> None:
    await ingested(api, await bridge(owner_connection, tenant), plate=PLATE, detections=SEEN)

    [event] = await rows_of(owner_connection, "cctv_events", tenant.id)
    cameras = api.system.cameras
    assert event["plate"].hex() == cameras.plates.tokens(tenant.id, "MH12AB1234")[0]
    assert event["plate"].hex() != PlateKey(b"").tokens(tenant.id, "MH12AB1234")[0]
    tables = await superuser_connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"
    )
    for [table] in tables:
        rows = await superuser_connection.fetch(f'SELECT r::text AS row FROM "{table}" r')
        assert [row["row"] for row in rows if "AB1234" in row["row"].replace(" ", "").upper()] == [], table


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"camera": "  "}, "camera"),
        ({"at": (NOW + timedelta(hours=1)).isoformat()}, "at"),
        ({"at": (NOW - timedelta(days=8)).isoformat()}, "at"),
        ({"plate": "?"}, "plate"),
        ({"plate": PLATE, "detections": [{"label": "car MH12AB1234", "confidence": 1}]}, "detections.0.label"),
        ({"detections": {"label": "car"}}, "detections"),
        ({"detections": [{"label": "car", "confidence": 1, "owner": "Asha"}]}, "detections.0"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
    ],
)
async def test_what_is_no_event_is_refused_whole(
    api: Api, tenant: Tenant, owner_connection: Owner, given: dict[str, Any], field: str
) -> None:
    answer = await ingested(api, await bridge(owner_connection, tenant), **given)

    assert (answer["code"], answer["field"]) == ("INVALID", field)
    assert "1234" not in json.dumps(answer)
    for table in ("cctv_events", "jobs", "idempotency_keys"):
        assert await owner_connection.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant.id) == 0


async def test_a_batch_is_an_event_at_its_last_detection(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    caller = await bridge(owner_connection, tenant)

    answers = [await submitted(api, caller, idempotencyKey="one") for _ in range(2)]

    [event] = await rows_of(owner_connection, "cctv_events", tenant.id)
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (
        answers
        == [{"__typename": "DetectionBatchSubmitPayload", "job": {"id": f"job_{job['id']}", "status": "QUEUED"}}] * 2
    )
    assert (event["kind"], event["at"], event["session_id"]) == ("DETECTIONS", NOW - MINUTE, None)
    assert [each["label"] for each in json.loads(event["detections"])] == ["car", "person"]
    assert (job["task"], job["subject_id"]) == ("RISK_ANALYZER", event["id"])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"detections": []}, "detections"),
        ({"detections": BATCH * 51}, "detections"),
        ({"detections": [BATCH[0] | {"label": ""}]}, "detections.0.label"),
        ({"detections": [BATCH[0], BATCH[1] | {"confidence": 1.5}]}, "detections.1.confidence"),
        ({"detections": [BATCH[0], BATCH[1] | {"at": (NOW + timedelta(hours=1)).isoformat()}]}, "detections.1.at"),
        ({"camera": ""}, "camera"),
    ],
)
async def test_what_is_no_batch_is_refused(
    api: Api, tenant: Tenant, owner_connection: Owner, given: dict[str, Any], field: str
) -> None:
    answer = await submitted(api, await bridge(owner_connection, tenant), **given)

    assert (answer["code"], answer["field"]) == ("INVALID", field)
    assert await rows_of(owner_connection, "cctv_events", tenant.id) == []


async def test_a_junior_sends_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    for caller in (tenant.caller(JUNIOR), await bridge(owner_connection, tenant, JUNIOR)):
        for answer in (await ingested(api, caller), await submitted(api, caller)):
            assert answer["code"] == "NOT_ALLOWED"


async def test_another_tenant_knows_no_vehicle_of_ours(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    there = Api(api.system, other_tenant)
    await ingested(api, await bridge(owner_connection, tenant), plate=PLATE)
    await ingested(there, await bridge(owner_connection, other_tenant), plate=PLATE)

    plates = [(await rows_of(owner_connection, "cctv_events", each.id))[0]["plate"] for each in (tenant, other_tenant)]
    assert plates[0] != plates[1]

"""What cameras saw, from the bridge to the screen: a key sends it, a worker asks a model, a senior reads it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Caller, Role
from domain.inference import ProviderKind
from tests.api import Api
from tests.app.test_batches_walk import ended, working
from tests.factories import access
from tests.factories.access import Tenant
from tests.fake_llm import FakeLlm, Say

pytestmark = pytest.mark.usefixtures("nobodys_jobs")

SENIOR = Role.SENIOR_BROKER
NOW = datetime.now(UTC).replace(microsecond=0)
PLATE = "MH 12 AB 1234"
INVENTED = {"visitor_kind": None, "vehicle": "black SUV", "confidence": 0.8, "summary": "An SUV came."}
PROFILE = {"visitor_kind": "individual", "vehicle": "white car", "confidence": 0.8, "summary": "A white car came."}
RISK = {"score": 88, "summary": "A window is broken.", "reasoning": "Glass breaks, then somebody is inside."}


@pytest.fixture
async def fake() -> AsyncIterator[FakeLlm]:
    async with FakeLlm(ProviderKind.VLLM).serving() as server:
        yield server


def answering(body: Any) -> Say:
    """Invent a vehicle the first time, and keep to the detections when asked once more."""
    asked = [each["content"] for each in body["messages"]]
    if any("Judge this batch." in each for each in asked):
        return Say(json.dumps(RISK))
    return Say(json.dumps(PROFILE if len(asked) > 2 else INVENTED))


async def test_what_a_bridge_sends_is_profiled_and_scored(
    api: Api, system: System, tenant: Tenant, fake: FakeLlm, tmp_path: Path, owner_connection: "Connection[Record]"
) -> None:
    fake.otherwise = answering
    key = await access.api_key(owner_connection, tenant, role=SENIOR.name)
    bridge = Caller(tenant.id, None, SENIOR, (), api_key_id=key)
    seen = [{"label": "car", "confidence": 0.9, "attributes": {"colour": "white"}}]
    arrival = {"camera": "Gate", "at": NOW.isoformat(), "plate": PLATE, "detections": seen, "idempotencyKey": "1"}
    batch = [{"label": "broken window", "confidence": 0.7, "at": (NOW - timedelta(minutes=5)).isoformat()}]

    sent = await api.data("CctvEventIngest", caller=bridge, input=arrival)
    scored = await api.data("DetectionBatchSubmit", caller=bridge, input={"camera": "Lobby", "detections": batch})
    async with working(system, fake, tmp_path):
        job_ids = [sent["cctvEventIngest"]["job"]["id"], scored["detectionBatchSubmit"]["job"]["id"]]
        done = [await ended(api, job_id, Role.ADMIN) for job_id in job_ids]

    assert [(each["status"], each["task"], each["completedCount"], each["model"]) for each in done] == [
        ("SUCCEEDED", task, 1, "m1") for task in ("CCTV_PROFILER", "RISK_ANALYZER")
    ]
    first, second = [
        edge["node"] for edge in (await api.data("CctvEvents", role=SENIOR, first=5))["cctvEvents"]["edges"]
    ]
    assert (first["camera"], first["summary"], first["risk"]) == ("Gate", "A white car came.", None)
    assert first["profile"] == {
        "visitorKind": "individual", "vehicle": "white car", "confidence": 0.8, "model": "m1", "promptVersion": "2",
    }  # fmt: skip
    assert (second["camera"], second["profile"], second["risk"]) == (
        "Lobby", None, {**RISK, "level": "CRITICAL", "source": "MODEL"}
    )  # fmt: skip
    # No model's server was told the plate.
    assert "1234" not in str([each.body for each in fake.received])

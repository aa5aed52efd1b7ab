"""What models say of a lead and of a visit: asked for by clients, done by a worker, decided by a person."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Role
from domain.inference import ProviderKind
from domain.perception import request_refining
from tests.api import Api
from tests.app.test_batches_walk import ended, working
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.fake_llm import FakeLlm, Say
from tests.graph.test_lead_tags import CASH, lead_of
from tests.graph.test_refining import OPINION, measured, shown

pytestmark = pytest.mark.usefixtures("nobodys_jobs")

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER


@pytest.fixture
async def fake() -> AsyncIterator[FakeLlm]:
    async with FakeLlm(ProviderKind.VLLM).serving() as server:
        yield server


async def test_tags_come_from_a_worker_and_wait_for_a_senior(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, fake: FakeLlm, tmp_path: Path
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)
    fake.otherwise = Say(CASH)
    async with working(system, fake, tmp_path):
        asked = (await api.data("LeadTag", role=JUNIOR, leadId=f"lead_{lead_id}"))["leadTag"]["job"]
        job = await ended(api, asked["id"])
    assert (job["status"], job["model"], job["error"]) == ("SUCCEEDED", "m1", None)

    [edge] = (await api.data("ProposalQueue", role=JUNIOR, first=5, filter={"status": "PENDING"}))["proposals"]["edges"]
    proposal: Any = edge["node"]
    assert proposal["changes"] == [{"field": "tags", "before": [], "after": ["cash"]}]
    assert proposal["source"] == {
        "kind": "MODEL", "model": "m1", "promptVersion": "lead_tagger/1",
        "job": {"__typename": "InferenceJob", "id": asked["id"]},
    }  # fmt: skip
    # The worker does what other tenants have asked for too.
    assert [each for each in fake.asked if "we pay in cash" in json.dumps(each.body)]

    decided = await api.data("ProposalDecide", role=SENIOR, proposalId=proposal["id"], decision="APPROVE")
    assert decided["proposalDecide"]["proposal"]["status"] == "APPROVED"
    [lead] = await rows_of(owner_connection, "leads", tenant.id)
    assert lead["tags"] == ["cash"]


async def test_a_visit_has_a_second_opinion(
    api: Api, system: System, owner_connection: Owner, fake: FakeLlm, tmp_path: Path
) -> None:
    api.after_session = request_refining
    session_id, _ = await measured(api, owner_connection)
    fake.otherwise = Say(OPINION)
    async with working(system, fake, tmp_path):
        await api.data("PerceptionSessionComplete", role=JUNIOR, sessionId=session_id)
        [job] = await rows_of(owner_connection, "jobs", api.tenant.id)
        assert (await ended(api, f"job_{UUID(str(job['id']))}"))["status"] == "SUCCEEDED"
    found = await shown(api, session_id)
    assert (found["refinedQd"]["score"], found["refinedQd"]["source"]) == (71.5, "MODEL")
    assert found["finalQd"]["source"] == "RULES"

"""A consent that ends while a worker waits for a model's answer: the worker hangs up, and what it hears is not kept."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Role
from domain.inference import ProviderKind
from tests.api import Api
from tests.app.test_batches_walk import ended, working
from tests.factories import perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.fake_llm import Behaviour, FakeLlm, Json, Say, Stall
from tests.graph.test_consents import withdrawn
from tests.graph.test_lead_tags import lead_of
from tests.serving import PATIENCE

pytestmark = pytest.mark.usefixtures("nobodys_jobs")

Owner: TypeAlias = "Connection[Record]"

JUNIOR = Role.JUNIOR_BROKER


@pytest.fixture
async def fake() -> AsyncIterator[FakeLlm]:
    async with FakeLlm(ProviderKind.VLLM).serving() as server:
        yield server


@pytest.fixture
async def lead(owner_connection: Owner, tenant: Tenant) -> UUID:
    """A lead of Leena Sharma's."""
    return (await lead_of(owner_connection, tenant))[0]


@pytest.fixture
async def consent(owner_connection: Owner, tenant: Tenant, lead: UUID) -> str:
    """What Leena Sharma consented to."""
    [person] = await rows_of(owner_connection, "people", tenant.id)
    assert lead is not None
    consent_id = await perception.consent(
        owner_connection, tenant, person_id=person["id"], granted_at=datetime.now(UTC) - timedelta(days=1),
        recorded_by_id=tenant.users[JUNIOR],
    )  # fmt: skip
    return f"consent_{consent_id}"


async def until(holds: Callable[[], bool]) -> None:
    never = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.wait([never], timeout=0.02)


async def test_a_worker_that_waits_for_an_answer_about_somebody_hangs_up(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, fake: FakeLlm, lead: UUID, consent: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    fake.otherwise = Stall()
    async with working(system, fake, tmp_path) as worker:
        asked = (await api.data("LeadTag", role=JUNIOR, leadId=f"lead_{lead}"))["leadTag"]["job"]
        await until(lambda: bool(fake.asked))
        await withdrawn(api, consent)
        async with asyncio.timeout(PATIENCE):
            await fake.gone.wait()
        await until(lambda: not worker.running)
    assert (await ended(api, asked["id"]))["status"] == "CANCELLED"
    assert await rows_of(owner_connection, "proposals", tenant.id) == []
    assert worker.ended["LOST"] == 1


async def test_a_batch_goes_on_without_those_who_are_erased(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, fake: FakeLlm, consent: str, tmp_path: Path
) -> None:
    """The worker that has the batch takes it again at once, and its older attempt ends beside the new one."""
    stalled = Stall(then=Say("About her."))

    def answer(body: Json) -> Behaviour:
        return stalled if "Leena" in json.dumps(body) else Say("About the flat.")

    fake.otherwise = answer
    items = [
        {"requestId": name, "messages": [{"role": "user", "content": f"What of {name}?"}]}
        for name in ("Leena", "Leena Sharma", "the flat")
    ]
    async with working(system, fake, tmp_path) as worker:
        given = {"task": "CHAT", "items": items}
        asked = (await api.data("InferenceSubmit", role=JUNIOR, input=given))["inferenceSubmit"]["job"]
        # Both places of the provider wait for answers about her.
        await until(lambda: fake.running == 2)
        await withdrawn(api, consent)
        # Soon: not when the older attempt would have found out by itself.
        async with asyncio.timeout(30):
            job = await ended(api, asked["id"])
        stalled.released.set()
        await until(lambda: not worker.running)
    assert (job["status"], job["submittedCount"], job["completedCount"]) == ("SUCCEEDED", 3, 1)
    [row] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (row["attempt"], row["max_attempts"]) == (2, 4)
    [left] = await rows_of(owner_connection, "inference_items", tenant.id)
    assert (left["request_id"], left["output_text"]) == ("the flat", "About the flat.")
    assert worker.ended == {"SUCCEEDED": 1, "LOST": 1}

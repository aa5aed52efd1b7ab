"""A batch from its submission to its answers: the graph, a worker as the product wires it, and a model's server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.inference import routing
from app.ports import listening
from app.wiring import System
from app.worker.handlers import handlers, opened
from app.worker.running import made
from app.worker.working import Worker
from db.jobs.slots import SqlSlots
from domain.access import Role
from domain.inference import ProviderKind
from domain.jobs import FINISHED, JobKind, SlotKind
from tests.api import Api, operation
from tests.fake_llm import FakeLlm, Say
from tests.graph.streams import Served, cursor

pytestmark = pytest.mark.usefixtures("nobodys_jobs")

JUNIOR = Role.JUNIOR_BROKER
RISK = '{"score": 70, "summary": "Somebody climbs the gate.", "reasoning": "It is night."}'


@asynccontextmanager
async def working(system: System, fake: FakeLlm, folder: Path) -> AsyncIterator[Worker]:
    """Run a worker beside the system, as `velocity worker` does, with one provider of two places."""
    path = folder / "models.toml"
    path.write_text(
        f'[[providers]]\nname = "walk"\nkind = "VLLM"\nurl = "{fake.url}"\nmodel = "m1"\nat_once = 2\n',
        encoding="utf-8",
    )
    settings = system.settings.model_copy(update={"inference_settings": path, "data_dir": folder})
    slots = SqlSlots(system.engine)
    async with (
        listening(system.database.app, settings.look_seconds) as bus,
        routing(settings, system.pool) as router,
        opened(settings, system.uploads, slots, system.units, router) as parts,
        made(settings, system.database.app, bus, [JobKind.INFERENCE], handlers(parts)) as worker,
    ):
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.drain()
            await running
            await slots.declare(SlotKind.LLM, "walk", 0)


async def ended(api: Api, job_id: str, role: Role = JUNIOR) -> Any:
    never = asyncio.get_running_loop().create_future()
    while True:
        job = (await api.data("InferenceJob", role=role, id=job_id, first=100))["inferenceJob"]
        if job["status"] in {status.name for status in FINISHED}:
            return job
        await asyncio.wait([never], timeout=0.05)


async def submitted(api: Api, task: str, count: int) -> str:
    items = [
        {"requestId": f"req_{number:03}", "messages": [{"role": "user", "content": f"Number {number}."}]}
        for number in range(count)
    ]
    answer = await api.data("InferenceSubmit", role=JUNIOR, input={"task": task, "items": items})
    job_id: str = answer["inferenceSubmit"]["job"]["id"]
    return job_id


@pytest.fixture
async def fake() -> AsyncIterator[FakeLlm]:
    async with FakeLlm(ProviderKind.VLLM).serving() as server:
        yield server


async def test_a_batch_of_twenty_is_answered_by_a_worker(
    api: Api, system: System, fake: FakeLlm, tmp_path: Path
) -> None:
    job_id = await submitted(api, "CHAT", 20)
    async with working(system, fake, tmp_path):
        job = await ended(api, job_id)
    assert (job["status"], job["completedCount"], job["failedCount"], job["error"]) == ("SUCCEEDED", 20, 0, None)
    assert fake.most_running <= 2
    assert [edge["node"]["requestId"] for edge in job["items"]["edges"]] == [f"req_{n:03}" for n in range(20)]
    assert {edge["node"]["output"]["text"] for edge in job["items"]["edges"]} == {"Hello there."}


async def test_tasks_with_a_shape_answer_checked_data(api: Api, system: System, fake: FakeLlm, tmp_path: Path) -> None:
    fake.otherwise = lambda body: Say(
        RISK if "Number 0." in body["messages"][-1]["content"] else "I would rather not say."
    )
    job_id = await submitted(api, "RISK_ANALYZER", 2)
    async with working(system, fake, tmp_path):
        job = await ended(api, job_id)
    first, second = (edge["node"] for edge in job["items"]["edges"])
    assert (job["status"], first["status"], second["status"]) == ("PARTIAL", "SUCCEEDED", "FAILED")
    assert first["output"]["json"] == {
        "score": 70, "summary": "Somebody climbs the gate.", "reasoning": "It is night.",
    }  # fmt: skip
    assert second["error"]["message"].startswith("The model's answer cannot be used: ")


async def test_whoever_follows_reads_every_answer_as_it_grows(
    api: Api, system: System, fake: FakeLlm, live: Served, tmp_path: Path
) -> None:
    start = await cursor(live)
    job_id = await submitted(api, "CHAT", 4)
    names = [f"req_{number:03}" for number in range(4)]
    texts: dict[str, str] = {}
    finished: list[str] = []
    states: list[str] = []
    async with live.client(JUNIOR) as client:
        await client.subscribe(operation("JobUpdates"), jobId=job_id, after=start)
        # Text is told to those who follow, and kept for nobody.
        await live.until_joined(1)
        async with working(system, fake, tmp_path):
            while "SUCCEEDED" not in states or len(finished) < 4 or "".join(texts.values()) != "Hello there." * 4:
                told = await client.data("jobUpdates")
                if told["__typename"] == "JobTextDelta":
                    assert told["attempt"] == 1
                    texts[told["requestId"]] = texts.get(told["requestId"], "") + told["text"]
                elif told["__typename"] == "JobItemFinished":
                    assert told["item"]["status"] == "SUCCEEDED"
                    finished.append(told["item"]["requestId"])
                else:
                    states.append(told["job"]["status"])
    assert sorted(finished) == names
    assert texts == dict.fromkeys(names, "Hello there.")

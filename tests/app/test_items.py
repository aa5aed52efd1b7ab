"""Items of a batch, a real database and a fake server: what is stored, what is tried again, what stops the work."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from app.worker.items import ItemsHandler
from db.access.acting import system_caller
from db.inference.store import SqlSwitches
from domain.access import Caller, Role
from domain.errors import Unavailable
from domain.inference import (
    InferenceTask,
    Message,
    ModelRefused,
    Models,
    OnText,
    ProviderKind,
    RefusalCode,
    wanted_model,
)
from domain.jobs import (
    Cancelled,
    Failed,
    JobKind,
    LeaseLost,
    Outcome,
    Partial,
    RunningJob,
    Slot,
    SlotKind,
    Succeeded,
)
from domain.structured import Answer, AnswerRefused, Fault, Identity, StructuredAnswers, Usage
from domain.unit import Unit
from gpu.inference.capabilities import Memory
from gpu.inference.router import Chance, Router
from gpu.inference.settings import InferenceSettings
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.api import Api
from tests.factories import people
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.fake_llm import FLAT, Break, FakeLlm, Json, Refuse, Say, Stall
from tests.gpu.inference.routing import Time
from tests.serving import PATIENCE

WRONG = '{"error":{"message":"temperature must be positive","type":"invalid_request_error"}}'


@dataclass
class HandLease:
    """A lease that a test holds: its units are the system's, and it is lost when the test says so."""

    system: System
    caller: Caller
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    texts: list[tuple[str, str]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        if self.lost.is_set():
            raise LeaseLost
        async with self.system.units.write(self.caller) as unit:
            yield unit

    async def progress(self, value: int, most: int, step: str | None = None) -> None:
        """Nothing is told of a batch but its items."""

    async def delta(self, request_id: str, text: str) -> None:
        self.texts.append((request_id, text))

    def slot(self, kind: SlotKind, resources: Sequence[str]) -> AbstractAsyncContextManager[Slot]:
        return self._slot(kind, resources)

    @asynccontextmanager
    async def _slot(self, kind: SlotKind, resources: Sequence[str]) -> AsyncIterator[Slot]:
        [resource] = resources
        self.held.append(resource)
        yield Slot(kind, resource, 1)


@dataclass
class Bench:
    """A submitted batch, a server and a handler."""

    api: Api
    tenant: Tenant
    caller: Caller
    fake: FakeLlm
    router: Router
    answers: StructuredAnswers
    time: Time
    job_id: str = ""
    model: str | None = None

    async def submit(self, count: int, *, task: str = "CHAT", text: str = "Say hello to number") -> None:
        items = [
            {"requestId": f"req_{number:03}", "messages": [{"role": "user", "content": f"{text} {number}."}]}
            for number in range(count)
        ]
        answer = await self.api.data("InferenceSubmit", role=Role.JUNIOR_BROKER, input={"task": task, "items": items})
        self.job_id = answer["inferenceSubmit"]["job"]["id"]

    def running(self, attempt: int = 1, task: InferenceTask = InferenceTask.CHAT) -> RunningJob:
        return RunningJob(
            tenant_id=self.tenant.id, id=UUID(self.job_id.removeprefix("job_")), kind=JobKind.INFERENCE,
            attempt=attempt, max_attempts=3, payload={"model": self.model}, payload_hash="",
            requested_by=self.caller.actor, task=task,
        )  # fmt: skip

    def lease(self) -> HandLease:
        return HandLease(self.api.system, self.caller)

    async def run(self, attempt: int = 1, lease: HandLease | None = None, **given: Any) -> Outcome:
        handler = ItemsHandler(self.router, self.answers)
        return await handler.run(self.running(attempt, **given), lease or self.lease())

    async def job(self) -> Any:
        return (await self.api.data("InferenceJob", id=self.job_id, first=100))["inferenceJob"]

    async def items(self) -> list[Any]:
        return [edge["node"] for edge in (await self.job())["items"]["edges"]]


@pytest.fixture
async def bench(api: Api, system: System, tenant: Tenant, write_engine: AsyncEngine) -> AsyncIterator[Bench]:
    time = Time()
    async with FakeLlm(ProviderKind.VLLM).serving() as fake:
        provider = {"name": "near", "kind": "VLLM", "url": fake.url, "model": "m1", "at_once": 4}
        settings = InferenceSettings.model_validate({"providers": [provider]})
        chance = Chance(clock=time.clock, sleep=time.wait, jitter=lambda: 0.5)
        router = Router(settings, SqlSwitches(system.pool), Memory(None), chance)
        try:
            caller = await system_caller(write_engine, tenant.id)
            yield Bench(api, tenant, caller, fake, router, PromptedAnswers(load_prompts()), time)
        finally:
            await router.close()


def by_number(behaviours: dict[int, Any], otherwise: Any = None) -> Callable[[Json], Any]:
    def choose(body: Json) -> Any:
        number = int(body["messages"][0]["content"].rstrip(".").rpartition(" ")[2])
        return behaviours.get(number, otherwise or Say(f"Hello, {number}."))

    return choose


async def test_a_batch_is_answered_with_as_many_at_once_as_the_provider_serves(bench: Bench) -> None:
    await bench.submit(20)
    stall, lease = Stall(), bench.lease()
    bench.fake.otherwise = stall
    working = asyncio.create_task(bench.run(lease=lease))
    while bench.fake.running < 4:
        await asyncio.wait({working}, timeout=0.01)
    stall.released.set()
    assert await working == Succeeded()
    assert (bench.fake.most_running, len(bench.fake.asked), lease.held) == (4, 20, ["near"] * 20)
    job = await bench.job()
    assert (job["completedCount"], job["failedCount"], job["model"], job["provider"]["kind"]) == (20, 0, "m1", "VLLM")
    items = await bench.items()
    assert [each["requestId"] for each in items] == [f"req_{number:03}" for number in range(20)]
    assert all(each["output"] == {"text": "Hello there.", "json": None, "repaired": False} for each in items)
    assert {(each["status"], each["attempt"], each["model"]) for each in items} == {("SUCCEEDED", 1, "m1")}
    assert items[0]["usage"] == {"promptTokens": 11, "completionTokens": 7}
    assert "".join(text for request_id, text in lease.texts if request_id == "req_007") == "Hello there."


async def test_each_item_that_finishes_is_told_of_once(bench: Bench, owner_connection: Any) -> None:
    await bench.submit(3)
    await bench.run()
    assert await bench.run() == Succeeded()
    events = await rows_of(owner_connection, "events", bench.tenant.id)
    told = [each for each in events if each["kind"] == "JobItemFinished"]
    assert len({each["payload"] for each in told}) == len(told) == 3
    assert len(bench.fake.asked) == 3


async def test_some_items_may_fail(bench: Bench) -> None:
    await bench.submit(5)
    bench.fake.otherwise = by_number({1: Refuse(400, WRONG), 3: Refuse(400, WRONG)})
    assert await bench.run() == Partial()
    items = await bench.items()
    assert [each["status"] for each in items] == ["SUCCEEDED", "FAILED", "SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert items[1]["error"] == {
        "code": "INVALID_REQUEST", "retryable": False,
        "message": "near (m1): it refuses the request (HTTP 400): temperature must be positive.",
    }  # fmt: skip
    job = await bench.job()
    assert (job["completedCount"], job["failedCount"]) == (3, 2)


async def test_a_provider_that_goes_down_leaves_the_rest_for_another_attempt(bench: Bench) -> None:
    await bench.submit(6)
    answers = iter([Say("One."), Say("Two.")])
    bench.fake.otherwise = lambda _body: next(answers, Refuse(503, FLAT))
    outcome = await bench.run()
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("UNAVAILABLE", True)
    assert outcome.message.startswith("No model can answer now. near (m1): ")
    statuses = [each["status"] for each in await bench.items()]
    assert (statuses.count("SUCCEEDED"), statuses.count("QUEUED")) == (2, 4)
    asked = len(bench.fake.asked)
    bench.fake.otherwise = Say("Back.")
    bench.router.endpoints["near"].breaker.open(0)
    bench.router.endpoints["near"].of_model("m1").open(0)
    assert await bench.run(attempt=2) == Succeeded()
    assert len(bench.fake.asked) == asked + 4
    attempts = [each["attempt"] for each in await bench.items()]
    assert (attempts.count(1), attempts.count(2)) == (2, 4)


async def test_when_nobody_can_answer_to_the_end_every_item_says_so(bench: Bench) -> None:
    await bench.submit(50)
    bench.fake.otherwise = Refuse(503, FLAT)
    outcome = await bench.run(attempt=3)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("UNAVAILABLE", False)
    items = await bench.items()
    assert {(each["status"], each["attempt"], each["error"]["code"], each["error"]["retryable"]) for each in items} == {
        ("FAILED", 3, "UNAVAILABLE", True)
    }
    # Not every one of them was asked for: the first have heard it.
    assert len(bench.fake.asked) < 15


LIMITED = '{"status":429,"title":"Too Many Requests"}'


async def test_a_batch_goes_on_with_a_provider_that_answers_a_few_at_a_time(bench: Bench) -> None:
    time = bench.time
    await bench.submit(6)
    for attempt, answered in enumerate((2, 2, 1), start=1):
        answers = iter([Say("Yes.")] * answered)
        bench.fake.otherwise = lambda _body, left=answers: next(left, Refuse(429, LIMITED, {"retry-after": "600"}))
        outcome = await bench.run(attempt=attempt)
        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.retryable, outcome.progressed) == ("UNAVAILABLE", True, True)
        assert outcome.retry_after == pytest.approx(timedelta(seconds=600), abs=timedelta(seconds=1))
        time.seconds += 601
    statuses = [each["status"] for each in await bench.items()]
    assert (statuses.count("SUCCEEDED"), statuses.count("QUEUED")) == (5, 1)
    # In the last attempt that is left nothing is answered.
    bench.fake.otherwise = Refuse(429, LIMITED, {"retry-after": "600"})
    assert await bench.run(attempt=3) == Partial()


async def test_an_answer_that_broke_off_begins_anew_in_the_next_attempt(bench: Bench) -> None:
    await bench.submit(4)
    bench.fake.otherwise = by_number({2: Break()})
    lease = bench.lease()
    outcome = await bench.run(lease=lease)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("CUT_OFF", True)
    assert ("req_002", "Hel") in lease.texts
    assert [each["status"] for each in await bench.items()] == ["SUCCEEDED", "SUCCEEDED", "QUEUED", "SUCCEEDED"]
    bench.fake.otherwise = by_number({})
    assert await bench.run(attempt=2) == Succeeded()
    assert [each["attempt"] for each in await bench.items()] == [1, 1, 2, 1]


async def test_a_job_that_is_asked_again_tries_what_failed(bench: Bench) -> None:
    await bench.submit(3)
    bench.fake.otherwise = by_number({1: Refuse(400, WRONG)})
    assert await bench.run() == Partial()
    async with bench.api.system.units.write(bench.caller) as unit:
        # As jobRetry does: the counts begin anew.
        await unit.jobs.count(bench.running().id, completed=-2, failed=-1)
    bench.fake.otherwise = by_number({})
    assert await bench.run(attempt=2) == Succeeded()
    assert [each["attempt"] for each in await bench.items()] == [1, 2, 1]
    job = await bench.job()
    assert (job["completedCount"], job["failedCount"]) == (3, 0)


async def test_a_model_is_asked_for_by_name_in_every_attempt_and_no_other_is(bench: Bench) -> None:
    await bench.submit(2)
    bench.fake.otherwise = by_number({1: Break()})
    assert isinstance(await bench.run(), Failed)
    # The job says who answered last; that is nobody's wish.
    bench.router.endpoints["near"].of_model("m1").open(1000)
    job = bench.running(attempt=2)
    assert (await bench.job())["model"] == "m1"
    bench.model = "m7"
    outcome = await bench.run(attempt=2)
    assert isinstance(outcome, Failed)
    assert outcome.message == "No model can answer now. No provider serves m7."
    assert wanted_model(job) is None


async def test_cancelling_ends_the_work_at_the_provider_too(bench: Bench) -> None:
    await bench.submit(2)
    bench.fake.otherwise = Stall("Hel")
    lease = bench.lease()
    working = asyncio.create_task(bench.run(lease=lease))
    while not lease.texts:
        await asyncio.wait({working}, timeout=0.01)
    lease.cancelled.set()
    assert await working == Cancelled()
    await asyncio.wait_for(bench.fake.gone.wait(), PATIENCE)
    assert [each["status"] for each in await bench.items()] == ["QUEUED", "QUEUED"]


async def test_a_worker_that_lost_the_job_stores_nothing(bench: Bench) -> None:
    await bench.submit(2)
    stall, lease = Stall("Hel"), bench.lease()
    bench.fake.otherwise = stall
    working = asyncio.create_task(bench.run(lease=lease))
    while not lease.texts:
        await asyncio.wait({working}, timeout=0.01)
    lease.lost.set()
    with pytest.raises(LeaseLost):
        await working
    assert [each["status"] for each in await bench.items()] == ["QUEUED", "QUEUED"]


HASH = "0123456789abcdef" * 4
SCORED = Answer(
    value={"score": 7}, text='{"score": 7}', repaired=True, asked_again=False, provider="near", model="m1",
    on_premise=True, prompt_version="1", prompt_hash=HASH, usage=Usage(5, 4),
)  # fmt: skip


@dataclass
class ByHand:
    """Structured answers that a test gives, and the names that they were told."""

    say: Callable[[str], Answer]
    names: list[list[str]] = field(default_factory=list)

    async def ask(self, *_given: object, **_named: object) -> Answer:
        raise AssertionError("Items bring their own messages.")

    async def ask_with(
        self, _models: Models, task: InferenceTask, messages: Sequence[Message], *, people: Sequence[Identity],
        model: str | None = None, on_text: OnText | None = None,
    ) -> Answer:  # fmt: skip
        assert (task, model, on_text is None) == (InferenceTask.RISK_ANALYZER, None, False)
        self.names.append([name for each in people for name in each.names])
        return self.say(messages[0].content)


async def test_names_of_people_are_known_to_whoever_hides_them(bench: Bench, owner_connection: Any) -> None:
    await people.person(owner_connection, bench.tenant, full_name="Ananya Rao-Mehta")
    await people.person(owner_connection, bench.tenant, full_name="Vikram Shah")
    await people.person(owner_connection, bench.tenant, full_name="राज शर्मा")
    bench.answers = answers = ByHand(lambda _text: SCORED)
    for text in ("Write to nobody about flat", "Write to MEHTA, and to शर्मा, about flat"):
        await bench.submit(1, task="RISK_ANALYZER", text=text)
        await bench.run(task=InferenceTask.RISK_ANALYZER)
    assert answers.names == [[], ["Ananya Rao-Mehta", "राज शर्मा"]]


async def test_tasks_with_a_shape_answer_data_or_why_not(bench: Bench, owner_connection: Any) -> None:
    def say(text: str) -> Answer:
        if "1." in text:
            raise AnswerRefused(Fault.SHAPE, "score is missing.")
        return SCORED

    await bench.submit(2, task="RISK_ANALYZER")
    bench.answers = ByHand(say)
    assert await bench.run(task=InferenceTask.RISK_ANALYZER) == Partial()
    first, second = await bench.items()
    assert first["output"] == {"text": '{"score": 7}', "json": {"score": 7}, "repaired": True}
    assert first["usage"] == {"promptTokens": 5, "completionTokens": 4}
    assert second["error"] == {
        "code": "ANSWER_REFUSED", "message": "The model's answer cannot be used: score is missing.", "retryable": True,
    }  # fmt: skip
    rows = {row["number"]: row for row in await rows_of(owner_connection, "inference_items", bench.tenant.id)}
    assert (rows[0]["prompt_version"], rows[0]["prompt_hash"], rows[1]["prompt_hash"]) == ("1", HASH, None)
    told = [json.loads(each["payload"]) for each in await rows_of(owner_connection, "events", bench.tenant.id)]
    assert [each["promptHash"] for each in told if "promptHash" in each] == [HASH]


async def test_a_database_that_is_away_fails_the_attempt_and_no_item(bench: Bench) -> None:
    def say(_text: str) -> Answer:
        raise Unavailable("The database is not reachable. Try again.")

    await bench.submit(2, task="RISK_ANALYZER")
    bench.answers = ByHand(say)
    with pytest.raises(Unavailable):
        await bench.run(attempt=3, task=InferenceTask.RISK_ANALYZER)
    assert [each["status"] for each in await bench.items()] == ["QUEUED", "QUEUED"]
    bench.answers = ByHand(lambda _text: SCORED)
    assert await bench.run(attempt=4, task=InferenceTask.RISK_ANALYZER) == Succeeded()


async def test_a_refusal_for_good_is_not_for_another_attempt(bench: Bench) -> None:
    def say(_text: str) -> Answer:
        raise ModelRefused(RefusalCode.CONTEXT_TOO_LONG, "No.", retryable=False)

    await bench.submit(1, task="RISK_ANALYZER")
    bench.answers = ByHand(say)
    outcome = await bench.run(task=InferenceTask.RISK_ANALYZER)
    assert outcome == Failed("CONTEXT_TOO_LONG", "No.", retryable=False)

"""What a model makes of camera events: asked by the shipped prompts, checked, kept with who said it, or refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from app.worker.asking import LeasedAsking
from app.worker.leases import HeldLease
from domain.access import Role
from domain.cctv.judging import CctvProfiler, RiskAnalyzer
from domain.inference import ModelRefused, Models, ModelUnavailable, RefusalCode
from domain.jobs import Failed, LeaseLost, Outcome, Succeeded
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.api import Answer, Api
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.gpu.models import Scripted
from tests.working import Everybodys, Interrupted, begin, work

Owner: TypeAlias = "Connection[Record]"
SENIOR = Role.SENIOR_BROKER
NOW = datetime.now(UTC).replace(microsecond=0)
PLATE = "MH 12 AB 1234"
ANSWERS = PromptedAnswers(load_prompts())
SEEN = [{"label": "car", "confidence": 0.9, "attributes": {"colour": "white", "make": "Kia"}}]
PROFILE = {"visitor_kind": "couple", "vehicle": "white Kia", "confidence": 0.8, "summary": "Two people came in a car."}
RISK = {"score": 72, "summary": "Somebody tries doors.", "reasoning": "One door after the other, at night."}
EVENTS = """query { cctvEvents { edges { node { summary
    profile { visitorKind vehicle confidence model promptVersion }
    risk { score level summary reasoning source } } } } }"""


@dataclass(slots=True)
class Worker:
    """Runs the newest job of a tenant with models that say what a test wants."""

    system: System
    engine: AsyncEngine
    tenant: Tenant
    owner: Owner

    async def begin(self) -> HeldLease:
        return await begin(
            self.system, self.engine, self.tenant, (await rows_of(self.owner, "jobs", self.tenant.id))[-1]["id"]
        )

    async def run(self, handler: type[CctvProfiler] | type[RiskAnalyzer], *said: object) -> tuple[Outcome, Scripted]:
        models = Scripted([each if isinstance(each, str) else json.dumps(each) for each in said])
        return await work(self.system, await self.begin(), handler(asking(models))), models


def asking(models: Models) -> LeasedAsking:
    return LeasedAsking(ANSWERS, Everybodys(models))


@pytest.fixture
def worker(system: System, write_engine: AsyncEngine, tenant: Tenant, owner_connection: Owner) -> Worker:
    return Worker(system, write_engine, tenant, owner_connection)


async def seen(api: Api, detections: list[dict[str, Any]] | None = None) -> None:
    given = {"camera": "Gate", "at": NOW.isoformat(), "plate": PLATE, "detections": detections or SEEN}
    data = await api.data("CctvEventIngest", role=SENIOR, input=given | {"idempotencyKey": "one"})
    assert data["cctvEventIngest"]["job"]["status"] == "QUEUED"


async def detected(api: Api, *confidences: float) -> None:
    found = [
        {"label": "person", "confidence": sure, "at": (NOW - timedelta(minutes=place)).isoformat()}
        for place, sure in enumerate(confidences)
    ]
    await api.data("DetectionBatchSubmit", role=SENIOR, input={"camera": "Lobby", "detections": found})


async def shown(api: Api) -> Answer:
    [edge] = (await api.data(EVENTS, role=SENIOR))["cctvEvents"]["edges"]
    found: Answer = edge["node"]
    return found


async def test_an_arrival_has_a_profile(api: Api, worker: Worker, tenant: Tenant, owner_connection: Owner) -> None:
    await seen(api)
    outcome, models = await worker.run(CctvProfiler, PROFILE)

    assert outcome == Succeeded()
    assert await shown(api) == {
        "summary": "Two people came in a car.",
        "profile": {
            "visitorKind": "couple", "vehicle": "white Kia", "confidence": 0.8, "model": "small", "promptVersion": "2",
        },
        "risk": None,
    }  # fmt: skip
    [row] = await rows_of(owner_connection, "cctv_events", tenant.id)
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (row["profile_prompt_hash"], job["status"], job["model"], job["completed_count"]) == (
        load_prompts()[CctvProfiler.task].hash, "SUCCEEDED", "small", 1,
    )  # fmt: skip
    [event] = [
        each for each in await rows_of(owner_connection, "events", tenant.id) if each["kind"].startswith("CctvEventP")
    ]
    assert (event["kind"], event["actor_noun"], event["subject_id"]) == (
        "CctvEventProfiled",
        "system_actors",
        row["id"],
    )
    # The model knew what was seen and when, and no plate.
    asked = "".join(each.content for each in models.asked[0].messages)
    assert all(word in asked for word in ("Gate", "white", "Kia", "+05:30"))
    assert "1234" not in asked
    assert row["plate"].hex() not in asked


@pytest.mark.parametrize(
    "wrong",
    [
        PROFILE | {"vehicle": "black SUV"},
        PROFILE | {"confidence": 0.95},
        PROFILE | {"summary": "MH 12 AB 1234 came."},
        PROFILE | {"visitor_kind": "celebrity"},
        PROFILE | {"level": "HIGH"},
        "It was a car.",
    ],
)
async def test_what_no_detection_shows_is_refused_and_asked_again(api: Api, worker: Worker, wrong: object) -> None:
    await seen(api)
    outcome, models = await worker.run(CctvProfiler, wrong, PROFILE)

    assert (outcome, len(models.asked)) == (Succeeded(), 2)
    assert (await shown(api))["profile"]["vehicle"] == "white Kia"


async def test_what_is_invented_twice_is_kept_nowhere(
    api: Api, worker: Worker, tenant: Tenant, owner_connection: Owner
) -> None:
    await seen(api)
    outcome, models = await worker.run(CctvProfiler, PROFILE | {"vehicle": "black SUV"})

    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable, len(models.asked)) == ("ANSWER_REFUSED", False, 2)
    assert "SUV" not in outcome.message
    assert await shown(api) == {"summary": None, "profile": None, "risk": None}
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (job["status"], job["error_code"]) == ("FAILED", "ANSWER_REFUSED")


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0, "LOW"),
        (29, "LOW"),
        (30, "MEDIUM"),
        (59, "MEDIUM"),
        (60, "HIGH"),
        (84, "HIGH"),
        (85, "CRITICAL"),
        (100, "CRITICAL"),
    ],
)
async def test_a_batch_has_a_risk_whose_level_is_its_scores(api: Api, worker: Worker, score: int, level: str) -> None:
    await detected(api, 0.9, 0.8)
    outcome, _ = await worker.run(RiskAnalyzer, RISK | {"score": score})

    assert outcome == Succeeded()
    assert await shown(api) == {
        "summary": RISK["summary"],
        "profile": None,
        "risk": {**RISK, "score": score, "level": level, "source": "MODEL"},
    }


@pytest.mark.parametrize("wrong", [RISK | {"level": "LOW"}, RISK | {"score": 101}, RISK | {"score": "72"}])
async def test_a_level_of_the_models_own_is_refused(api: Api, worker: Worker, wrong: object) -> None:
    await detected(api, 0.9)
    outcome, models = await worker.run(RiskAnalyzer, wrong, RISK)

    assert (outcome, len(models.asked)) == (Succeeded(), 2)


async def test_detections_that_are_not_sure_are_no_suspicion(api: Api, worker: Worker) -> None:
    await detected(api, 0.4, 0.3)
    outcome, models = await worker.run(RiskAnalyzer, RISK, RISK | {"score": 40})

    assert (outcome, len(models.asked), (await shown(api))["risk"]["level"]) == (Succeeded(), 2, "MEDIUM")


def unavailable() -> Exception:
    return ModelUnavailable((), retry_after=7.0)


def refused() -> Exception:
    return ModelRefused(RefusalCode.CONTEXT_TOO_LONG, "This is too long.", retryable=False)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (
            unavailable,
            Failed(
                "UNAVAILABLE",
                "No model can answer now. No provider is configured.",
                retryable=True,
                retry_after=timedelta(seconds=7),
            ),
        ),
        (refused, Failed("CONTEXT_TOO_LONG", "This is too long.", retryable=False)),
    ],
)
async def test_why_no_model_answered_is_the_jobs_error(
    api: Api, worker: Worker, error: Callable[[], Exception], outcome: Failed
) -> None:
    await seen(api)

    class Silent:
        async def complete(self, _request: object, **_given: object) -> None:
            raise error()

    handler = CctvProfiler(asking(cast("Models", Silent())))
    assert await work(worker.system, await worker.begin(), handler) == outcome


async def test_an_event_that_was_erased_meanwhile_is_judged_no_more(
    api: Api, worker: Worker, tenant: Tenant, owner_connection: Owner
) -> None:
    await seen(api)

    async def erased() -> None:
        await owner_connection.execute("DELETE FROM cctv_events WHERE tenant_id = $1", tenant.id)

    handler = CctvProfiler(asking(Interrupted([json.dumps(PROFILE)], meanwhile=erased)))
    outcome = await work(worker.system, await worker.begin(), handler)

    assert outcome == Failed("NOT_FOUND", "The event is no longer kept.", retryable=False)


async def test_a_job_that_is_run_again_asks_nobody_again(api: Api, system: System, worker: Worker) -> None:
    await seen(api)
    lease = await worker.begin()
    models = Scripted([json.dumps(PROFILE)])
    handler = CctvProfiler(asking(models))

    # It died after it had kept the answer, and before it said so.
    assert await handler.run(lease.claim.job, lease) == Succeeded()
    assert await work(system, lease, handler) == Succeeded()

    assert len(models.asked) == 1
    with pytest.raises(LeaseLost):
        await handler.run(lease.claim.job, lease)

"""A model's second opinion on a session: asked for at its end, stored beside the rules' score, and only by consent."""

import json
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.worker.asking import LeasedAsking
from app.worker.leases import HeldLease
from db.perception.overdue import SqlOverdue
from db.roles import set_tenant
from domain import perception as domain
from domain.access import Role
from domain.inference import InferenceTask
from domain.jobs import Failed, LeaseLost, Succeeded
from domain.people.consents import Narrowed
from domain.perception import QdRefiner, request_refining
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.api import Answer, Api
from tests.factories import interactions, people, perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.gpu.models import Reply, Scripted
from tests.working import Everybodys, Interrupted, begin, work

Owner: TypeAlias = "Connection[Record]"

JUNIOR = Role.JUNIOR_BROKER
ANSWERS = PromptedAnswers(load_prompts())
OPINION = json.dumps(
    {"score": 71.5, "attention": 0.8, "valence": 0.4, "engagement": 0.6, "confidence": 0.7, "reasoning": "The price."}
)
ENDED = Failed("CONSENT_ENDED", "The consent of the session has ended: no model was asked.", retryable=False)
SESSION = """query($id: ID!) { perceptionSession(id: $id) {
  status finalQd { at score source } refinedQd { at score kind source valence confidence } } }"""


def refiner(*replies: Reply) -> tuple[QdRefiner, Scripted]:
    models = Scripted(replies or [OPINION])
    return QdRefiner(LeasedAsking(ANSWERS, Everybodys(models))), models


async def measured(api: Api, owner: Owner, *, person: bool = True, packets: int = 30) -> tuple[str, UUID]:
    """Return a session of somebody in which a face was seen, before its end, and the consent behind it."""
    tenant, person_id = api.tenant, None
    if person:
        person_id = await people.client(owner, tenant, full_name="Leena Sharma")
        text = "Leena Sharma wants the sea-facing one."
        await interactions.interaction(owner, tenant, person_id=person_id, kind="NOTE", text=text)
    now = datetime.now(UTC)
    consent_id = await perception.consent(
        owner, tenant, granted_at=now - timedelta(hours=1), person_id=person_id,
        subject_kind="PERSON" if person else "VISITOR", recorded_by_id=tenant.users[JUNIOR],
    )  # fmt: skip
    video_id = await perception.video(owner, tenant)
    await perception.scene(owner, tenant, video_id=video_id, start_ms=0, end_ms=20_000)
    given = {"consentId": f"consent_{consent_id}", "surface": "KIOSK", "videoId": f"video_{video_id}"}
    began = await api.data("PerceptionSessionStart", role=JUNIOR, **given)
    session_id: str = began["perceptionSessionStart"]["session"]["id"]
    face = {"blendShapes": [0.2] * 52}
    sent = [
        {"at": (now + timedelta(milliseconds=200 * number)).isoformat(), "face": face, "videoMs": 200 * number}
        for number in range(packets)
    ]
    if sent:
        await api.data("PerceptionIngest", role=JUNIOR, sessionId=session_id, sequence=1, packets=sent)
    return session_id, consent_id


async def ended(api: Api, session_id: str) -> None:
    await api.data("PerceptionSessionComplete", role=JUNIOR, sessionId=session_id)


async def begun(api: Api, engine: AsyncEngine, owner: Owner) -> HeldLease:
    [job] = await rows_of(owner, "jobs", api.tenant.id)
    assert (job["task"], job["status"], job["subject_noun"]) == ("QD_CALCULATOR", "QUEUED", "perception_sessions")
    return await begin(api.system, engine, api.tenant, job["id"])


@pytest.fixture
def refining(api: Api) -> Api:
    """An installation whose settings want a second opinion."""
    api.after_session = request_refining
    return api


async def shown(api: Api, session_id: str) -> Answer:
    found: Answer = (await api.data(SESSION, role=JUNIOR, id=session_id))["perceptionSession"]
    return found


async def test_a_model_reads_a_session_that_is_over(
    refining: Api, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    session_id, _ = await measured(refining, owner_connection)
    await ended(refining, session_id)
    before = await shown(refining, session_id)
    handler, models = refiner()

    assert await work(refining.system, await begun(refining, write_engine, owner_connection), handler) == Succeeded()

    after = await shown(refining, session_id)
    assert before["refinedQd"] is None
    assert after["finalQd"] == before["finalQd"]
    assert after["finalQd"]["source"] == "RULES"
    assert after["refinedQd"] == {
        "at": after["finalQd"]["at"], "score": 71.5, "kind": "SESSION", "source": "MODEL", "valence": 0.4,
        "confidence": 0.7,
    }  # fmt: skip
    scores = await rows_of(owner_connection, "qd_scores", refining.tenant.id)
    assert [(row["kind"], row["score"]) for row in scores if row["source"] == "MODEL"] == [("SESSION", 71.5)]
    [session] = await rows_of(owner_connection, "perception_sessions", refining.tenant.id)
    prompt = load_prompts()[InferenceTask.QD_CALCULATOR]
    assert (session["refined_model"], session["refined_prompt_version"], session["refined_prompt_hash"]) == (
        "small", prompt.version, prompt.hash,
    )  # fmt: skip
    told = [
        each
        for each in await rows_of(owner_connection, "events", refining.tenant.id)
        if "promptHash" in each["payload"]
    ]
    assert [(each["kind"], prompt.hash in each["payload"]) for each in told] == [("PerceptionSessionRefined", True)]
    [person] = await rows_of(owner_connection, "people", refining.tenant.id)
    assert (person["model_qd_score"], person["model_qd_kind"]) == (71.5, "SESSION")
    assert person["rules_qd_score"] != 71.5
    [*_, last] = [row for row in await rows_of(owner_connection, "events", refining.tenant.id)
                  if row["subject_noun"] == "perception_sessions"]  # fmt: skip
    assert (last["kind"], last["actor_noun"]) == ("PerceptionSessionRefined", "system_actors")
    sent = "".join(message.content for message in models.sent[0])
    assert "the sea-facing one" in sent
    assert "From 0" in sent
    assert not [word for word in ("Leena", "Sharma", session_id) if word in sent]


async def test_a_visitor_without_a_name_is_refined_and_then_matched(
    refining: Api, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    session_id, _ = await measured(refining, owner_connection, person=False)
    await ended(refining, session_id)
    handler, models = refiner()

    assert await work(refining.system, await begun(refining, write_engine, owner_connection), handler) == Succeeded()

    assert (await shown(refining, session_id))["refinedQd"]["score"] == 71.5
    assert '"interactions"' not in models.sent[0][-1].content
    target = {"newLead": {"fullName": "Meera Iyer"}}
    await refining.data("PerceptionSessionMatch", role=JUNIOR, sessionId=session_id, target=target)
    [person] = await rows_of(owner_connection, "people", refining.tenant.id)
    assert person["model_qd_score"] == 71.5


async def test_nothing_is_asked_where_nobody_wants_it_or_nothing_was_known(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    unwanted, _ = await measured(api, owner_connection)
    await ended(api, unwanted)
    api.after_session = request_refining
    empty, _ = await measured(api, owner_connection, packets=0)
    await ended(api, empty)
    assert await rows_of(owner_connection, "jobs", tenant.id) == []


async def test_a_session_is_read_once(refining: Api, owner_connection: Owner, write_engine: AsyncEngine) -> None:
    session_id, _ = await measured(refining, owner_connection)
    for _ in range(2):
        await ended(refining, session_id)
    lease = await begun(refining, write_engine, owner_connection)
    handler, models = refiner()
    for _ in range(2):
        assert await handler.run(lease.claim.job, lease) == Succeeded()
    assert len(models.asked) == 1


async def test_a_session_that_the_sweep_ends_is_read_too(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    session_id, _ = await measured(api, owner_connection)
    past = datetime.now(UTC) - timedelta(hours=2)
    await set_tenant(owner_connection, tenant.id)
    for statement in ("UPDATE perception_sessions SET started_at = $2 WHERE tenant_id = $1",
                      "UPDATE perception_batches SET at = $2 WHERE tenant_id = $1"):  # fmt: skip
        await owner_connection.execute(statement, tenant.id, past)
    overdue, before = SqlOverdue(write_engine, 100_000), past + timedelta(minutes=1)

    await domain.complete_left(api.system.units, overdue, before, request_refining)

    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert json.loads(job["payload"]) == {"sessionId": session_id.removeprefix("session_")}


async def withdraw(api: Api, consent_id: UUID) -> None:
    await api.data("ConsentWithdraw", role=JUNIOR, consentId=f"consent_{consent_id}")


async def expire(api: Api, consent_id: UUID) -> None:
    async with api.system.units.write(api.tenant.caller(Role.ADMIN)) as unit:
        await unit.people.narrow([Narrowed(consent_id, expires_at=datetime.now(UTC))])


async def test_without_a_consent_no_model_is_asked(
    refining: Api, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    session_id, consent_id = await measured(refining, owner_connection)
    await ended(refining, session_id)
    await expire(refining, consent_id)
    handler, models = refiner()

    assert await work(refining.system, await begun(refining, write_engine, owner_connection), handler) == ENDED

    assert models.asked == []
    assert (await shown(refining, session_id))["refinedQd"] is None


async def test_a_withdrawal_ends_what_waits(refining: Api, owner_connection: Owner) -> None:
    session_id, consent_id = await measured(refining, owner_connection)
    await ended(refining, session_id)
    await withdraw(refining, consent_id)
    [job] = await rows_of(owner_connection, "jobs", refining.tenant.id)
    assert (job["status"], job["lease_token"]) == ("CANCELLED", None)


async def test_a_consent_that_ends_while_the_model_thinks_keeps_its_answer_out(
    refining: Api, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    session_id, consent_id = await measured(refining, owner_connection)
    await ended(refining, session_id)
    lease = await begun(refining, write_engine, owner_connection)
    thinking = Interrupted([OPINION], meanwhile=lambda: expire(refining, consent_id))
    handler = QdRefiner(LeasedAsking(ANSWERS, Everybodys(thinking)))

    assert await work(refining.system, lease, handler) == ENDED
    await nothing_of_a_model(refining, owner_connection, session_id)


async def test_a_withdrawal_takes_the_job_from_a_worker_whose_model_thinks(
    refining: Api, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    session_id, consent_id = await measured(refining, owner_connection)
    await ended(refining, session_id)
    lease = await begun(refining, write_engine, owner_connection)
    thinking = Interrupted([OPINION], meanwhile=lambda: withdraw(refining, consent_id))
    handler = QdRefiner(LeasedAsking(ANSWERS, Everybodys(thinking)))

    with pytest.raises(LeaseLost):
        await work(refining.system, lease, handler)

    assert lease.lost.is_set()
    await nothing_of_a_model(refining, owner_connection, session_id)


async def nothing_of_a_model(api: Api, owner: Owner, session_id: str) -> None:
    """Look for a model's score of a session."""
    assert (await shown(api, session_id))["refinedQd"] is None
    scores = await rows_of(owner, "qd_scores", api.tenant.id)
    assert [row for row in scores if row["source"] == "MODEL"] == []

"""Tags by a model: asked for, read out of what was said, proposed, or set where the settings allow it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.worker.asking import LeasedAsking
from app.worker.leases import HeldLease
from domain.access import Role
from domain.inference import InferenceTask, Message, Models, ModelUnavailable
from domain.jobs import Cancelled, Failed, LeaseLost, Succeeded
from domain.proposals import LeadTagger
from domain.values import new_id
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.api import Api
from tests.factories import interactions, people, proposals
from tests.factories.access import Tenant
from tests.factories.rows import insert, rows_of
from tests.gpu.models import Scripted
from tests.working import Everybodys, Interrupted, begin, work

Owner: TypeAlias = "Connection[Record]"

SENIOR, JUNIOR = Role.SENIOR_BROKER, Role.JUNIOR_BROKER
ANSWERS = PromptedAnswers(load_prompts())


def said(*tags: tuple[str, str | None, str]) -> str:
    """Return a model's answer: tags, each with an interaction and a quote."""
    return json.dumps({
        "tags": [
            {
                "tag": tag, "confidence": 0.8, "reason": "They say so.",
                "evidence": [{"interaction": interaction, "quote": quote}],
            }
            for tag, interaction, quote in tags
        ]
    })  # fmt: skip


CASH = said(("cash", "c1", "we pay in cash"))


def tagger(models: Models, at_once: Sequence[str] = ()) -> LeadTagger:
    return LeadTagger(LeasedAsking(ANSWERS, Everybodys(models)), at_once)


async def lead_of(owner: Owner, tenant: Tenant) -> tuple[UUID, UUID]:
    """Return a lead on which the junior works, and a note about its person; the catalogue has two tags."""
    person_id, lead_id = await people.client_and_lead(
        owner, tenant, full_name="Leena Sharma", primary_phone_e164="+919820012345"
    )
    text = "Leena Sharma (98200 12345): we pay in cash. It is urgent."
    note = await interactions.interaction(owner, tenant, person_id=person_id, kind="NOTE", text=text)
    for name in ("cash", "urgent"):
        await insert(owner, "tags", tenant.id, id=new_id(), name=name)
    return lead_id, note


async def asked(api: Api, engine: AsyncEngine, lead_id: UUID) -> HeldLease:
    """Ask for tags as the junior, and begin the job."""
    answer = (await api.data("LeadTag", role=JUNIOR, leadId=f"lead_{lead_id}"))["leadTag"]
    assert answer["job"]["status"] == "QUEUED"
    return await begin(api.system, engine, api.tenant, UUID(answer["job"]["id"].removeprefix("job_")))


async def tags_of(owner: Owner, tenant: Tenant) -> list[str]:
    [lead] = await rows_of(owner, "leads", tenant.id)
    found: list[str] = lead["tags"]
    return found


async def test_what_a_model_finds_waits_for_a_person(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    lead_id, note = await lead_of(owner_connection, tenant)
    older = await proposals.proposal(owner_connection, tenant, lead_id=lead_id)
    models = Scripted([CASH])
    lease = await asked(api, write_engine, lead_id)

    assert await work(api.system, lease, tagger(models)) == Succeeded()

    old, new = await rows_of(owner_connection, "proposals", tenant.id)
    assert (old["id"], old["status"], old["comment"]) == (older, "EXPIRED", "A newer proposal has taken its place.")
    assert (new["kind"], new["status"], new["subject_id"]) == ("LEAD_TAG", "PENDING", lead_id)
    assert json.loads(new["changes"]) == [{"field": "tags", "before": [], "after": ["cash"]}]
    assert json.loads(new["evidence"]) == [{"text": "we pay in cash", "interaction_id": str(note)}]
    assert (new["reason"], new["model"], new["job_id"]) == ("cash: They say so.", "small", lease.claim.job.id)
    assert (new["prompt_version"], len(new["prompt_hash"])) == ("lead_tagger/1", 64)
    assert await tags_of(owner_connection, tenant) == []
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (job["status"], job["completed_count"], job["model"]) == ("SUCCEEDED", 1, "small")
    # Whoever is asked is told no name and no number.
    sent = "".join(message.content for message in models.sent[0])
    assert "we pay in cash" in sent
    assert not [word for word in ("Leena", "Sharma", "12345", str(lead_id), str(note)) if word in sent]

    decided = await api.data("ProposalDecide", role=SENIOR, proposalId=f"proposal_{new['id']}", decision="APPROVE")
    assert decided["proposalDecide"]["proposal"]["status"] == "APPROVED"
    assert await tags_of(owner_connection, tenant) == ["cash"]


async def test_tags_that_the_settings_allow_are_set_at_once(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)
    models = Scripted([said(("cash", "c1", "we pay in cash"), ("urgent", "c1", "It is urgent"))])

    assert await work(api.system, await asked(api, write_engine, lead_id), tagger(models, ["Cash"])) == Succeeded()

    assert await tags_of(owner_connection, tenant) == ["cash"]
    [proposal] = await rows_of(owner_connection, "proposals", tenant.id)
    assert json.loads(proposal["changes"]) == [{"field": "tags", "before": ["cash"], "after": ["cash", "urgent"]}]
    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    # No proposal stands behind the one that was set at once: the job tells of which prompt it came.
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    prompt = load_prompts()[InferenceTask.LEAD_TAGGER]
    assert (job["prompt_version"], job["prompt_hash"]) == (prompt.version, prompt.hash)
    assert ("system_actors", "leads", ["tags"]) in [
        (row["actor_noun"], row["subject_noun"], row["changed_fields"]) for row in entries
    ]
    [notification] = await rows_of(owner_connection, "notifications", tenant.id)
    assert (notification["kind"], notification["user_id"]) == ("LEAD_TAGGED", tenant.users[JUNIOR])


async def test_what_rests_on_nothing_is_dropped(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)
    older = await proposals.proposal(owner_connection, tenant, lead_id=lead_id)
    models = Scripted([said(("cash", "c1", "money is no object"), ("vip", "c1", "It is urgent"))])

    assert await work(api.system, await asked(api, write_engine, lead_id), tagger(models, ["cash"])) == Succeeded()

    [proposal] = await rows_of(owner_connection, "proposals", tenant.id)
    assert (proposal["id"], proposal["status"]) == (older, "PENDING")
    assert await tags_of(owner_connection, tenant) == []


async def test_a_job_that_runs_again_proposes_once(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)
    models = Scripted([CASH])
    lease = await asked(api, write_engine, lead_id)

    for _ in range(2):
        # The worker died after it had written, and before it said so.
        assert await tagger(models).run(lease.claim.job, lease) == Succeeded()

    assert len(await rows_of(owner_connection, "proposals", tenant.id)) == 1
    assert len(models.asked) == 1


async def test_without_anything_to_read_nobody_is_asked(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    _person_id, lead_id = await people.client_and_lead(owner_connection, tenant)
    models = Scripted([CASH])

    assert await work(api.system, await asked(api, write_engine, lead_id), tagger(models)) == Succeeded()
    assert models.asked == []


async def test_what_cannot_be_used_fails_the_job(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)

    outcome = await work(api.system, await asked(api, write_engine, lead_id), tagger(Scripted(["I would say: rich."])))

    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("ANSWER_REFUSED", False)
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (job["status"], job["error_code"]) == ("FAILED", "ANSWER_REFUSED")


def nobody(_messages: Sequence[Message]) -> str:
    raise ModelUnavailable((), retry_after=7)


async def test_without_a_model_it_is_tried_again(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)

    outcome = await work(api.system, await asked(api, write_engine, lead_id), tagger(Scripted([nobody])))

    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable, outcome.retry_after) == ("UNAVAILABLE", True, timedelta(seconds=7))
    assert outcome.message == "No model can answer now. No provider is configured."
    [job] = await rows_of(owner_connection, "jobs", tenant.id)
    assert job["status"] == "QUEUED"


@pytest.mark.parametrize("lost", [False, True])
async def test_an_answer_that_comes_too_late_changes_nothing(
    api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine, *, lost: bool
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)
    lease = await asked(api, write_engine, lead_id)

    async def meanwhile() -> None:
        # The lease is somebody else's, or nobody wants the tags any more.
        if lost:
            statement = "UPDATE jobs SET lease_token = $1 WHERE id = $2"
            await owner_connection.execute(statement, new_id(), lease.claim.job.id)
        else:
            lease.cancelled.set()

    running = tagger(Interrupted([CASH], meanwhile=meanwhile)).run(lease.claim.job, lease)
    if lost:
        with pytest.raises(LeaseLost):
            await running
    else:
        assert await running == Cancelled()

    assert await rows_of(owner_connection, "proposals", tenant.id) == []
    assert await tags_of(owner_connection, tenant) == []


async def test_a_lead_of_others_is_not_found(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    _person_id, lead_id = await people.client_and_lead(owner_connection, tenant, SENIOR)

    answer = (await api.data("LeadTag", role=JUNIOR, leadId=f"lead_{lead_id}"))["leadTag"]

    assert answer["code"] == "NOT_FOUND"
    assert await rows_of(owner_connection, "jobs", tenant.id) == []

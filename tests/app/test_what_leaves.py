"""What a hosted provider receives of all that this product asks of models: nobody whom the tenant knows is in it.

Each caller is run for real, over a database with the demo's people in it, and the bytes on the wire are looked through.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import phonenumbers
import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.demo.team import SAFFRON
from app.renders import expanding
from app.worker.asking import LeasedAsking
from app.worker.items import ItemsHandler
from app.worker.leases import LeasedPlaces
from db.jobs.slots import SqlSlots
from domain.access import Role
from domain.cctv.judging import CctvProfiler, RiskAnalyzer
from domain.inference import InferenceTask, ProviderKind, ProviderSwitch
from domain.jobs import JobHandler, JobKind, NewJob, RenderWorkflow, RoomType, SlotKind, Succeeded
from domain.perception import QdRefiner, request_refining
from domain.proposals import LeadTagger
from gpu.inference.capabilities import Memory
from gpu.inference.router import Router
from gpu.inference.settings import InferenceSettings
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.api import Api
from tests.factories import interactions, people
from tests.factories.access import Tenant
from tests.factories.rows import insert, rows_of
from tests.fake_llm import FakeLlm, Received, Say
from tests.gpu.test_pseudonyms_of_the_demo import Somebody, reply
from tests.gpu.test_pseudonyms_of_the_demo import tenant as demo_of
from tests.graph.test_lead_tags import CASH
from tests.graph.test_refining import OPINION, measured
from tests.working import begin, work

pytestmark = pytest.mark.usefixtures("nobodys_jobs")

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
ANSWERS = PromptedAnswers(load_prompts())
HOSTED: Final = "hosted"
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Unswitched:
    """Nobody has switched anything."""

    async def of(self, tenant_id: UUID) -> Mapping[UUID, ProviderSwitch]:
        assert tenant_id is not None
        return {}


@dataclass(slots=True)
class World:
    """A tenant with the demo's people, and a hosted provider."""

    api: Api
    owner: Owner
    engine: AsyncEngine
    router: Router
    fake: FakeLlm
    everybody: list[Somebody]
    talk: str
    """Names all of them, with their phones and addresses, known and unknown."""

    async def run(self, job_id: UUID, handler: JobHandler, said: str) -> None:
        """Run a job's handler with a provider that says this."""
        self.fake.otherwise = Say(said)
        lease = await begin(self.api.system, self.engine, self.api.tenant, job_id)
        assert await work(self.api.system, lease, handler) == Succeeded()

    async def newest(self) -> UUID:
        found: UUID = (await rows_of(self.owner, "jobs", self.api.tenant.id))[-1]["id"]
        return found

    @property
    def asking(self) -> LeasedAsking:
        return LeasedAsking(ANSWERS, self.router)


@pytest.fixture
async def world(api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine) -> AsyncIterator[World]:
    everybody = demo_of(SAFFRON).people[:40]
    for each in everybody:
        await people.person(
            owner_connection, tenant, full_name=each.name, primary_phone_e164=each.phone, primary_email=each.email
        )
    told = "\n".join(f"{each.name} ({each.phone}, {each.email})" for each in everybody)
    # Nobody knows these; what they are is seen.
    told += "\nA friend: 98111 22233, +1 415 555 2671, friend@mail.example, call 4455667."
    entry = {"name": HOSTED, "kind": "VLLM", "model": "m1", "on_premise": False, "url": "https://hosted.invalid"}
    settings = InferenceSettings.model_validate({"providers": [entry]})
    fake, slots = FakeLlm(ProviderKind.VLLM), SqlSlots(write_engine)
    router = Router(settings, Unswitched(), Memory(None))
    await slots.declare(SlotKind.LLM, HOSTED, 4)
    async with fake.serving():
        # TLS is for the real world: the fake has none.
        router.endpoints[HOSTED].wire._root = fake.url
        yield World(api, owner_connection, write_engine, router, fake, everybody, told)
        await router.close()
    await slots.declare(SlotKind.LLM, HOSTED, 0)


def left(world: World) -> str:
    """Return all that has left: every body that the provider received."""
    assert world.fake.asked
    return "\n".join(json.dumps(each.body, ensure_ascii=False) for each in world.fake.received).casefold()


def leaks(world: World) -> list[str]:
    """Return everybody's whole name, phone and address that have left, and the unknown friend's."""
    wire = left(world)
    digits = re.sub(r"\D", "", wire)
    found = [each.name for each in world.everybody if each.name.casefold() in wire]
    found += [each.email for each in world.everybody if each.email and each.email.casefold() in wire]
    for each in world.everybody:
        if each.phone and str(phonenumbers.parse(each.phone).national_number) in digits:
            found.append(each.phone)
    return (
        found
        + [each for each in ("9811122233", "4155552671", "4455667") if each in digits]
        + [each for each in ("friend@mail.example",) if each in wire]
    )


async def tagged(world: World) -> None:
    tenant, owner = world.api.tenant, world.owner
    person = (await rows_of(owner, "people", tenant.id))[0]["id"]
    lead = await people.lead(owner, tenant, person_id=person, assignee_id=tenant.users[JUNIOR])
    note = f"{world.talk}\nwe pay in cash"
    await interactions.interaction(owner, tenant, person_id=person, kind="NOTE", text=note)
    await people.fact(owner, tenant, person_id=person, text=world.talk[:900])
    await insert(owner, "tags", tenant.id, id=lead, name="cash")
    asked = (await world.api.data("LeadTag", role=JUNIOR, leadId=f"lead_{lead}"))["leadTag"]
    await world.run(UUID(asked["job"]["id"].removeprefix("job_")), LeadTagger(world.asking), CASH)


async def refined(world: World) -> None:
    world.api.after_session = request_refining
    session, _ = await measured(world.api, world.owner)
    [row] = await rows_of(world.owner, "perception_sessions", world.api.tenant.id)
    await interactions.interaction(
        world.owner, world.api.tenant, person_id=row["person_id"], kind="NOTE", text=world.talk
    )
    await world.api.data("PerceptionSessionComplete", role=JUNIOR, sessionId=session)
    await world.run(await world.newest(), QdRefiner(world.asking), OPINION)


async def profiled(world: World) -> None:
    first, second = world.everybody[:2]
    given = {
        "camera": f"{first.name}'s gate", "at": NOW.isoformat(), "idempotencyKey": "one",
        "detections": [{"label": "car", "confidence": 0.9, "attributes": {"driver": second.name.split()[-1]}}],
    }  # fmt: skip
    await world.api.data("CctvEventIngest", role=SENIOR, input=given)
    said = reply(InferenceTask.CCTV_PROFILER, "A car came.")
    await world.run(await world.newest(), CctvProfiler(world.asking), said)
    wire = left(world)
    # Of what a camera is called after, a part of a name is enough.
    assert not [part for each in (first, second) for part in each.parts if re.search(rf"\b{part}\b", wire)]


async def judged(world: World) -> None:
    first, second = world.everybody[:2]
    found = [{"label": second.name, "confidence": 0.9, "at": (NOW - timedelta(minutes=1)).isoformat()}]
    await world.api.data(
        "DetectionBatchSubmit", role=SENIOR, input={"camera": f"Villa {first.name}", "detections": found}
    )
    said = reply(InferenceTask.RISK_ANALYZER, "Nothing.")
    await world.run(await world.newest(), RiskAnalyzer(world.asking), said)


async def expanded(world: World) -> None:
    keywords = (*(f"as {each.name} likes it" for each in world.everybody[:9]), "call 98111 22233")
    new = NewJob(
        kind=JobKind.RENDER, workflow=RenderWorkflow.STAGING, room_type=RoomType.KITCHEN, keywords=keywords,
        takes_slot=False,
    )  # fmt: skip
    async with world.api.system.units.write(world.api.tenant.caller(JUNIOR)) as unit:
        job_id = await unit.jobs.enqueue(new)
    world.fake.otherwise = Say(reply(InferenceTask.PROMPT_EXPANDER, "A kitchen."))
    lease = await begin(world.api.system, world.engine, world.api.tenant, job_id)
    expand = expanding(ANSWERS, lambda job, held: world.router.of(job.tenant_id, LeasedPlaces(held)))
    words = await expand(lease.claim.job, lease)
    assert words is not None
    assert words.shows == "A kitchen."


async def submitted(world: World) -> None:
    for task in InferenceTask:
        item = {"requestId": "a", "messages": [{"role": "user", "content": world.talk}]}
        given = {"task": task.name, "items": [item]}
        asked = (await world.api.data("InferenceSubmit", role=JUNIOR, input=given))["inferenceSubmit"]
        said = "Well." if task is InferenceTask.CHAT else reply(task, "Well.")
        job_id = UUID(asked["job"]["id"].removeprefix("job_"))
        await world.run(job_id, ItemsHandler(world.router, ANSWERS), said)


CALLERS: Final[list[Callable[[World], Awaitable[None]]]] = [tagged, refined, profiled, judged, expanded, submitted]


@pytest.mark.parametrize("ask", CALLERS, ids=lambda ask: str(ask.__name__))
async def test_nobody_whom_the_tenant_knows_is_on_the_wire(
    world: World, ask: Callable[[World], Awaitable[None]]
) -> None:
    await ask(world)
    assert leaks(world) == []
    assert "person_" in left(world)


async def test_those_around_somebody_are_not_named_by_a_part_of_their_names(world: World) -> None:
    """A spouse, a household, the team and whoever was absorbed are called by their first names."""
    tenant, owner = world.api.tenant, world.owner
    someone = await people.person(owner, tenant, full_name="Leena Quarless")
    around: dict[str, Any] = {
        "Ottoline": await people.person(owner, tenant, full_name="Ottoline Brack"),
        "Peregrine": await people.person(owner, tenant, full_name="Peregrine Ault"),
        "Thessaly": await people.person(owner, tenant, full_name="Thessaly Orme", merged_into_id=someone),
    }
    await people.relationship(owner, tenant, person_id=someone, other_id=around["Ottoline"])
    # The other direction alone, as an import may leave it.
    await people.relationship(owner, tenant, person_id=around["Peregrine"], other_id=someone)
    lead = await people.lead(owner, tenant, person_id=someone, assignee_id=tenant.users[JUNIOR])
    text = f"{', '.join(around)} and Leena: we pay in cash"
    await interactions.interaction(owner, tenant, person_id=someone, kind="NOTE", text=text)
    await insert(owner, "tags", tenant.id, id=lead, name="cash")
    asked = (await world.api.data("LeadTag", role=JUNIOR, leadId=f"lead_{lead}"))["leadTag"]
    await world.run(UUID(asked["job"]["id"].removeprefix("job_")), LeadTagger(world.asking), CASH)
    wire = left(world)
    assert not [name for name in (*around, "Leena") if name.casefold() in wire]


async def test_others_are_hidden_also_where_their_names_are_written_otherwise(world: World) -> None:
    tenant, owner = world.api.tenant, world.owner
    for name in ("José Ñúñez", "Анна Петрова", "Priyanka Iyer"):
        await people.person(owner, tenant, full_name=name)
    someone = await people.person(owner, tenant, full_name="Leena Quarless")
    lead = await people.lead(owner, tenant, person_id=someone, assignee_id=tenant.users[JUNIOR])
    text = "Jose Nunezji, ПЕТРОВА Анна and Iyer's Priyanka came, and we pay in cash"
    await interactions.interaction(owner, tenant, person_id=someone, kind="NOTE", text=text)
    await insert(owner, "tags", tenant.id, id=lead, name="cash")
    asked = (await world.api.data("LeadTag", role=JUNIOR, leadId=f"lead_{lead}"))["leadTag"]
    await world.run(UUID(asked["job"]["id"].removeprefix("job_")), LeadTagger(world.asking), CASH)
    wire = left(world)
    assert not [part for part in ("jose", "nunez", "анна", "петрова", "priyanka", "iyer") if part in wire]


async def test_what_would_leak_is_found(world: World) -> None:
    for text in (world.everybody[0].name, world.everybody[0].phone, "9811122233", "friend@mail.example"):
        world.fake.received.clear()
        body = {"messages": [{"role": "user", "content": text}]}
        world.fake.received.append(Received("POST", "/v1/chat/completions", {}, body))
        assert leaks(world), text

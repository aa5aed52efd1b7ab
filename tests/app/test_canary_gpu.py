"""What must be told nowhere, of work for models and machines: prompts, answers, what cameras saw, keys, and names.

Models and a render worker that repeat what they are asked, in whatever way, are asked for everything that there is.
Then every column of every table is looked through, and so are logs, metrics and answers.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record

from domain.inference import ProviderKind
from domain.jobs import FINISHED
from domain.qd import BLEND_SHAPES
from gpu.renders.workflows import TEMPLATES
from tests.app.test_canary import Client
from tests.comfy.server import FakeComfy, fake_comfy, photograph
from tests.fake_llm import Behaviour, Break, FakeLlm, Json, Refuse, Say
from tests.installation import SCALE, Installation

MODEL_KEY = "nvapi-canary-key-of-a-model"
NOTE = "canary-note: meet me behind the temple"
MESSAGE = "canary-message: she pays in gold"
ANSWER = "canary-answer: he is in debt"
KEYWORD = "canary-keyword as in the old palace"
LABEL = "canary-label of a car"
CAMERA = "canary-camera at the gate"
NAME = "Zerlina Quarless"
SCORE_OF_A_FACE = "0.82746139051"
PLATE = "KA05ZQ7731"
ADMIN = "admin@saffron.example"

CANARIES: Final = {
    "key": "canary-key-of-a-model", "note": "canary-note", "message": "canary-message", "answer": "canary-answer",
    "keyword": "canary-keyword", "label": "canary-label", "camera": "canary-camera", "name": "quarless",
    "face": SCORE_OF_A_FACE, "plate": PLATE.casefold(),
}  # fmt: skip
KEPT: Final = {
    "note": {"interactions.text"},
    "message": {"inference_items.messages", "inference_items.output_text"},
    "answer": {"inference_items.output_text"},
    "keyword": {"jobs.keywords", "jobs.payload", "jobs.prompt"},
    "label": {"cctv_events.detections"},
    "camera": {"cctv_events.camera"},
    "name": {
        "people.full_name", "people.search_name", "interactions.text", "inference_items.messages",
        "inference_items.output_text",
    },
}  # fmt: skip
"""Where each of them is by design: where it was asked for, or is what somebody is shown who may see it."""

COLUMNS: Final = """
SELECT format('%I.%I', nspname, relname) AS name, attname AS column_name FROM pg_attribute
JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname !~ '^(pg_|information_schema)'
  AND attnum > 0 AND NOT attisdropped
"""


@dataclass(slots=True)
class Parrot:
    """A model that fails by repeating what it was asked, each time in another way; or answers, where it is told to."""

    answers: list[Behaviour] = field(default_factory=list)
    asked: int = 0

    def __call__(self, body: Json) -> Behaviour:
        if self.answers:
            return self.answers.pop(0)
        self.asked += 1
        said = "\n".join(str(message["content"]) for message in body["messages"])
        # What is cut off behind 160 characters begins with what was asked.
        said = said[said.find("canary-") :] if "canary-" in said else said[-120:]
        ways = (
            Refuse(400, json.dumps({"error": {"message": f"Bad: {said} {MODEL_KEY}", "type": "BadRequest"}})),
            Refuse(400, json.dumps({"error": json.dumps(said).upper()})),
            Refuse(422, json.dumps({"detail": [{"loc": ["body"], "msg": said, "input": said}]})),
            Refuse(400, f"<html>{said.replace(' ', '&nbsp;')}</html>"),
            Refuse(400, json.dumps({"object": "error", "message": said[:14], "code": 400, "type": said})),
            Say(f"I will not say: {said}"),
        )
        return ways[self.asked % len(ways)]


@dataclass(slots=True)
class Site:
    """An installation with such models, and somebody signed in."""

    client: Client
    model: Parrot
    comfy: FakeComfy
    superuser: "Connection[Record]"
    answered: list[str] = field(default_factory=list)
    """What clients were answered of jobs that failed."""
    secrets: list[str] = field(default_factory=list)

    async def ended(self, job_id: str, *, render: bool = False) -> Any:
        """Wait for a job to end, and keep how it did."""
        never = asyncio.get_running_loop().create_future()
        name, more = ("RenderJob", {}) if render else ("InferenceJob", {"first": 9})
        async with asyncio.timeout(60):
            while True:
                job = await self.client.send(name, id=job_id, **more)
                if job["status"] in {status.name for status in FINISHED}:
                    if job["error"] is not None:
                        self.answered.append(json.dumps(job["error"]))
                    return job
                await asyncio.wait([never], timeout=0.1)

    async def submitted(self, task: str, *messages: str) -> Any:
        """Submit items, one for each message, and wait for their end."""
        items = [
            {"requestId": str(number), "messages": [{"role": "user", "content": each}]}
            for number, each in enumerate(messages)
        ]
        asked = await self.client.send("InferenceSubmit", input={"task": task, "items": items})
        return await self.ended(asked["job"]["id"])

    async def uploaded(self) -> str:
        """Send a photograph of a room."""
        content = photograph()
        made = await self.client.send("UploadCreate", purpose="ROOM_PHOTO", contentType="image/png", bytes=len(content))
        headers = {each["name"]: each["value"] for each in made["upload"]["headers"]}
        assert (await self.client.http.put(made["upload"]["url"], content=content, headers=headers)).is_success
        upload_id: str = made["upload"]["id"]
        return upload_id

    async def newest(self, task: str) -> str:
        """Return the job of a task that was asked for last."""
        found = await self.superuser.fetchval(
            "SELECT id FROM jobs WHERE task = $1 ORDER BY created_at DESC, id DESC LIMIT 1", task
        )
        return f"job_{found}"


async def ask_for_everything(site: Site) -> None:
    """Let models tag a lead, read a visit and judge cameras, answer messages, and let a worker render."""
    send = site.client.send
    person = (await send("PersonCreate", input={"fullName": NAME, "phone": "+919811122233"}))["person"]["id"]
    lead = (await send("LeadCreate", input={"personId": person, "source": "WEBSITE"}))["lead"]["id"]
    detail = {"note": {"text": f"{NAME}: {NOTE}"}}
    noted = {"personId": person, "occurredAt": datetime.now(UTC).isoformat(), "detail": detail}
    await send("InteractionLog", input=noted)
    for _ in range(3):
        asked = await send("LeadTag", leadId=lead)
        assert (await site.ended(asked["job"]["id"]))["status"] == "FAILED"
    await visit(site, person)
    await drive_past(site)
    for task in ("CHAT", "RISK_ANALYZER"):
        for _ in range(3):
            assert (await site.submitted(task, f"{NAME}: {MESSAGE}"))["status"] in {"FAILED", "SUCCEEDED", "PARTIAL"}
    site.model.answers = [Say(ANSWER)]
    assert (await site.submitted("CHAT", MESSAGE))["status"] == "SUCCEEDED"
    # Each attempt begins an answer, and then breaks off with all that it was asked.
    quoting = json.dumps({"error": {"message": f"{MESSAGE}, said {NAME}", "code": 500}})
    site.model.answers = [Break(ANSWER, f"data: {quoting}")] * 3
    assert (await site.submitted("CHAT", MESSAGE))["status"] == "FAILED"
    await render(site)
    site.answered.append(json.dumps(await send("InferenceProviders")))
    await send("Fleet")


async def visit(site: Site, person: str) -> None:
    """Measure somebody, and let a model read the visit."""
    given = {
        "subjectKind": "PERSON", "personId": person, "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE",
        "noticeVersion": "1",
    }  # fmt: skip
    consent = (await site.client.send("ConsentGrant", input=given))["consent"]["id"]
    session = (await site.client.send("PerceptionSessionStart", consentId=consent, surface="KIOSK"))["session"]["id"]
    face = {"blendShapes": dict.fromkeys(BLEND_SHAPES, float(SCORE_OF_A_FACE))}
    now = datetime.now(UTC)
    packets = [{"at": (now + timedelta(seconds=number / 5)).isoformat(), "face": face} for number in range(9)]
    await site.client.send("PerceptionIngest", sessionId=session, sequence=1, packets=packets)
    await site.client.send("PerceptionSessionComplete", sessionId=session)
    assert (await site.ended(await site.newest("QD_CALCULATOR")))["status"] == "FAILED"


async def drive_past(site: Site) -> None:
    """Let a bridge with a key of its own tell what cameras saw, which a model does not want to judge."""
    at = datetime.now(UTC).isoformat()
    seen = {"label": LABEL, "confidence": 0.9}
    event = {"camera": CAMERA, "at": at, "idempotencyKey": "one", "plate": PLATE, "detections": [seen]}
    batch = {"camera": CAMERA, "detections": [seen | {"at": at}]}
    names = {"CctvEventIngest": event, "DetectionBatchSubmit": batch}
    rows = await site.superuser.fetch(
        "SELECT id FROM persisted_operations o WHERE name = ANY($1)"
        " AND tenant_id = (SELECT tenant_id FROM users WHERE email = $2)", list(names), ADMIN,
    )  # fmt: skip
    operations = [f"operation_{row['id']}" for row in rows]
    key = await site.client.send(
        "ApiKeyCreate", input={"displayName": "Gate", "role": "SENIOR_BROKER", "operationIds": operations}
    )
    site.secrets.append(key["secret"])
    bridge = Client(site.client.http, {"authorization": f"Bearer {key['secret']}"})
    for name, given in names.items():
        # Once with a key that is none, and once as it should be.
        wrong = Client(site.client.http, {"authorization": f"Bearer {key['secret']}x"}, bridge.refusals)
        assert await wrong.send(name, input=given) is None
        found = await bridge.send(name, input=given)
        assert (await site.ended(found["job"]["id"]))["status"] == "FAILED"
    site.answered += bridge.refusals


async def render(site: Site) -> None:
    """Have a photograph rendered by a worker that fails with all that it was told."""
    told = f"{KEYWORD} {NAME} /srv/{KEYWORD}"
    for error in (("ImageBlur", "ValueError", told), ("ImageBlur", told, told)):
        site.comfy.engine.faults.error = error
        given = {"photoUploadId": await site.uploaded(), "roomType": "KITCHEN", "keywords": [KEYWORD]}
        asked = await site.client.send("RenderSubmit", input=given)
        assert (await site.ended(asked["job"]["id"], render=True))["error"]["code"] == "RENDER_FAILED"


async def kept(superuser: "Connection[Record]") -> dict[str, set[str]]:
    """Return in which columns of the whole database each canary stands."""
    columns = await superuser.fetch(COLUMNS)
    found: dict[str, set[str]] = {}
    for row in columns:
        for name, canary in CANARIES.items():
            statement = f'SELECT EXISTS (SELECT FROM {row["name"]} t WHERE t."{row["column_name"]}"::text ILIKE $1)'
            if await superuser.fetchval(statement, f"%{canary}%"):
                found.setdefault(name, set()).add(f"{row['name'].removeprefix('public.')}.{row['column_name']}")
    return found


@pytest.fixture
async def servers(folder: Path) -> AsyncIterator[tuple[FakeLlm, Parrot, FakeComfy, dict[str, str]]]:
    """A model and a render worker that repeat what they are told, and settings that name them."""
    async with AsyncExitStack() as stack:
        llm, parrot = FakeLlm(ProviderKind.VLLM, key=MODEL_KEY), Parrot()
        await stack.enter_async_context(llm.serving())
        llm.otherwise = parrot
        comfy = await stack.enter_async_context(fake_comfy(folder / "comfy"))
        provider = f'name = "parrot"\nkind = "VLLM"\nurl = "{llm.url}"\nmodel = "m1"\nkey_variable = "MODEL_KEY"\n'
        (folder / "models.toml").write_text(f"[[providers]]\n{provider}")
        workflows = folder / "workflows"
        workflows.mkdir()
        (workflows / "staging.json").write_text((TEMPLATES / "trial.json").read_text())
        yield llm, parrot, comfy, {
            "VELOCITY_INFERENCE_SETTINGS": str(folder / "models.toml"), "MODEL_KEY": MODEL_KEY,
            "COMFYUI_URLS": f"studio={comfy.url}", "VELOCITY_RENDER_WORKFLOWS": str(workflows),
            "VELOCITY_REFINE_QD": "true", "VELOCITY_DEMO_SCALE": SCALE, "VELOCITY_LOG_FORMAT": "json",
        }  # fmt: skip


async def test_nothing_that_models_and_machines_are_told_is_told_elsewhere(
    folder: Path, servers: tuple[FakeLlm, Parrot, FakeComfy, dict[str, str]]
) -> None:
    llm, parrot, comfy, settings = servers
    installation = Installation(folder / "var", settings)
    with installation.serving("--demo") as serving:
        password = (folder / "var" / "demo.password").read_text().strip()
        superuser = await asyncpg.connect(installation.server.addresses.superuser)
        async with httpx.AsyncClient(base_url=serving.base, timeout=30) as http:
            client = Client(http)
            login = await client.send("Login", email=ADMIN, password=password)
            client.headers["authorization"] = f"Bearer {login['accessToken']}"
            site = Site(client, parrot, comfy, superuser)
            await ask_for_everything(site)
            metrics = (await http.get("/metrics")).text
        found = await kept(superuser)
        await superuser.close()
        _, logged = serving.end(signal.SIGINT)

    assert found.keys() == KEPT.keys()
    assert {name: where for name, where in found.items() if not where <= KEPT[name]} == {}
    places = {
        "log": logged, "metrics": metrics, "errors": "\n".join([*client.refusals, *site.answered]),
        "PostgreSQL's log": (installation.server.directory / "log").read_text(),
    }  # fmt: skip
    canaries = CANARIES | {f"secret {number}": each.casefold() for number, each in enumerate(site.secrets)}
    told = [
        f"{what} in {where}"
        for what, canary in canaries.items() for where, text in places.items() if canary in text.casefold()
    ]  # fmt: skip
    assert told == []
    # All of it was really sent, and nothing but answers went well.
    sent = json.dumps([each.body for each in llm.asked]).casefold()
    assert (PLATE.casefold() in sent, SCORE_OF_A_FACE in sent) == (False, False)
    assert [name for name in ("note", "message", "label", "camera", "name") if CANARIES[name] not in sent] == []
    assert len(comfy.engine.submitted) == 2
    assert len(site.answered) > 10
    assert all(places.values())

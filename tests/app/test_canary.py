"""What must be told nowhere: planted through real operations, failing ones too, and looked for where it could be."""

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record

from app import logs
from domain.inference import ProviderKind
from domain.qd import BLEND_SHAPES
from tests.api import operation
from tests.clusters import copied
from tests.factories import access
from tests.factories.access import Tenant
from tests.fake_llm import FakeLlm, Json, Refuse
from tests.installation import SCALE, Installation
from tests.serving import PATIENCE

SIGNING_KEY = "canary-signing-key-that-is-long-enough-for-us"
WRONG_PASSWORD = "canary-wrong-password"
MODEL_KEY = "nvapi-canary-key-of-a-model"
TEXT = "canary-message: meet me behind the temple"
BIOMETRIC = "0.82746139051"
LANDMARKS = f"blendshapes [{BIOMETRIC}, 0.11]"
PLATE = "KA05ZQ7731"
# Where something about an operation is kept for later; each of them tells who did what, never what was said.
KEPT = (
    *("audit_entries", "events", "activity_entries", "notifications", "erasures", "erasure_receipts"),
    *("cctv_events", "idempotency_keys", "jobs"),
)


@dataclass(slots=True)
class Client:
    """A signed-in client that keeps whatever it was answered instead of data."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    async def send(self, name: str, **variables: Any) -> Any:
        """Send a client operation and return what its one field answered; None for an error."""
        text = name if "{" in name else operation(name)
        answer = await self.http.post("/graphql", json={"query": text, "variables": variables}, headers=self.headers)
        content = answer.json()
        if "errors" in content:
            self.refusals.append(answer.text)
            return None
        [result] = content["data"].values()
        if isinstance(result, dict) and str(result.get("__typename", "")).endswith("Problem"):
            self.refusals.append(answer.text)
        return result


@asynccontextmanager
async def broken(superuser: "Connection[Record]", table: str) -> AsyncIterator[None]:
    """Let every new row of a table fail, in the way that makes PostgreSQL quote the row."""
    await superuser.execute(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        yield
    finally:
        await superuser.execute(f"ALTER TABLE {table} DROP CONSTRAINT broken")


async def plant_wrongly(client: Client, person_id: str, thread_id: str) -> None:
    """Use them as values of the wrong kind, and in documents that hold them themselves."""
    await client.send("MessageSend", threadId=thread_id, text=[TEXT])
    await client.send("PersonCreate", input=TEXT)
    await client.send("PersonCreate", input={"fullName": {"first": TEXT}})
    await client.send("PersonCreate", input={"fullName": "Asha Rao", TEXT: LANDMARKS})
    await client.send("ThreadOpen", channel=TEXT, personId=person_id)
    await client.send(f'{{ leads(first: "{TEXT}") {{ totalCount }} }}')
    await client.send(f'{{ leads "{TEXT}" }}')


async def measure(client: Client, superuser: "Connection[Record]") -> None:
    """Send faces in every way that is refused, fails or succeeds."""
    given = {"subjectKind": "VISITOR", "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "noticeVersion": "1"}
    consent = (await client.send("ConsentGrant", input=given))["consent"]["id"]
    session = (await client.send("PerceptionSessionStart", consentId=consent, surface="KIOSK"))["session"]["id"]
    share, now = float(BIOMETRIC), datetime.now(UTC)
    shapes = dict.fromkeys(BLEND_SHAPES, share)
    face = {"blendShapes": shapes}

    async def ingest(sequence: int, *faces: object, at: datetime = now) -> Any:
        packets = [{"at": (at + timedelta(seconds=n / 5)).isoformat(), "face": each} for n, each in enumerate(faces)]
        return await client.send("PerceptionIngest", sessionId=session, sequence=sequence, packets=packets)

    for wrong in (
        {"blendShapes": shapes | {"jawOpen": 1 + share}},
        {"blendShapes": shapes | {BIOMETRIC: share}},
        {"blendShapes": BIOMETRIC},
        {"landmarks": [[share, share, share]] * 3},
        # Refused by GraphQL itself, which likes to quote what it refuses.
        {"blendShapes": shapes, "landmarks": [[share] * 3] * 68},
        {"blendShape": shapes},
        [shapes],
        share,
    ):
        await ingest(1, wrong)
    # A score that is not stored is quoted by PostgreSQL; one that is stored stays where it is.
    async with broken(superuser, "visitor_scores"):
        assert await ingest(1, face, face, face) is None
    assert (await ingest(1, face, face, face))["acceptedCount"] == 3
    await client.send("PerceptionSessionComplete", sessionId=session)
    await client.send("ConsentWithdraw", consentId=consent)
    await drive_past(client, superuser)
    await ask(client)


async def drive_past(client: Client, superuser: "Connection[Record]") -> None:
    """Let cameras read a plate, in every way that is refused, fails or succeeds."""
    given: dict[str, Any] = {"camera": "Gate", "at": datetime.now(UTC).isoformat(), "idempotencyKey": "one"}
    for wrong in (
        {"plate": f"{PLATE}{PLATE}"},
        {"plate": [PLATE]},
        {"plate": PLATE, "detections": [{"label": PLATE, "confidence": 1}]},
        {"detections": [{"label": "car", "confidence": 1, "plate": PLATE}]},
        {"detections": [{"label": "car", "confidence": PLATE}]},
        {"detections": PLATE},
        {"at": PLATE},
        {"number": PLATE},
    ):
        await client.send("CctvEventIngest", input=given | wrong)
    async with broken(superuser, "cctv_events"):
        assert await client.send("CctvEventIngest", input=given | {"plate": PLATE}) is None
    for plate in (PLATE, PLATE.lower(), "KA05AA0001"):
        await client.send("CctvEventIngest", input=given | {"plate": plate})


def quoting(body: Json) -> Refuse:
    """Refuse a request as the worst server would: with all of it, and with the key."""
    return Refuse(400, json.dumps({"error": {"message": f"Bad: {body['messages'][0]['content']} {MODEL_KEY}"}}))


async def ask(client: Client) -> None:
    """Send a message to a model that refuses it, and keep what the job says of that."""
    items = [{"requestId": "one", "messages": [{"role": "user", "content": TEXT}]}]
    for task in ("CHAT", "RISK_ANALYZER"):
        submitted = await client.send("InferenceSubmit", input={"task": task, "items": items})
        job, never = submitted["job"], asyncio.get_running_loop().create_future()
        async with asyncio.timeout(2 * PATIENCE):
            while job["status"] in {"QUEUED", "RUNNING"}:
                await asyncio.wait([never], timeout=0.1)
                job = await client.send("InferenceJob", id=job["id"], first=1)
        assert (job["status"], job["error"]["code"]) == ("FAILED", "INVALID_REQUEST")
        client.refusals.append(json.dumps(job))
    client.refusals.append(json.dumps(await client.send("InferenceProviders")))


async def plant(client: Client, superuser: "Connection[Record]", password: str) -> dict[str, str]:
    """Use every secret, message and value, in ways that succeed and fail; return the secrets that were answered."""
    email = "admin@saffron.example"
    await client.send("Login", email=email, password=WRONG_PASSWORD)
    await client.send("Login", email=f"{WRONG_PASSWORD}@saffron.example", password=WRONG_PASSWORD)
    login = await client.send("Login", email=email, password=password)
    refreshed = await client.send("SessionRefresh", refreshToken=login["refreshToken"])
    client.headers["authorization"] = f"Bearer {refreshed['accessToken']}"

    person = (await client.send("PersonCreate", input={"fullName": "Asha Rao", "phone": "+919820012345"}))["person"]
    await client.send("PersonCreate", input={"fullName": "Asha Rao", "phone": TEXT, "email": LANDMARKS})
    thread = (await client.send("ThreadOpen", channel="WHATSAPP", personId=person["id"]))["thread"]
    await client.send("MessageSend", threadId=thread["id"], text=TEXT)
    logged = {"personId": person["id"], "occurredAt": "2026-11-01T10:00:00Z", "summary": f"{TEXT} {LANDMARKS}"}
    await client.send("InteractionLog", input=logged | {"detail": {"note": {"text": LANDMARKS}}})
    future = {"occurredAt": "2999-01-01T10:00:00Z", "detail": {"note": {"text": LANDMARKS}}}
    await client.send("InteractionLog", input=logged | future)
    await client.send("TaskCreate", input={"title": TEXT, "personId": person["id"]})
    await client.send("TaskCreate", input={"title": TEXT, "personId": f"person_{TEXT}"})
    await client.send("People", first=20, search=TEXT)
    await plant_wrongly(client, person["id"], thread["id"])
    tenant = Tenant(await superuser.fetchval("SELECT tenant_id FROM users WHERE email = $1", email))
    operation_id = await access.operation(superuser, tenant, text="query Canary { viewer { id } }", name="Canary")
    given = {"displayName": "Canary", "role": "JUNIOR_BROKER", "operationIds": [f"operation_{operation_id}"]}
    key = await client.send("ApiKeyCreate", input=given)
    await measure(client, superuser)
    for bearer in (key["secret"], f"{key['secret']}x", SIGNING_KEY):
        await client.http.post("/graphql", json={"documentId": "Canary"}, headers={"authorization": f"Bearer {bearer}"})

    # Defects: the rows that fail hold everything, and PostgreSQL names them to whoever asks.
    async with broken(superuser, "thread_messages"):
        assert await client.send("MessageSend", threadId=thread["id"], text=TEXT) is None
    async with broken(superuser, "interactions"):
        note = {"detail": {"note": {"text": LANDMARKS}}}
        assert await client.send("InteractionLog", input=logged | note) is None
    async with broken(superuser, "refresh_tokens"):
        assert await client.send("SessionRefresh", refreshToken=refreshed["refreshToken"]) is None
    await superuser.execute("ALTER TABLE thread_messages RENAME COLUMN text TO lost")
    assert await client.send("Thread", id=thread["id"], last=20) is None
    await superuser.execute("ALTER TABLE thread_messages RENAME COLUMN lost TO text")
    # A refresh token that comes twice ends the session.
    await client.send("SessionRefresh", refreshToken=login["refreshToken"])
    return {
        "access token": login["accessToken"],
        "refresh token": login["refreshToken"],
        "newer access token": refreshed["accessToken"],
        "newer refresh token": refreshed["refreshToken"],
        "API key": key["secret"],
    }


@pytest.fixture
async def model(folder: Path) -> AsyncIterator[FakeLlm]:
    """A model that refuses everything, and a settings file that names it."""
    async with FakeLlm(ProviderKind.VLLM, key=MODEL_KEY).serving() as fake:
        fake.otherwise = quoting
        provider = f'name = "quoting"\nkind = "VLLM"\nurl = "{fake.url}"\nmodel = "m1"\nkey_variable = "MODEL_KEY"\n'
        (folder / "models.toml").write_text(f"[[providers]]\n{provider}")
        yield fake


async def test_no_secret_message_or_measure_is_told_anywhere(folder: Path, blank: Path, model: FakeLlm) -> None:
    settings = {"VELOCITY_DEMO_SCALE": SCALE, "VELOCITY_SIGNING_KEY": SIGNING_KEY, "VELOCITY_LOG_FORMAT": "json"}
    settings |= {"VELOCITY_INFERENCE_SETTINGS": str(folder / "models.toml"), "MODEL_KEY": MODEL_KEY}
    installation = Installation(folder / "var", settings)
    copied(blank, installation.server.directory)
    with installation.serving("--demo") as serving:
        password = (folder / "var" / "demo.password").read_text().strip()
        superuser = await asyncpg.connect(installation.server.addresses.superuser)
        async with httpx.AsyncClient(base_url=serving.base, timeout=PATIENCE) as http:
            client = Client(http)
            answered = await plant(client, superuser, password)
            metrics = (await http.get("/metrics")).text
        kept = {name: str(await superuser.fetch(f"SELECT * FROM {name}")) for name in KEPT}
        await superuser.close()
        _, logged = serving.end(signal.SIGINT)

    lines = [json.loads(line) for line in logged.splitlines()]
    # The defects were really there, were masked, and left what helps to find them.
    masked = [line for line in lines if line["event"] == "error_masked"]
    states = [{each["sqlstate"] for each in line["exceptions"] if "sqlstate" in each} for line in masked]
    assert states == [*[{"23514"}] * 5, {"42703"}]
    assert len(client.refusals) >= 26
    for line in masked:
        assert any(line["error_id"] in refusal for refusal in client.refusals)

    assert len(model.asked) >= 2
    secrets = answered | {
        "model's key": MODEL_KEY,
        "password": password,
        "wrong password": WRONG_PASSWORD,
        "signing key": SIGNING_KEY,
    }
    canaries = secrets | {"message": TEXT, "biometric value": BIOMETRIC, "plate": PLATE}
    places = kept | {
        "log": logged,
        "metrics": metrics,
        "errors": "\n".join(client.refusals),
        "PostgreSQL's log": (installation.server.directory / "log").read_text(),
    }
    told = [f"{what} in {where}" for what, value in canaries.items() for where, text in places.items() if value in text]
    assert told == []
    # Each place was really written to.
    assert all(places.values())


async def test_what_nobody_waited_for_is_logged_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().get_exception_handler()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    logs.configure("json", for_good=False)
    loop.set_exception_handler(logs.unhandled)
    try:
        unseen = loop.create_future()
        unseen.set_exception(ValueError(TEXT))
        del unseen
        loop.call_exception_handler({"message": f"Exception in callback say({TEXT!r})"})
    finally:
        loop.set_exception_handler(before)
        root.handlers, root.level = handlers, level
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["event"] for line in lines] == ["unhandled_in_event_loop"] * 2
    assert lines[0]["exceptions"] == [{"type": "builtins.ValueError", "frames": []}]
    assert TEXT not in written

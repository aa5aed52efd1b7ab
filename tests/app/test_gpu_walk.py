"""A walk through the GPU plane: sign in, ask for a batch and a render, follow both, kill the worker, see both end.

Everything is real but the models: `velocity serve`, `velocity worker`, PostgreSQL, sockets and files. One server speaks
a model's wire format, and one ComfyUI's.
"""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from PIL import Image

from domain.access import Role
from domain.inference import ProviderKind
from gpu.renders.workflows import TEMPLATES
from tests.api import operation
from tests.app.test_faults import PATIENCE, SECRET, a_moment, serving
from tests.clusters import copied
from tests.comfy.server import FakeComfy, fake_comfy, photograph
from tests.factories import access
from tests.fake_llm import FakeLlm, Json, Say, Stall
from tests.graph.streams import Client, signed_in
from tests.installation import COMMAND, ROOT, Installation, Serving, end_all

Told = dict[str, Any]

ITEMS = [f"req_{number:02}" for number in range(20)]
ANSWERED = 8
"""How many items have an answer when the worker is killed; two more have half of one."""
CUT_OFF = ITEMS[ANSWERED : ANSWERED + 2]
WHOLE = {name: f"About Item {name}" for name in ITEMS}
AGAIN = {name: WHOLE[name] for name in ITEMS[ANSWERED:]}
EMAIL = "somebody@test.example"
WORDS = {"prompt": "oak kitchen, morning light", "negative_prompt": "people"}
SETTINGS = {"VELOCITY_WORKER": "false", "VELOCITY_WORKER_POLL_SECONDS": "0.5"}
SMALL = "query ($id: ID!) { renderJob(id: $id) { photo { thumbnailUrl } outputs { thumbnailUrl } } }"


@dataclass(slots=True)
class Halfway:
    """A model that answers the first items once it is let, and begins the others, which end when they are let."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    """What was asked of items."""
    expanded: int = 0
    """How often it wrote the words of a render."""
    killed: bool = False
    stalls: list[Stall] = field(default_factory=list)
    """The answers that have only begun."""

    def __call__(self, body: Json) -> Say | Stall:
        last = str(body["messages"][-1]["content"])
        if not last.startswith("Item "):
            self.expanded += 1
            return Say(json.dumps(WORDS))
        self.asked.append(last)
        if self.killed:
            return Say(f"About {last}")
        if last.removeprefix("Item ") in ITEMS[:ANSWERED]:
            return Stall(released=self.may, then=Say(f"About {last}"))
        self.stalls.append(Stall("Abo", then=Say(f"ut {last}")))
        return self.stalls[-1]


@dataclass(slots=True)
class Following:
    """Subscriptions on one socket, and what each was told."""

    client: Client
    told: dict[str, list[Told]] = field(default_factory=dict)

    async def follow(self, name: str, **variables: Any) -> None:
        self.told[name] = []
        await self.client.subscribe("JobUpdates", name, **variables)

    async def read(self) -> None:
        while True:
            message = json.loads(await self.client.opened.recv())
            if message["type"] == "ping":
                continue
            assert message["type"] == "next", message
            assert "errors" not in message["payload"], message
            self.told[message["id"]].append(message["payload"]["data"]["jobUpdates"])

    def durable(self, name: str) -> list[Told]:
        """What is kept, in order."""
        return [each for each in self.told[name] if each["__typename"] in {"JobStateChanged", "JobItemFinished"}]

    def states(self, name: str) -> list[str]:
        return [each["job"]["status"] for each in self.told[name] if each["__typename"] == "JobStateChanged"]

    def items(self, name: str) -> list[tuple[str, str]]:
        """Which items were told to have ended, and how."""
        found = [each["item"] for each in self.told[name] if each["__typename"] == "JobItemFinished"]
        return [(each["requestId"], each["status"]) for each in found]

    def texts(self, name: str, attempt: int) -> dict[str, str]:
        """The texts that grew in an attempt."""
        grown: dict[str, str] = {}
        for each in self.told[name]:
            if each["__typename"] == "JobTextDelta" and each["attempt"] == attempt:
                grown[each["requestId"]] = grown.get(each["requestId"], "") + each["text"]
        return grown

    def steps(self, name: str) -> list[Told]:
        return [each["progress"] for each in self.told[name] if each["__typename"] == "JobProgressed"]


@asynccontextmanager
async def following(http: httpx.AsyncClient) -> AsyncIterator[Following]:
    """Open a socket and read it, until the end."""
    async with signed_in(http, {"authorization": http.headers["authorization"]}) as client:
        made = Following(client)
        reading = asyncio.create_task(made.read())
        try:
            yield made
        finally:
            reading.cancel()
            await asyncio.wait([reading])
        assert reading.cancelled(), reading.exception()


@dataclass(slots=True)
class Site:
    """What walks through: a served installation with its models, and whoever signed in."""

    installation: Installation
    server: Serving
    http: httpx.AsyncClient
    comfy: FakeComfy
    llm: FakeLlm
    model: Halfway
    workers: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def logs(self) -> list[Path]:
        return [self.installation.folder.parent / f"worker-{number}.log" for number in range(len(self.workers))]

    def start(self, **settings: str) -> "subprocess.Popen[str]":
        """Start a worker, with settings of its own."""
        environment = self.installation.environment | settings
        path = self.installation.folder.parent / f"worker-{len(self.workers)}.log"
        with path.open("w") as log:
            self.workers.append(
                subprocess.Popen([COMMAND, "worker"], cwd=ROOT, env=environment, text=True, stdout=log, stderr=log)
            )
        return self.workers[-1]

    async def ask(self, document: str, **variables: Any) -> Any:
        """Ask for the only root field of a document, which may be a client's operation."""
        text = document if "{" in document else operation(document)
        answer = (await self.http.post("/graphql", json={"query": text, "variables": variables})).json()
        assert "errors" not in answer, answer
        [found] = answer["data"].values()
        return found

    async def sign_in(self) -> None:
        signed = await self.ask("Login", email=EMAIL, password=SECRET)
        self.http.headers["authorization"] = f"Bearer {signed['accessToken']}"

    async def uploaded(self) -> str:
        """Send a photograph of a room."""
        content = photograph()
        announced = await self.ask("UploadCreate", purpose="ROOM_PHOTO", contentType="image/png", bytes=len(content))
        upload = announced["upload"]
        headers = {each["name"]: each["value"] for each in upload["headers"]}
        sent = await self.http.put(upload["url"], content=content, headers=headers)
        assert sent.status_code == 200, sent.text
        upload_id: str = upload["id"]
        return upload_id

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something, as long as the newest worker lives."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                assert self.workers[-1].poll() is None, self.logs[-1].read_text()
                await a_moment()

    async def fetched(self, url: str) -> bytes:
        """The bytes at a signed address, which nobody has to be signed in for."""
        async with httpx.AsyncClient(base_url=self.http.base_url) as anybody:
            answer = await anybody.get(url)
            assert answer.status_code == 200, answer.text
            forged = await anybody.get(url[:-1] + ("0" if url[-1] != "0" else "1"))
            assert forged.status_code == 404
        return answer.content


def settings(folder: Path, llm: FakeLlm, comfy: FakeComfy) -> dict[str, str]:
    """Point Velocity at the models: a file for the one, an address for the other, and a workflow without a model."""
    models, workflows = folder / "models.toml", folder / "workflows"
    models.write_text(
        f'[[providers]]\nname = "gpu"\nkind = "LLAMA_CPP"\nurl = "{llm.url}"\nmodel = "m1"\nat_once = 2\n'
    )
    workflows.mkdir()
    (workflows / "staging.json").write_text((TEMPLATES / "trial.json").read_text())
    return SETTINGS | {
        "VELOCITY_INFERENCE_SETTINGS": str(models), "COMFYUI_URLS": f"studio={comfy.url}",
        "VELOCITY_RENDER_WORKFLOWS": str(workflows),
    }  # fmt: skip


@asynccontextmanager
async def opened_site(
    folder: Path, blank: Path, role: Role = Role.JUNIOR_BROKER, more: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """An installation that is served, with its models and somebody of a role who can sign in; `more` are settings."""
    async with AsyncExitStack() as stack:
        llm = await stack.enter_async_context(FakeLlm(ProviderKind.LLAMA_CPP).serving())
        comfy = await stack.enter_async_context(fake_comfy(folder / "comfy"))
        llm.otherwise = model = Halfway()
        installation = Installation(folder / "var", settings(folder, llm, comfy) | dict(more or {}))
        copied(blank, installation.server.directory)
        addresses = stack.enter_context(installation.server).addresses
        owner = await asyncpg.connect(addresses.owner)
        tenant = await access.tenant(owner)
        await access.password(owner, tenant, tenant.users[role], email=EMAIL, secret=SECRET)
        await owner.close()
        server = await stack.enter_async_context(serving(installation))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.base, timeout=PATIENCE))
        made = Site(installation, server, http, comfy, llm, model)
        try:
            yield made
        finally:
            end_all(made.workers)


@pytest.fixture
async def site(folder: Path, blank: Path) -> AsyncIterator[Site]:
    async with opened_site(folder, blank) as made:
        yield made


async def render_begun(site: Site, live: Following, start: str) -> str:
    """Ask for a render, which stands still in the middle of the picture; return the job."""
    engine = site.comfy.engine
    engine.faults.hold.add("LoadImage")
    asked = {"photoUploadId": await site.uploaded(), "roomType": "KITCHEN", "keywords": ["oak"]}
    job = (await site.ask("RenderSubmit", input=asked))["job"]
    assert job["status"] == "QUEUED"
    await live.follow("render", jobId=job["id"], after=start)
    # How far it is is told to those who follow, and kept for nobody.
    await site.until(lambda: engine.held.is_set() and len(live.states("render")) == 2)
    engine.release()
    engine.faults.hold.add("ImageBlur")
    await site.until(lambda: engine.held.is_set() and bool(live.steps("render")))
    return str(job["id"])


async def batch_begun(site: Site, live: Following, start: str) -> str:
    """Ask for a batch, of which eight items are answered, and of two more something is heard; return the job."""
    items = [{"requestId": name, "messages": [{"role": "user", "content": f"Item {name}"}]} for name in ITEMS]
    job = (await site.ask("InferenceSubmit", input={"task": "CHAT", "items": items}))["job"]
    assert (job["status"], job["submittedCount"]) == ("QUEUED", 20)
    await live.follow("batch", jobId=job["id"], after=start)
    # What a model says is told to those who follow, and kept for nobody.
    await site.until(lambda: len(site.model.asked) == 2 and len(live.states("batch")) == 2)
    site.model.may.set()

    def halfway() -> bool:
        texts = live.texts("batch", 1)
        return len(live.items("batch")) == ANSWERED and all(texts.get(name) == "Abo" for name in CUT_OFF)

    await site.until(halfway)
    return str(job["id"])


async def leases_over(site: Site) -> None:
    """Let the leases of what runs be over, which nobody renews any more."""
    superuser = await asyncpg.connect(site.installation.server.addresses.superuser)
    await superuser.execute("UPDATE jobs SET leased_until = now() - interval '1 ms' WHERE status = 'RUNNING'")
    await superuser.close()


async def test_a_batch_and_a_render_outlive_their_worker(site: Site) -> None:
    await site.sign_in()
    start = await site.ask("{ eventCursor }")
    first = site.start()
    async with following(site.http) as live:
        await live.follow("all", after=start)
        render_id = await render_begun(site, live, start)
        batch_id = await batch_begun(site, live, start)
        halfway = await site.ask("InferenceJob", id=batch_id, first=100)
        assert (halfway["status"], halfway["completedCount"]) == ("RUNNING", ANSWERED)
        assert (await site.ask("RenderJob", id=render_id))["status"] == "RUNNING"

        first.send_signal(signal.SIGKILL)
        assert await asyncio.to_thread(first.wait) == -signal.SIGKILL
        await leases_over(site)
        site.model.killed = True
        steps = len(live.steps("render"))
        second = site.start()
        # The picture goes on when the next worker watches it, and says so.
        await site.until(lambda: len(live.states("render")) == 4 and len(live.steps("render")) > steps)
        site.comfy.engine.release()
        await site.until(lambda: live.states("batch")[-1:] == live.states("render")[-1:] == ["SUCCEEDED"])
        await site.until(lambda: len(live.durable("all")) == len(live.durable("batch")) + len(live.durable("render")))
        # Frames travel apart from events: the last of them may come after the end.
        await site.until(lambda: live.steps("render")[-1]["value"] == 100 and live.texts("batch", 2) == AGAIN)

        check_told(live, batch_id, render_id, start)
        check_batch(await site.ask("InferenceJob", id=batch_id, first=100), halfway, site.model)
        await check_render(site, await site.ask("RenderJob", id=render_id))
        await check_replayed(site, live, start)

    second.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait) == 0
    # What was asked and answered is in no log.
    logged = "".join(path.read_text() for path in site.logs) + site.server.logged()
    assert not [word for word in ("About", "Item ", "oak", SECRET) if word in logged]


def check_told(live: Following, batch_id: str, render_id: str, start: str) -> None:
    """What the socket told: each event once and in order, and between them frames that repeat the last position."""
    for name, events in (("batch", 25), ("render", 5)):
        states = live.states(name)
        # A state is told as it is when it is told; the first and the third could be newer ones by then.
        assert (states[1], states[3:]) == ("RUNNING", ["RUNNING", "SUCCEEDED"])
        assert states[0] in {"QUEUED", "RUNNING"}
        assert states[2] in {"QUEUED", "RUNNING"}
        assert len(live.durable(name)) == events
    assert sorted(live.items("batch")) == [(name, "SUCCEEDED") for name in ITEMS]
    # The first attempt's pieces of what was never finished, and the whole of it in the second.
    assert live.texts("batch", 1) == {
        **{name: WHOLE[name] for name in ITEMS[:ANSWERED]}, **dict.fromkeys(CUT_OFF, "Abo"),
    }  # fmt: skip
    assert live.texts("batch", 2) == AGAIN
    assert live.steps("render")[-1] == {"value": 100, "max": 100, "step": None}

    cursors = [each["cursor"] for each in live.durable("all")]
    assert len({start, *cursors}) == 31
    for name, job_id in (("batch", batch_id), ("render", render_id)):
        of_all = [each["cursor"] for each in live.durable("all") if each["job"]["id"] == job_id]
        assert [each["cursor"] for each in live.durable(name)] == of_all
    last = start
    for each in live.told["all"]:
        if each["__typename"] in {"JobProgressed", "JobTextDelta"}:
            # What was read last may have been about no job: a picture that was added.
            assert each["cursor"] == last or each["cursor"] not in cursors
        last = each["cursor"]


def check_batch(job: Any, halfway: Any, model: Halfway) -> None:
    """What is stored of the batch: every item has one answer, and what was answered before has stayed."""
    assert (job["status"], job["task"], job["error"]) == ("SUCCEEDED", "CHAT", None)
    assert (job["submittedCount"], job["completedCount"], job["failedCount"]) == (20, 20, 0)
    items = [edge["node"] for edge in job["items"]["edges"]]
    assert [
        (each["requestId"], each["status"], each["attempt"], each["output"]["text"], each["usage"]) for each in items
    ] == [
        (name, "SUCCEEDED", 1 if at < ANSWERED else 2, WHOLE[name],
         {"promptTokens": 11, "completionTokens": 7})
        for at, name in enumerate(ITEMS)
    ]  # fmt: skip
    assert items[:ANSWERED] == [edge["node"] for edge in halfway["items"]["edges"]][:ANSWERED]
    # Only the two whose first answers broke off with the worker were asked a second time.
    assert sorted(model.asked) == sorted(f"Item {name}" for name in ITEMS + CUT_OFF)


async def check_render(site: Site, job: Any) -> None:
    """What is stored of the render: made once, taken up by the second attempt, and kept without metadata."""
    assert (job["status"], job["attempt"], job["error"]) == ("SUCCEEDED", 2, None)
    assert job["progress"] == {"value": 100, "max": 100, "step": None}
    # The words were written once, and the picture was begun once.
    assert (job["prompt"], site.model.expanded) == ("oak kitchen, morning light\n\nWithout: people", 1)
    assert site.comfy.engine.submitted == [job["id"].removeprefix("job_")]
    [output] = job["outputs"]
    assert (output["width"], output["height"], output["contentType"]) == (128, 96, "image/png")
    content = await site.fetched(output["url"])
    with Image.open(BytesIO(content)) as picture:
        assert (picture.format, picture.size, picture.info) == ("PNG", (128, 96), {})
    assert b"prompt" not in content
    small = await site.ask(SMALL, id=job["id"])
    for each in (small["photo"], *small["outputs"]):
        assert (await site.fetched(each["thumbnailUrl"]))[8:12] == b"WEBP"


async def check_replayed(site: Site, live: Following, start: str) -> None:
    """Whoever comes back from the beginning is told the same events at the same cursors, and no frame."""
    async with following(site.http) as again:
        await again.follow("all", after=start)
        await site.until(lambda: len(again.told["all"]) == 30)
    assert [(each["__typename"], each["cursor"], each["job"]["id"]) for each in again.told["all"]] == [
        (each["__typename"], each["cursor"], each["job"]["id"]) for each in live.durable("all")
    ]

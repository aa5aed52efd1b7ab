"""A render from the mutation to its files: through the worker's handler, the database, the store and a ComfyUI."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine

from app.assets.contents import FileContents
from app.fleet import render_workers
from app.outside.s3 import S3Store
from app.renders import WritersPlaces, expanding
from app.wiring import System
from app.worker import handlers as shipped
from app.worker.handlers import worker_id
from app.worker.leases import HeldLease
from app.worker.renders import RenderHandler
from app.worker.running import made
from db.jobs.slots import SqlSlots
from db.roles import set_tenant
from domain import jobs
from domain.access import Role
from domain.assets import ObjectStore
from domain.errors import Unavailable
from domain.fleet import Resource, Runtime, WorkerKind, WorkerSeen
from domain.jobs import (
    Cancelled,
    Failed,
    InferenceTask,
    JobKind,
    JobStatus,
    Lease,
    LeaseLost,
    Outcome,
    RunningJob,
    Slot,
    SlotKind,
    Succeeded,
)
from domain.renders import Words
from gpu.renders.workflows import TEMPLATES, read_workflow
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.api import Api
from tests.buckets import CREDENTIALS, bucket_server
from tests.comfy.server import photograph
from tests.comfy.workers import HASTY, Rendering, rendering
from tests.factories import assets
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.fake_llm import Say, Stall
from tests.gpu.inference.routing import routed
from tests.serving import PATIENCE
from tests.working import begin, work

pytestmark = pytest.mark.usefixtures("nobodys_jobs")

JUNIOR = Role.JUNIOR_BROKER
ANSWERS = PromptedAnswers(load_prompts())
JOB = """
query ($id: ID!) {
  renderJob(id: $id) {
    status attempt prompt promptVersion promptHash progress { value max step } error { code message retryable }
    photo { thumbnailUrl } outputs { id url thumbnailUrl width height contentType }
  }
}
"""


@dataclass
class Studio:
    """Everything that a render needs, and what is looked at afterwards."""

    api: Api
    system: System
    tenant: Tenant
    owner: "Connection[Record]"
    comfy: Rendering
    slots: SqlSlots
    handler: RenderHandler
    engine: AsyncEngine

    async def submitted(self, content: bytes | None = None, **values: Any) -> UUID:
        """Send a photograph and ask for a render of it; return the job."""
        upload = await assets.upload(
            self.owner, self.tenant, user_id=self.tenant.users[JUNIOR], purpose="ROOM_PHOTO",
            stored_bytes=len(content or photograph()),
        )  # fmt: skip
        await self.handler.objects.put(f"uploads/{self.tenant.id}/{upload}.png", content or photograph(), "image/png")
        given = {"photoUploadId": f"upload_{upload}", "roomType": "KITCHEN", "keywords": ["oak"], **values}
        made = await self.api.data("RenderSubmit", role=JUNIOR, input=given)
        return UUID(made["renderSubmit"]["job"]["id"].removeprefix("job_"))

    async def begun(self, job_id: UUID) -> HeldLease:
        return await begin(self.system, self.engine, self.tenant, job_id)

    async def ran(self, held: HeldLease) -> Outcome:
        """Run an attempt to its end, and end it."""
        return await work(self.system, held, self.handler)

    async def rendered(self, **values: Any) -> tuple[UUID, Outcome]:
        job_id = await self.submitted(**values)
        return job_id, await self.ran(await self.begun(job_id))

    async def shown(self, job_id: UUID) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.data(JOB, role=JUNIOR, id=f"job_{job_id}"))["renderJob"]
        return found

    async def content(self, url: str) -> bytes:
        """The bytes that an address serves."""
        key = url.removeprefix("/assets/").partition("?")[0]
        size = await self.handler.objects.size(key)
        assert size is not None
        return b"".join([piece async for piece in self.handler.objects.read(key, 0, size - 1)])


@asynccontextmanager
async def opened(
    folder: Path, api: Api, owner: "Connection[Record]", engine: AsyncEngine, *, workers: int = 1,
    objects: ObjectStore | None = None, **options: Any,
) -> AsyncIterator[Studio]:  # fmt: skip
    system, slots = api.system, SqlSlots(engine)
    contents = FileContents(1_000_000)
    async with rendering(folder, workers=workers, **options) as comfy:
        handler = RenderHandler(
            renderer=comfy.pool, objects=objects or system.uploads.objects, contents=contents, expand=None,
            worker_id=worker_id,
        )  # fmt: skip
        for name in comfy.pool.names:
            await slots.declare(SlotKind.COMFYUI, name, 1)
        try:
            yield Studio(api, system, api.tenant, owner, comfy, slots, handler, engine)
        finally:
            # Slots are the installation's, and some tests leave theirs held.
            await owner.execute("DELETE FROM slots WHERE kind = 'COMFYUI'")
            contents.close()


@pytest.fixture
async def studio(
    tmp_path: Path, api: Api, owner_connection: "Connection[Record]", write_engine: AsyncEngine
) -> AsyncIterator[Studio]:
    async with opened(tmp_path, api, owner_connection, write_engine) as made:
        yield made


async def test_a_render_ends_as_files_without_metadata_and_with_small_pictures(studio: Studio) -> None:
    job_id, outcome = await studio.rendered()
    assert outcome == Succeeded()
    job = await studio.shown(job_id)
    (output,) = job.pop("outputs")
    photo = job.pop("photo")
    assert job == {
        "status": "SUCCEEDED", "attempt": 1, "prompt": "Interior photograph of a furnished kitchen, oak",
        "progress": {"value": 100, "max": 100, "step": None}, "error": None,
        # No model wrote that.
        "promptVersion": None, "promptHash": None,
    }  # fmt: skip
    assert (output["width"], output["height"], output["contentType"]) == (128, 96, "image/png")
    assert output["url"].startswith(f"/assets/renders/{studio.tenant.id}/{job_id}/1/1.png?")
    content, small = await studio.content(output["url"]), await studio.content(output["thumbnailUrl"])
    with Image.open(BytesIO(content)) as picture, Image.open(BytesIO(small)) as thumbnail:
        assert (picture.info, thumbnail.format, thumbnail.size) == ({}, "WEBP", (128, 96))
    assert b"prompt" not in content
    assert (await studio.content(photo["thumbnailUrl"]))[8:12] == b"WEBP"


async def test_the_worker_forgets_what_it_was_asked(studio: Studio) -> None:
    await studio.rendered()
    assert studio.comfy.fake.engine.history == {}


async def test_a_film_is_kept_without_what_was_written_beside_it(
    tmp_path: Path, api: Api, owner_connection: "Connection[Record]", write_engine: AsyncEngine
) -> None:
    film = read_workflow(TEMPLATES / "image_to_video.json")
    async with opened(tmp_path, api, owner_connection, write_engine, workflow=film) as studio:
        for file in film.files:
            studio.comfy.fake.model(f"{file.folder}/{film.graph[file.node].inputs[file.input]}")
        job_id, outcome = await studio.rendered(workflow="IMAGE_TO_VIDEO")
        assert outcome == Succeeded()
        (output,) = (await studio.shown(job_id))["outputs"]
        assert (output["contentType"], output["thumbnailUrl"]) == ("video/mp4", None)
        content = await studio.content(output["url"])
        assert content.endswith(b"mdatfilm")
        assert b"secret" not in content


async def test_results_are_kept_in_a_bucket_as_on_a_disk(
    tmp_path: Path, api: Api, owner_connection: "Connection[Record]", write_engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with bucket_server() as server:
        server.make("renders")
        store = S3Store("renders", endpoint=server.endpoint, region="us-east-1")
        async with opened(tmp_path, api, owner_connection, write_engine, objects=store) as studio:
            job_id, outcome = await studio.rendered()
            assert outcome == Succeeded()
            folder = f"renders/{studio.tenant.id}/{job_id}/1"
            kept = [key for key in server.keys("renders") if key.startswith("renders/")]
            assert kept == [f"{folder}/1-small.webp", f"{folder}/1.png", f"{folder}/photo-small.webp"]
        await store.close()


async def test_what_a_model_wrote_is_sent_and_the_next_attempt_is_told_the_same(studio: Studio) -> None:
    asked: list[tuple[str, ...]] = []

    async def expand(job: RunningJob, _lease: Lease) -> Words | None:
        asked.append(job.keywords)
        return Words("A bright kitchen of oak", "people")

    studio.handler = replace(studio.handler, expand=expand)
    studio.comfy.fake.engine.faults.error = ("ImageBlur", "torch.OutOfMemoryError", "out of memory")
    job_id, outcome = await studio.rendered()
    assert outcome == Failed("OUT_OF_MEMORY", "The worker ran out of memory at: Softening.", retryable=True)
    shown = await studio.shown(job_id)
    assert (shown["status"], shown["error"]["code"]) == ("QUEUED", "OUT_OF_MEMORY")
    assert shown["prompt"] == "A bright kitchen of oak\n\nWithout: people"
    await due(studio, job_id)
    assert await studio.ran(await studio.begun(job_id)) == Succeeded()
    assert asked == [("oak",)]


async def words_in(studio: Studio, said: Say | Stall, **values: Any) -> tuple[str, int]:
    """Render where a model says something; return what the worker was told, and how often the model was asked."""
    async with routed({"on_premise": True}) as setting:
        setting.fakes["p0"].otherwise = said
        expand = expanding(ANSWERS, lambda _job, _lease: setting.models, 0.5 if isinstance(said, Stall) else PATIENCE)
        studio.handler = replace(studio.handler, expand=expand)
        job_id, outcome = await studio.rendered(**values)
        assert outcome == Succeeded()
        return (await studio.shown(job_id))["prompt"], len(setting.fakes["p0"].asked)


async def test_a_model_writes_what_a_furnished_room_shows(studio: Studio) -> None:
    said = json.dumps({"prompt": "oak kitchen,\n morning light", "negative_prompt": "people"})
    assert await words_in(studio, Say(said)) == ("oak kitchen, morning light\n\nWithout: people", 1)


async def test_a_model_without_words_or_time_leaves_the_keywords(studio: Studio) -> None:
    plain = "Interior photograph of a furnished kitchen, oak"
    # It is asked once more, and told what was wrong.
    assert await words_in(studio, Say("A nice kitchen.")) == (plain, 2)
    assert await words_in(studio, Stall()) == (plain, 1)


async def test_the_prompt_of_a_model_is_kept_with_the_render_and_told_with_its_files(studio: Studio) -> None:
    said = json.dumps({"prompt": "oak kitchen", "negative_prompt": "people"})
    prompt = load_prompts()[InferenceTask.PROMPT_EXPANDER]
    async with routed({"on_premise": True}) as setting:
        setting.fakes["p0"].otherwise = Say(said)
        studio.handler = replace(studio.handler, expand=expanding(ANSWERS, lambda _job, _lease: setting.models))
        studio.comfy.fake.engine.faults.error = ("ImageBlur", "torch.OutOfMemoryError", "out of memory")
        job_id, _ = await studio.rendered()
        await due(studio, job_id)
        assert await studio.ran(await studio.begun(job_id)) == Succeeded()
    shown = await studio.shown(job_id)
    assert (shown["promptVersion"], shown["promptHash"]) == (prompt.version, prompt.hash)
    # The first attempt asked for the words; the files are of the second.
    (output,) = shown["outputs"]
    events = await rows_of(studio.owner, "events", studio.tenant.id)
    [told] = [each["payload"] for each in events if f"asset_{each['subject_id']}" == output["id"]]
    assert json.loads(told) == {
        "job": str(job_id), "attempt": "2", "promptVersion": prompt.version, "promptHash": prompt.hash,
    }  # fmt: skip
    (row,) = [each for each in await rows_of(studio.owner, "jobs", studio.tenant.id) if each["id"] == job_id]
    assert row["model"] == "m1"


async def progress_of(studio: Studio, held: HeldLease) -> Any:
    """What was told of a job's progress so far."""
    await held.told()
    return (await studio.shown(held.claim.job.id))["progress"]


async def test_a_place_at_a_model_is_said_to_be_waited_for_and_not_for_long(studio: Studio) -> None:
    await studio.slots.declare(SlotKind.LLM, "writer", 1)
    held = await studio.begun(await studio.submitted())
    places = WritersPlaces(held, studio.slots, 0.3)
    try:
        async with places.place("writer"):
            writes = await progress_of(studio, held)
            with pytest.raises(TimeoutError):
                await places.place("writer").__aenter__()
            waits = await progress_of(studio, held)
        await studio.slots.open(SlotKind.LLM, "writer", to=False)
        with pytest.raises(Unavailable, match=r"^The mode keeps writer closed\.$"):
            await places.place("writer").__aenter__()
    finally:
        await studio.owner.execute("DELETE FROM slots WHERE resource = 'writer'")
    assert writes == {"value": 0, "max": 100, "step": "A language model writes what the picture shows"}
    assert waits == {"value": 0, "max": 100, "step": "Waiting for a language model"}


async def test_a_poster_is_told_the_keywords(studio: Studio) -> None:
    said = "Make an elegant property poster of this kitchen, without any text, oak"
    assert await words_in(studio, Say(), workflow="POSTER") == (said, 0)


async def due(studio: Studio, job_id: UUID) -> None:
    """Let a job that waits to be tried again begin now."""
    await set_tenant(studio.owner, studio.tenant.id)
    await studio.owner.execute("UPDATE jobs SET not_before = NULL WHERE id = $1", job_id)


async def test_what_is_no_photograph_is_a_fault_of_the_input(studio: Studio) -> None:
    job_id = await studio.submitted(b"no picture")
    outcome = await studio.ran(await studio.begun(job_id))
    assert outcome == Failed("INPUT_REFUSED", "photoUploadId: The worker cannot read the picture.", retryable=False)
    assert (await studio.shown(job_id))["status"] == "FAILED"


async def test_another_worker_takes_what_a_dead_one_was_to_make(
    tmp_path: Path, api: Api, owner_connection: "Connection[Record]", write_engine: AsyncEngine
) -> None:
    async with opened(tmp_path, api, owner_connection, write_engine, workers=2, rules=HASTY) as studio:
        first, second = studio.comfy.fakes
        first.engine.faults.hold.add("ImageBlur")
        job_id = await studio.submitted()
        held = await studio.begun(job_id)
        assert held.claim.job.slot == Slot(SlotKind.COMFYUI, "one", 1)
        running = asyncio.create_task(studio.ran(held))
        await first.engine.held.wait()
        await first.crash()
        assert await running == Failed(
            "WORKER_LOST", "The worker one was lost. It does not answer (ConnectError).", retryable=True
        )
        await due(studio, job_id)
        again = await studio.begun(job_id)
        # The slot of the worker that is gone is free, and comes first.
        assert again.claim.job.slot == Slot(SlotKind.COMFYUI, "one", 1)
        assert await studio.ran(again) == Succeeded()
        assert second.engine.submitted == [str(uuid.uuid5(job_id, "attempt 2"))]
        (output,) = (await studio.shown(job_id))["outputs"]
        assert f"/{job_id}/2/1.png" in output["url"]
        await first.start()


async def test_cancelling_stops_the_worker(studio: Studio) -> None:
    engine = studio.comfy.fake.engine
    engine.faults.hold.add("ImageBlur")
    job_id = await studio.submitted()
    held = await studio.begun(job_id)
    running = asyncio.create_task(studio.ran(held))
    await engine.held.wait()
    await studio.api.data("JobCancel", role=JUNIOR, jobId=f"job_{job_id}")
    held.cancelled.set()
    assert await running == Cancelled()
    assert engine.remaining() == 0
    assert (await studio.shown(job_id))["status"] == "CANCELLED"


async def test_whoever_lost_the_lease_changes_nothing_and_the_next_takes_the_render_up(studio: Studio) -> None:
    engine = studio.comfy.fake.engine
    engine.faults.hold.add("ImageBlur")
    job_id = await studio.submitted()
    first = await studio.begun(job_id)
    running = asyncio.create_task(studio.handler.run(first.claim.job, first))
    await engine.held.wait()
    await set_tenant(studio.owner, studio.tenant.id)
    await studio.owner.execute("UPDATE jobs SET leased_until = now() - interval '1 ms' WHERE id = $1", job_id)
    async with studio.system.units.write(first.claim.caller) as unit:
        assert await jobs.recover(unit, job_id, 0.0) is not None
    await due(studio, job_id)
    second = await studio.begun(job_id)
    again = asyncio.create_task(studio.ran(second))
    first.lost.set()
    with pytest.raises(LeaseLost):
        await running
    engine.release()
    assert await again == Succeeded()
    # One render at the worker for both attempts, and one result.
    assert engine.submitted == [str(job_id)]
    assert len((await studio.shown(job_id))["outputs"]) == 1


async def test_a_lease_that_is_lost_at_the_end_leaves_no_file(studio: Studio) -> None:
    engine = studio.comfy.fake.engine
    engine.faults.hold.add("ImageBlur")
    job_id = await studio.submitted()
    held = await studio.begun(job_id)
    running = asyncio.create_task(studio.handler.run(held.claim.job, held))
    await engine.held.wait()
    await set_tenant(studio.owner, studio.tenant.id)
    await studio.owner.execute("UPDATE jobs SET leased_until = now() - interval '1 ms' WHERE id = $1", job_id)
    engine.release()
    with pytest.raises(LeaseLost):
        await running
    assert await studio.handler.objects.size(f"renders/{studio.tenant.id}/{job_id}/1/1.png") is None
    assert (await studio.shown(job_id))["outputs"] == []


async def test_a_job_whose_results_are_kept_already_is_not_rendered_again(studio: Studio) -> None:
    """The process that kept them died before it could say so."""
    job_id = await studio.submitted()
    held = await studio.begun(job_id)
    assert await studio.handler.run(held.claim.job, held) == Succeeded()
    assert await studio.ran(held) == Succeeded()
    assert studio.comfy.fake.engine.submitted == [str(job_id)]
    assert (await studio.shown(job_id))["status"] == JobStatus.SUCCEEDED.name


async def test_workers_that_all_restart_are_waited_for(studio: Studio) -> None:
    await studio.comfy.fake.crash()
    job_id, outcome = await studio.rendered()
    assert outcome == Failed(
        "WORKER_LOST", "No render worker answers.", retryable=True, retry_after=timedelta(seconds=30)
    )
    await studio.comfy.fake.start()
    await due(studio, job_id)
    assert await studio.ran(await studio.begun(job_id)) == Succeeded()


async def test_without_any_worker_the_job_says_what_is_missing(
    tmp_path: Path, api: Api, owner_connection: "Connection[Record]", write_engine: AsyncEngine
) -> None:
    async with opened(tmp_path, api, owner_connection, write_engine, workers=0) as studio:
        _, outcome = await studio.rendered()
    assert outcome == Failed("NO_WORKERS", "No render worker is configured: COMFYUI_URLS names none.", retryable=False)


async def test_a_workflow_whose_models_no_worker_has_says_which(
    tmp_path: Path, api: Api, owner_connection: "Connection[Record]", write_engine: AsyncEngine
) -> None:
    staging = read_workflow(TEMPLATES / "staging.json")
    async with opened(tmp_path, api, owner_connection, write_engine, workflow=staging) as studio:
        _, outcome = await studio.rendered()
    assert outcome == Failed(
        "WORKFLOW_UNAVAILABLE",
        "Staging of a room cannot be made: one lacks models/checkpoints/sd_xl_base_1.0.safetensors,"
        " models/controlnet/control-lora-canny-rank256.safetensors.",
        retryable=False,
    )


async def test_a_worker_as_it_is_shipped_renders_and_tells_how_far_it_is(studio: Studio, tmp_path: Path) -> None:
    """With settings alone: the pool, its slots, the handler and the worker's loop."""
    own = tmp_path / "workflows"
    own.mkdir()
    (own / "staging.json").write_text((TEMPLATES / "trial.json").read_text())
    url = f"left={studio.comfy.fake.url}"
    settings = studio.system.settings.model_copy(update={"comfyui_urls": (url,), "render_workflows": own})
    system = studio.system
    await studio.owner.execute("DELETE FROM slots WHERE kind = 'COMFYUI'")
    job_id = await studio.submitted()
    async with (
        shipped.opened(settings, system.uploads, studio.slots, system.units, system.router) as parts,
        made(settings, system.database.app, system.bus, [JobKind.RENDER], shipped.handlers(parts)) as worker,
    ):
        running = asyncio.create_task(worker.run())
        while (job := await studio.shown(job_id))["status"] in {"QUEUED", "RUNNING"}:
            await asyncio.to_thread(lambda: None)
        worker.drain()
        await running
    assert (job["status"], job["progress"]) == ("SUCCEEDED", {"value": 100, "max": 100, "step": None})
    (row,) = [each for each in await rows_of(studio.owner, "jobs", studio.tenant.id) if each["id"] == job_id]
    assert row["render_worker_id"] == shipped.worker_id("left")


async def test_the_fleet_is_told_of_every_render_worker(studio: Studio) -> None:
    found = await render_workers(studio.comfy.pool, [("one", "GPU-1")])()
    resource = Resource(WorkerKind.COMFYUI, "one", studio.comfy.fake.url, Runtime.COMFYUI, gpu="GPU-1")
    assert found == [WorkerSeen(resource, answers=True, queue_depth=0)]
    assert resource.id == worker_id("one")
    await studio.comfy.fake.crash()
    assert await render_workers(studio.comfy.pool, [])() == [WorkerSeen(replace(resource, gpu=None), answers=False)]
    await studio.comfy.fake.start()

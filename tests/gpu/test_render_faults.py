"""What goes wrong at a ComfyUI, and what a render makes of it. Each fault is one that the fake has at will."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from domain.jobs import RenderWorkflow
from domain.renders import RenderFault, RenderOrder, RenderStep
from gpu.renders.pool import ComfyPool, WorkerAddress
from gpu.renders.worker import RenderRules
from gpu.renders.workflows import TEMPLATES, Workflow, read_workflow
from tests.comfy.workers import HASTY, PATIENT, TRIAL, Rendering, order, rendering
from tests.serving import PATIENCE

STAGING = read_workflow(TEMPLATES / "staging.json")
MODELS = ("checkpoints/sd_xl_base_1.0.safetensors", "controlnet/control-lora-canny-rank256.safetensors")


@pytest.fixture
async def comfy(tmp_path: Path) -> AsyncIterator[Rendering]:
    async with rendering(tmp_path) as made:
        yield made


@asynccontextmanager
async def staging(folder: Path, rules: RenderRules = PATIENT) -> AsyncIterator[Rendering]:
    """A worker with the models of the staging workflow."""
    async with rendering(folder, workflow=STAGING, rules=rules) as made:
        for model in MODELS:
            made.fake.model(model)
        yield made


@asynccontextmanager
async def held(
    comfy: Rendering, what: RenderOrder, kind: str = "ImageBlur"
) -> AsyncIterator[asyncio.Task[list[bytes]]]:
    """A render that stands at a node."""
    comfy.fake.engine.faults.hold.add(kind)
    task = asyncio.create_task(comfy.render(what))
    await comfy.fake.engine.held.wait()
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    """Wait for what is looked at."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.to_thread(lambda: None)


async def code_of(task: "asyncio.Task[list[bytes]]") -> tuple[str, bool]:
    """How a render failed, and whether it is worth another attempt."""
    (fault,) = await asyncio.gather(task, return_exceptions=True)
    return getattr(fault, "code", repr(fault)), getattr(fault, "retryable", False)


async def test_staging_runs_with_its_models_and_tells_of_every_step(tmp_path: Path) -> None:
    async with staging(tmp_path) as comfy:
        (content,) = await comfy.render(order())
        assert content.startswith(b"\x89PNG")
        assert comfy.fake.engine.executed[-3:] == ["KSampler", "VAEDecode", "SaveImage"]


async def test_a_film_is_made_with_the_models_it_needs(tmp_path: Path) -> None:
    film = read_workflow(TEMPLATES / "image_to_video.json")
    async with rendering(tmp_path, workflow=film) as comfy:
        for file in film.files:
            comfy.fake.model(f"{file.folder}/{film.graph[file.node].inputs[file.input]}")
        (made,) = await comfy.pool.render("one", order(), comfy.told)
        assert (made.content_type, made.content[4:8]) == ("video/mp4", b"ftyp")


async def test_a_poster_is_made_with_the_models_it_needs(tmp_path: Path) -> None:
    poster = read_workflow(TEMPLATES / "poster.json")
    async with rendering(tmp_path, workflow=poster) as comfy:
        for file in poster.files:
            comfy.fake.model(f"{file.folder}/{poster.graph[file.node].inputs[file.input]}")
        (made,) = await comfy.pool.render("one", order(), comfy.told)
        assert made.content_type == "image/png"


async def test_progress_is_told_seldom_and_says_which_step(tmp_path: Path) -> None:
    async with staging(tmp_path, replace(PATIENT, tell=0.5)) as comfy:
        async with held(comfy, order(), "KSampler step") as task:
            comfy.fake.engine.release()
            await task
        assert len(comfy.steps) < STAGING.graph["10"].inputs["steps"]
        assert comfy.steps[-1].value == 100
        assert {step.step for step in comfy.steps} & {"Furnishing the room"} or comfy.steps[1].value > 0


async def test_a_crash_is_told_as_a_worker_that_is_lost(tmp_path: Path) -> None:
    async with rendering(tmp_path, rules=HASTY) as comfy, held(comfy, order()) as task:
        await comfy.fake.crash()
        assert await code_of(task) == ("WORKER_LOST", True)
        await comfy.fake.start()


async def test_another_worker_finishes_what_a_crash_interrupted(tmp_path: Path) -> None:
    async with rendering(tmp_path, workers=2, rules=HASTY) as comfy:
        first = order()
        async with held(comfy, first) as task:
            await comfy.fake.crash()
            assert await code_of(task) == ("WORKER_LOST", True)
        (content,) = await comfy.render(order(first.job_id, attempt=2), "two")
        assert content.startswith(b"\x89PNG")
        await comfy.fake.start()


async def test_a_worker_that_restarts_at_once_has_lost_its_queue(comfy: Rendering) -> None:
    async with held(comfy, order()) as task:
        await comfy.fake.crash()
        await comfy.fake.start()
        assert await code_of(task) == ("QUEUE_LOST", True)


async def test_a_queue_that_was_cleared_is_noticed_though_nothing_tells_of_it(comfy: Rendering) -> None:
    async with held(comfy, order()) as task:
        comfy.fake.engine.forget()
        assert await code_of(task) == ("QUEUE_LOST", True)


async def test_a_look_at_the_queue_that_misses_what_begins_is_no_loss(comfy: Rendering) -> None:
    async with held(comfy, order()) as task:
        comfy.fake.missed = 1
        await until(lambda: not comfy.fake.missed)
        comfy.fake.engine.release()
        assert (await task)[0].startswith(b"\x89PNG")


async def test_a_broken_socket_is_opened_again_and_the_end_is_found_in_the_history(comfy: Rendering) -> None:
    async with held(comfy, order()) as task:
        before = comfy.fake.opened
        comfy.fake.drop_connections()
        comfy.fake.engine.release()
        assert (await task)[0].startswith(b"\x89PNG")
        assert await comfy.pool._worker("one").socket.opened(60)
        assert comfy.fake.opened == before + 1


async def test_a_worker_whose_frames_never_come_is_asked_for_its_history(comfy: Rendering) -> None:
    comfy.fake.engine.faults.mute = True
    assert (await comfy.render(order()))[0].startswith(b"\x89PNG")
    assert {step.value for step in comfy.steps} == {0, 100}
    assert comfy.steps[-1] == RenderStep(100, 100, None)


async def test_frames_that_come_twice_and_late_change_nothing(comfy: Rendering) -> None:
    comfy.fake.engine.faults.twice = True
    await comfy.render(order())
    first = [step.value for step in comfy.steps]
    comfy.steps.clear()
    await comfy.render(order())
    assert (first[-1], comfy.steps[-1].value) == (100, 100)
    # The first two are of sending and of the beginning.
    assert first == sorted(first)
    assert first[1:] == sorted(set(first[1:]))


async def test_a_history_that_is_late_is_read_again(comfy: Rendering) -> None:
    """A worker tells of the success before it writes the history."""
    engine = comfy.fake.engine
    engine.faults.late_history = True
    async with held(comfy, order(), "history") as task:
        engine.release()
        assert (await task)[0].startswith(b"\x89PNG")


async def test_a_worker_that_makes_no_progress_is_stopped(tmp_path: Path) -> None:
    async with (
        rendering(tmp_path, rules=replace(PATIENT, stalled_after=0.3)) as comfy,
        held(comfy, order()) as task,
    ):
        assert await code_of(task) == ("WORKER_STALLED", True)
        assert comfy.fake.engine.remaining() == 0


async def test_previews_and_other_bytes_change_nothing(comfy: Rendering) -> None:
    comfy.fake.engine.faults.previews = True
    assert (await comfy.render(order()))[0].startswith(b"\x89PNG")
    values = [step.value for step in comfy.steps]
    assert values == sorted(values)
    assert comfy.fake.opened == 1


async def test_what_comes_from_the_cache_of_the_worker_counts_as_done(tmp_path: Path) -> None:
    """Two renders of the same: the second runs nothing but the node that has its name, and has a file of its own."""
    told = TRIAL.model_dump()
    del told["inputs"]["photo"]
    told["graph"]["1"] = {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": 0},
    }
    async with rendering(tmp_path, workflow=Workflow.model_validate(told)) as comfy:
        await comfy.render(order())
        ran = len(comfy.fake.engine.executed)
        comfy.steps.clear()
        async with held(comfy, order(), "SaveImage") as task:
            await until(lambda: comfy.steps[-1].step == "Keeping the picture")
            assert comfy.steps[-1] == RenderStep(80, 100, "Keeping the picture")
            comfy.fake.engine.release()
            assert (await task)[0].startswith(b"\x89PNG")
        assert comfy.fake.engine.executed[ran:] == ["SaveImage"]


async def test_a_socket_that_is_told_nothing_is_opened_anew(tmp_path: Path) -> None:
    """A ComfyUI that notices late that an earlier connection has gone forgets the newer one of that name with it."""
    async with (
        rendering(tmp_path, rules=replace(PATIENT, look=0.05, deaf_after=0.1)) as comfy,
        held(comfy, order()) as task,
    ):
        before = comfy.fake.opened
        comfy.fake.forget_sockets()
        await until(lambda: comfy.fake.opened > before and comfy.fake.sockets)
        comfy.fake.engine.release(until="SaveImage")
        await until(lambda: comfy.steps[-1].step == "Keeping the picture")
        comfy.fake.engine.release()
        assert (await task)[0].startswith(b"\x89PNG")


async def test_what_waits_at_the_worker_says_so_and_is_not_stalled(tmp_path: Path) -> None:
    async with (
        rendering(tmp_path, rules=replace(PATIENT, look=0.05, stalled_after=0.2, deaf_after=0.1)) as comfy,
        held(comfy, order()) as first,
    ):
        first.cancel()
        comfy.steps.clear()
        waiting = asyncio.create_task(comfy.render(order()))
        await until(lambda: comfy.steps and comfy.steps[-1].step == "Waiting at the render worker")
        # So many looks take longer than a prompt that runs may bring nothing.
        looks = comfy.fake.looks
        await until(lambda: comfy.fake.looks >= looks + 10)
        assert not waiting.done()
        comfy.fake.engine.release()
        assert (await waiting)[0].startswith(b"\x89PNG")


async def test_what_can_not_be_heard_is_given_up_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no socket opens nothing says that a prompt gets on, so that there is more patience, but not for ever."""
    monkeypatch.setattr("gpu.renders.socket.connect", unreachable)
    rules = replace(PATIENT, look=0.05, stalled_after=0.1, unheard_after=0.6)
    async with rendering(tmp_path, rules=rules) as comfy, held(comfy, order()) as task:
        (fault,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(fault, RenderFault)
        assert (fault.code, fault.message) == (
            "WORKER_STALLED", "The worker one made no progress for 0.6 seconds.",
        )  # fmt: skip
        assert comfy.fake.engine.remaining() == 0


def unreachable(*_arguments: object, **_options: object) -> object:
    """A socket that never opens, as behind a proxy that does not let it through."""
    raise OSError


@pytest.mark.parametrize("newest", [True, False], ids=["newest", "older"])
async def test_stopping_interrupts_what_runs(tmp_path: Path, *, newest: bool) -> None:
    async with rendering(tmp_path, newest=newest) as comfy:
        ordered = order()
        async with held(comfy, ordered) as task:
            assert await comfy.pool.stop(ordered.job_id, 1)
            assert comfy.fake.engine.remaining() == 0
            assert await code_of(task) == ("INTERRUPTED", True)


@pytest.mark.parametrize("version", ["newest", "older", "oldest"])
async def test_stopping_takes_out_what_waits_and_leaves_what_runs(tmp_path: Path, version: str) -> None:
    """The oldest interrupt whatever runs, and do not read whom it is meant for."""
    async with rendering(tmp_path, newest=version == "newest") as comfy, held(comfy, order()) as first:
        comfy.fake.heeds_ids = version != "oldest"
        second = order()
        waiting = asyncio.create_task(comfy.render(second))
        await until(lambda: comfy.fake.engine.remaining() == 2)
        assert await comfy.pool.stop(second.job_id, 1)
        assert await code_of(waiting) == ("QUEUE_LOST", True)
        comfy.fake.engine.release()
        assert (await first)[0].startswith(b"\x89PNG")


async def test_stopping_what_never_began_and_at_a_worker_that_is_gone(comfy: Rendering) -> None:
    assert await comfy.pool.stop(uuid.uuid4(), 1)
    await comfy.fake.crash()
    assert not await comfy.pool.stop(uuid.uuid4(), 1)
    await comfy.fake.start()


async def test_somebody_else_interrupting_is_worth_another_attempt(comfy: Rendering) -> None:
    async with held(comfy, order()) as task:
        comfy.fake.engine.interrupt(None)
        assert await code_of(task) == ("INTERRUPTED", True)


async def test_out_of_memory_is_told_as_such_and_the_worker_asked_to_free_it(comfy: Rendering) -> None:
    message = 'CUDA out of memory. Tried to allocate 20.00 GiB. TIPS: If you have any "Load Video" nodes ...'
    comfy.fake.engine.faults.error = ("ImageBlur", "torch.OutOfMemoryError", message)
    fault = await comfy.fault(order())
    assert (fault.code, fault.retryable) == ("OUT_OF_MEMORY", True)
    assert fault.message == "The worker ran out of memory at: Softening."
    assert comfy.fake.engine.freed == 1


async def test_what_a_node_raises_is_told_without_its_words(comfy: Rendering) -> None:
    comfy.fake.engine.faults.error = ("ImageBlur", "builtins.ValueError", "/opt/comfy/secret: a bright room")
    fault = await comfy.fault(order())
    assert (fault.code, fault.retryable) == ("RENDER_FAILED", False)
    assert fault.message == "The worker failed at: Softening (ValueError)."


async def test_a_device_that_failed_is_worth_another_attempt(comfy: Rendering) -> None:
    comfy.fake.engine.faults.error = ("ImageBlur", "torch.AcceleratorError", "CUDA error: unspecified launch failure")
    fault = await comfy.fault(order())
    assert (fault.code, fault.retryable) == ("RENDER_FAILED", True)


async def test_a_file_that_the_worker_lost_is_worth_another_attempt(comfy: Rendering) -> None:
    comfy.fake.refuse_views = 1
    first = order()
    fault = await comfy.fault(first)
    assert (fault.code, fault.retryable) == ("OUTPUT_MISSING", True)
    # Its own cache would name the same missing file; another attempt has another name.
    comfy.fake.refuse_views = 1
    again = order(first.job_id, attempt=2)
    assert (await comfy.render(again))[0].startswith(b"\x89PNG")
    assert comfy.fake.engine.submitted == [str(first.prompt_ids[0]), str(again.prompt_ids[0])]


async def test_the_next_attempt_joins_a_render_that_still_runs(comfy: Rendering) -> None:
    """The process that began it has gone, and ComfyUI goes on."""
    first = order()
    async with held(comfy, first) as task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        joined = asyncio.create_task(comfy.render(order(first.job_id, attempt=2)))
        await until(lambda: comfy.pool._worker("one").socket.watches)
        comfy.fake.engine.release()
        assert (await joined)[0].startswith(b"\x89PNG")
        assert comfy.fake.engine.submitted == [str(first.prompt_ids[0])]


@pytest.mark.parametrize("waits", [False, True], ids=["runs", "waits"])
async def test_another_process_says_at_once_where_a_render_is_and_hears_of_it(tmp_path: Path, *, waits: bool) -> None:
    """ComfyUI tells of a prompt to the client that sent it, whose process has gone: the next one takes its place."""
    # Nothing is looked at a second time, so whatever is told was told at once, or heard.
    patient = replace(PATIENT, look=30)
    async with rendering(tmp_path) as gone, held(gone, order()) as before:
        ordered = order()
        if waits:
            first = asyncio.create_task(gone.render(ordered))
            await until(lambda: gone.fake.engine.remaining() == 2)
            first.cancel()
        else:
            ordered = order(UUID(gone.fake.engine.submitted[0]))
        before.cancel()
        await gone.pool.close()
        pool = ComfyPool(
            [WorkerAddress("one", gone.fake.url)], dict.fromkeys(RenderWorkflow, TRIAL), client_id="next", rules=patient
        )
        comfy = Rendering(pool, gone.fakes, [])
        joined = asyncio.create_task(comfy.render(order(ordered.job_id, attempt=2)))
        await until(lambda: comfy.steps)
        where = "Waiting" if waits else "Running"
        assert comfy.steps[0] == RenderStep(0, 100, f"{where} at the render worker")
        gone.fake.engine.release(until="SaveImage")
        if waits:
            await gone.fake.engine.held.wait()
            gone.fake.engine.release(until="ImageBlur")
            await until(lambda: comfy.steps[-1].step == "Softening")
            gone.fake.engine.release(until="SaveImage")
        await until(lambda: comfy.steps[-1].step == "Keeping the picture")
        assert 0 < comfy.steps[-1].value < 100
        gone.fake.engine.release()
        assert (await joined)[0].startswith(b"\x89PNG")
        assert str(ordered.prompt_ids[0]) in gone.fake.engine.submitted
        assert len(gone.fake.engine.submitted) == 1 + waits
        await pool.close()


async def test_what_is_forgotten_is_not_in_the_history(comfy: Rendering) -> None:
    first = order()
    await comfy.render(first)
    await comfy.pool.forget("one", first.job_id, 1)
    assert comfy.fake.engine.history == {}


async def test_a_file_that_is_too_large_is_not_fetched(tmp_path: Path) -> None:
    async with rendering(tmp_path, rules=replace(PATIENT, most_bytes=100)) as comfy:
        fault = await comfy.fault(order())
    assert (fault.code, fault.message) == ("OUTPUT_REFUSED", "The render made a file of more than 100 bytes.")


async def test_a_worker_that_is_not_configured_any_more(comfy: Rendering) -> None:
    fault = await comfy.fault(order(), "gone")
    assert (fault.code, fault.retryable) == ("WORKER_LOST", True)


async def test_a_worker_that_is_down_has_a_problem_instead_of_vitals(comfy: Rendering) -> None:
    await comfy.fake.crash()
    (health,) = await comfy.pool.health()
    assert (health.vitals, health.problem) == (None, "It does not answer (ConnectError).")
    await comfy.fake.start()

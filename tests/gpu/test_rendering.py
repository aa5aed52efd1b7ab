"""Renders on a ComfyUI without a model: on the fake, and on a real one where COMFY_URL names one."""

import io
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from PIL import Image

from domain.renders import RenderStep
from gpu.renders.client import FileGone, OutputFile
from gpu.renders.workflows import TEMPLATES, Workflow, read_workflow
from tests.comfy.workers import PATIENT, REAL, TRIAL, Rendering, order, real, rendering


def opened(folder: Path, workflow: Workflow = TRIAL) -> AbstractAsyncContextManager[Rendering]:
    """A pool over the fake, or over the real one."""
    return real(workflow) if REAL else rendering(folder, workflow=workflow)


@pytest.fixture
async def comfy(tmp_path: Path) -> AsyncIterator[Rendering]:
    async with opened(tmp_path) as made:
        yield made


def changed(**inputs: object) -> Workflow:
    """The trial with other inputs of its nodes, given as `node__input`; None takes one away."""
    told = TRIAL.model_dump()
    for name, value in inputs.items():
        node, _, each = name.removeprefix("n").partition("__")
        if value is None:
            del told["graph"][node]["inputs"][each]
        else:
            told["graph"][node]["inputs"][each] = value
    return Workflow.model_validate(told)


async def test_a_photograph_becomes_a_picture(comfy: Rendering) -> None:
    (content,) = await comfy.render(order())
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.size, picture.convert("RGB").getpixel((64, 48))) == ((128, 96), (0, 255, 255))


async def test_progress_grows_to_the_whole_and_names_what_is_done(comfy: Rendering) -> None:
    await comfy.render(order())
    values = [step.value for step in comfy.steps]
    assert values == sorted(values)
    assert comfy.steps[-1] == RenderStep(100, 100, None)
    named = {each.title for each in TRIAL.steps.values()}
    assert {step.step for step in comfy.steps} <= {*named, "Sending the photograph to the render worker", None}


async def test_the_next_job_does_not_get_the_files_of_one_before_it(comfy: Rendering) -> None:
    """Both are the same graph but for the name: without it a worker answers the second from its cache."""
    first, second = order(), order()
    for each in (first, second):
        await comfy.render(each)
    worker = comfy.pool._worker("one")
    entries = [await worker.client.history(each.prompt_ids[0]) for each in (first, second)]
    folders = [entry["outputs"]["5"]["images"][0]["subfolder"] for entry in entries if entry is not None]
    assert folders == [f"velocity/{first.job_id}/1", f"velocity/{second.job_id}/1"]


async def test_a_worker_that_finished_for_an_earlier_attempt_is_not_asked_again(comfy: Rendering) -> None:
    first = order()
    made = await comfy.render(first)
    again = order(first.job_id, attempt=2)
    comfy.steps.clear()
    assert await comfy.render(again) == made
    assert comfy.steps == [RenderStep(100, 100, None)]
    assert await comfy.pool._worker("one").client.history(again.prompt_ids[0]) is None


async def test_what_is_no_picture_is_a_fault_of_the_photograph(comfy: Rendering) -> None:
    fault = await comfy.fault(order(content=b"no picture"))
    assert (fault.code, fault.retryable) == ("INPUT_REFUSED", False)
    assert fault.message == "photoUploadId: The worker cannot read the picture."
    assert [(issue.field, issue.message) for issue in fault.issues] == [
        ("photoUploadId", "The worker cannot read the picture.")
    ]


async def test_a_failed_attempt_is_not_taken_for_the_next_one(comfy: Rendering) -> None:
    """The history still holds the failure of the first when the second begins."""
    first = order(content=b"no picture")
    await comfy.fault(first)
    (content,) = await comfy.render(order(first.job_id, attempt=2))
    assert content.startswith(b"\x89PNG")


async def test_a_workflow_with_a_value_that_the_worker_lacks_is_named_before_it_is_sent(tmp_path: Path) -> None:
    async with opened(tmp_path, changed(n3__upscale_method="sharpest")) as comfy:
        fault = await comfy.fault(order())
    assert (fault.code, fault.retryable) == ("WORKFLOW_UNAVAILABLE", False)
    assert fault.message == ("Trial without a model cannot be made: one lacks ImageScale's upscale_method sharpest.")


async def test_a_prompt_that_the_worker_refuses_says_at_which_node(tmp_path: Path) -> None:
    async with opened(tmp_path, changed(n4__blur_radius=99)) as comfy:
        fault = await comfy.fault(order())
    assert (fault.code, fault.message) == (
        "WORKFLOW_REFUSED",
        "The worker refused the workflow Trial without a model: ImageBlur.blur_radius: it is too large.",
    )


async def test_a_prompt_of_which_a_part_would_run_is_refused_whole(tmp_path: Path) -> None:
    """One output validates and one does not: ComfyUI answers 200, and runs the first."""
    told = changed(n4__blur_radius=99).model_dump()
    told["graph"]["6"] = {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": ""}}
    told["inputs"]["prefix"]["into"] = [{"node": node, "input": "filename_prefix"} for node in ("5", "6")]
    sent = order()
    async with opened(tmp_path, Workflow.model_validate(told)) as comfy:
        fault = await comfy.fault(sent)
        queue = await comfy.pool._worker("one").client.queued()
    assert fault.code == "WORKFLOW_REFUSED"
    assert fault.message.endswith("ImageBlur.blur_radius: it is too large.")
    assert str(sent.prompt_ids[0]) not in queue.ids


async def test_a_workflow_whose_models_are_not_there_says_which(tmp_path: Path) -> None:
    if REAL:
        pytest.skip("what a real one has is its own")
    async with opened(tmp_path, read_workflow(TEMPLATES / "staging.json")) as comfy:
        fault = await comfy.fault(order())
    assert fault.message == (
        "Staging of a room cannot be made: one lacks models/checkpoints/sd_xl_base_1.0.safetensors,"
        " models/controlnet/control-lora-canny-rank256.safetensors."
    )


async def test_a_file_that_is_not_there_is_said_to_be_gone(comfy: Rendering) -> None:
    client = comfy.pool._worker("one").client
    with pytest.raises(FileGone):
        await client.fetch(OutputFile(f"{uuid.uuid4()}.png", "", "output"), PATIENT.most_bytes)


async def test_a_worker_says_how_it_is(comfy: Rendering) -> None:
    (health,) = await comfy.pool.health()
    assert health.problem is None
    assert health.vitals is not None
    assert (health.name, health.load) == ("one", 0)

"""Workflow files: what is refused when they are read, what a worker is found to lack, how far a render is."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.jobs import RenderWorkflow
from domain.renders import RenderStep
from gpu.renders.frames import UNNAMED, Frame, NodeProgress, NodeState, read
from gpu.renders.pool import WorkerAddress, addresses
from gpu.renders.workflows import TEMPLATES, Workflow, WorkflowWrong, read_workflow, read_workflows
from tests.comfy import nodes

TRIAL = json.loads((TEMPLATES / "trial.json").read_text())


def trial() -> Any:
    return json.loads(json.dumps(TRIAL))


def kinds(folder: Path, workflow: Workflow) -> dict[str, Any]:
    return {each: nodes.described(each, folder) for each in workflow.kinds if each in nodes.KINDS}


def test_every_workflow_that_comes_along_can_be_read() -> None:
    found = read_workflows()
    assert {workflow: each.makes for workflow, each in found.items()} == {
        RenderWorkflow.STAGING: "image",
        RenderWorkflow.IMAGE_TO_VIDEO: "video",
        RenderWorkflow.POSTER: "image",
    }
    # A caller sees these fields, so a refusal of the photograph or of the words names them.
    assert {each.inputs["photo"].field for each in found.values()} == {"photoUploadId"}
    assert {each.inputs["prompt"].field for each in found.values()} == {"keywords"}


@pytest.mark.parametrize("name", ["staging", "poster", "image_to_video", "trial"])
def test_a_workflow_needs_nothing_but_nodes_that_come_with_comfyui(name: str, tmp_path: Path) -> None:
    workflow = read_workflow(TEMPLATES / f"{name}.json")
    lacking = workflow.lacking(kinds(tmp_path, workflow))
    assert lacking == tuple(
        f"models/{file.folder}/{workflow.graph[file.node].inputs[file.input]}" for file in workflow.files
    )


def test_an_operator_s_own_workflow_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "poster.json").write_text(json.dumps(TRIAL))
    found = read_workflows(tmp_path)
    assert found[RenderWorkflow.POSTER].title == "Trial without a model"
    assert found[RenderWorkflow.STAGING].title == "Staging of a room"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda told: told["inputs"]["photo"]["into"][0].update(node="9"), "there is no node 9"),
        (lambda told: told["inputs"]["photo"]["into"][0].update(input="x"), "node 1 has no input x"),
        (
            lambda told: told.update(outputs=["9"]),
            "node 9 is named among outputs or steps, and is not there",
        ),
        (
            lambda told: told["graph"]["2"]["inputs"].update(image=["9", 0]),
            "node 2's image comes from node 9, which is not there",
        ),
        (
            lambda told: told["inputs"].pop("prefix"),
            "no input is called prefix: results of different attempts would take the same names",
        ),
        (
            lambda told: told["graph"].update({"6": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}),
            "node 6's filename_prefix is not among the prefix's places",
        ),
        (lambda told: told.pop("graph"), "graph: Field required"),
    ],
)
def test_a_workflow_that_leads_nowhere_is_refused(change: Any, said: str, tmp_path: Path) -> None:
    told = trial()
    change(told)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(told))
    with pytest.raises(WorkflowWrong) as refused:
        read_workflow(path)
    assert str(refused.value) == f"mine.json: {said}."


def test_a_file_that_is_not_there_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkflowWrong, match=r"^mine.json cannot be read: No such file or directory.$"):
        read_workflow(tmp_path / "mine.json")
    (tmp_path / "mine.json").write_text("{")
    with pytest.raises(WorkflowWrong, match=r"^mine.json: Invalid JSON"):
        read_workflow(tmp_path / "mine.json")


def test_a_worker_lacks_nodes_inputs_and_values(tmp_path: Path) -> None:
    told = trial()
    told["graph"]["2"]["class_type"] = "ImageMagic"
    told["graph"]["3"]["inputs"]["crop"] = "round"
    told["graph"]["4"]["inputs"]["angle"] = 3
    del told["graph"]["4"]["inputs"]["sigma"]
    workflow = Workflow.model_validate(told)
    described = kinds(tmp_path, workflow)
    described["ImageBlur"]["input"]["required"]["sigma"] = ["FLOAT", {"min": 0.1}]
    assert workflow.lacking(described) == (
        "the node ImageMagic",
        "ImageScale's crop round",
        "a value for ImageBlur's sigma, which it insists on",
        "ImageBlur's input angle",
    )


def test_an_input_that_only_newer_workers_have_gets_their_default(tmp_path: Path) -> None:
    workflow = read_workflow(TEMPLATES / "staging.json")
    values = {"photo": "photo.png", "prompt": "A room", "seed": 7, "prefix": "velocity/1"}
    described = kinds(tmp_path, workflow)
    assert workflow.filled(values, described)["2"]["inputs"] == {
        "image": ["1", 0],
        "upscale_method": "lanczos",
        "megapixels": 1.0,
        "resolution_steps": 1,
    }
    del described["ImageScaleToTotalPixels"]["input"]["required"]["resolution_steps"]
    assert "resolution_steps" not in workflow.filled(values, described)["2"]["inputs"]


def test_how_far_a_render_is_counts_each_node_by_its_weight() -> None:
    workflow = read_workflow(TEMPLATES / "staging.json")
    whole = sum(workflow.steps[key].weight if key in workflow.steps else 1 for key in workflow.graph)
    finished = NodeProgress(NodeState.FINISHED, 1, 1)
    half = NodeProgress(NodeState.RUNNING, 15, 30)
    assert workflow.progress({}) == RenderStep(0, 100, None)
    assert workflow.progress({"1": finished, "10": half}) == RenderStep(
        int(100 * (1 + 20) / whole), 100, "Furnishing the room"
    )
    assert workflow.progress(dict.fromkeys(workflow.graph, finished)) == RenderStep(100, 100, None)


@pytest.mark.parametrize(
    "message",
    [
        b"\0\0\0\1\0\0\0\1jpeg",
        "",
        "[]",
        "null",
        '{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "x"}}',
        '{"type": "progress", "data": 7}',
        '{"type": "progress", "data": {"value": 1, "max": 2, "node": "3"}}',
    ],
)
def test_what_is_about_no_prompt_is_no_frame(message: str | bytes) -> None:
    assert read(message) is None


@pytest.mark.parametrize(
    ("kind", "data", "nodes_told", "over"),
    [
        ("execution_start", {}, {}, False),
        ("execution_cached", {"nodes": ["1"]}, {"1": NodeProgress(NodeState.FINISHED, 1, 1)}, False),
        ("executing", {"node": "3"}, {"3": NodeProgress(NodeState.RUNNING, 0, 1)}, False),
        ("executing", {"node": None}, {}, True),
        ("progress", {"node": "3", "value": 4, "max": 20}, {"3": NodeProgress(NodeState.RUNNING, 4, 20)}, False),
        (
            "progress_state",
            {"nodes": {"3": {"value": 4, "max": 20, "state": "running"}, "4": {"state": "asleep"}, "5": None}},
            {"3": NodeProgress(NodeState.RUNNING, 4, 20), "4": NodeProgress(NodeState.PENDING, 0, 0)},
            False,
        ),
        ("progress_state", {"nodes": []}, {}, False),
        ("executed", {"node": "5", "output": {}}, {"5": NodeProgress(NodeState.FINISHED, 1, 1)}, False),
        ("execution_success", {}, {}, True),
        ("execution_error", {"node_id": "5"}, {}, True),
        ("execution_interrupted", {"node_id": "5"}, {}, True),
        ("crystools.monitor", {"cpu": 3}, {}, False),
    ],
)
def test_a_frame_says_how_far_its_prompt_is(
    kind: str, data: dict[str, Any], nodes_told: dict[str, NodeProgress], *, over: bool
) -> None:
    frame = read(json.dumps({"type": kind, "data": {"prompt_id": "p", **data}}))
    assert frame is not None
    assert (frame.prompt_id, dict(frame.nodes), frame.over) == ("p", nodes_told, over)


def test_a_new_socket_is_told_which_node_runs_and_not_of_which_prompt() -> None:
    frame = read('{"type": "executing", "data": {"node": "3"}}')
    assert frame == Frame(UNNAMED, {"3": NodeProgress(NodeState.RUNNING, 0, 1)})
    assert read('{"type": "executing", "data": {"node": null}}') is None


def test_a_worker_has_one_name_whatever_the_order_of_the_addresses() -> None:
    first, second = addresses(["http://10.0.0.5:8188/", "left=http://10.0.0.6:8188"])
    assert second == WorkerAddress("left", "http://10.0.0.6:8188")
    assert first.name == addresses(["left=http://10.0.0.6:8188", "http://10.0.0.5:8188"])[1].name
    assert first.name.startswith("comfyui-")

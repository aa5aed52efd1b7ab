"""What workers complain of, told as faults of renders: in words of ours, without their paths and traces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from domain.errors import Issue
from domain.renders import RenderFault
from gpu.renders.client import Json, Refused, is_object
from gpu.renders.workflows import Workflow

NO_WORKERS: Final = "NO_WORKERS"
WORKER_LOST: Final = "WORKER_LOST"
WORKER_STALLED: Final = "WORKER_STALLED"
QUEUE_LOST: Final = "QUEUE_LOST"
INTERRUPTED: Final = "INTERRUPTED"
OUT_OF_MEMORY: Final = "OUT_OF_MEMORY"
RENDER_FAILED: Final = "RENDER_FAILED"
INPUT_REFUSED: Final = "INPUT_REFUSED"
WORKFLOW_REFUSED: Final = "WORKFLOW_REFUSED"
WORKFLOW_UNAVAILABLE: Final = "WORKFLOW_UNAVAILABLE"
OUTPUT_MISSING: Final = "OUTPUT_MISSING"
OUTPUT_REFUSED: Final = "OUTPUT_REFUSED"

_MEMORY: Final = re.compile(r"out ?of ?memory|allocation on device|not enough memory|\bOOM\b", re.IGNORECASE)
_DEVICE: Final = re.compile(r"\bcuda error\b|AcceleratorError|device-side assert|\bcublas|\bcudnn", re.IGNORECASE)
_PHRASES: Final[Mapping[str, str]] = {
    "required_input_missing": "it is missing",
    "bad_linked_input": "it comes from nowhere",
    "return_type_mismatch": "it gets something of another kind",
    "invalid_input_type": "it is of another kind",
    "value_smaller_than_min": "it is too small",
    "value_bigger_than_max": "it is too large",
    "value_not_in_list": "the worker does not offer this value",
    "custom_validation_failed": "the worker does not accept it",
    "exception_during_inner_validation": "the worker could not check it",
    "exception_during_validation": "the worker could not check it",
}
MOST_ISSUES: Final = 10
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,79}")


def lost(worker: str, reason: str) -> RenderFault:
    """Tell that a worker has gone."""
    return RenderFault(WORKER_LOST, f"The worker {worker} was lost. {reason}", retryable=True)


def lacking(workflow: Workflow, missing: Mapping[str, tuple[str, ...]]) -> RenderFault:
    """Tell what each worker lacks for a workflow."""
    each = "; ".join(f"{worker} lacks {', '.join(what)}" for worker, what in missing.items())
    return RenderFault(WORKFLOW_UNAVAILABLE, f"{workflow.title} cannot be made: {each}.")


def refused(workflow: Workflow, found: Refused) -> RenderFault:
    """Tell what a worker has against a prompt: of fields of the input where it is about what the caller sent."""
    issues: list[Issue] = []
    ours: list[str] = []
    for node, errors in found.nodes.items():
        class_type = workflow.graph[node].class_type if node in workflow.graph else "a node"
        told = errors.get("errors")
        for error in told if isinstance(told, list) else []:
            if not is_object(error):
                continue
            information = error.get("extra_info")
            name = _named(information.get("input_name")) if is_object(information) else None
            phrase = _PHRASES.get(str(error.get("type")), "the worker refused it")
            field = workflow.field(node, name)
            if field is not None:
                issues.append(Issue(field, f"{phrase[0].upper()}{phrase[1:]}."))
            else:
                ours.append(f"{class_type}{f'.{name}' if name else ''}: {phrase}")
    if issues and not ours:
        issues = list(dict.fromkeys(issues))[:MOST_ISSUES]
        message = " ".join(f"{issue.field}: {issue.message}" for issue in issues)
        return RenderFault(INPUT_REFUSED, message, issues=issues)
    if not ours:
        kind = _named(found.error.get("type")) if found.error is not None else None
        ours = [kind or "no reason was given"]
    return RenderFault(
        WORKFLOW_REFUSED, f"The worker refused the workflow {workflow.title}: {'; '.join(ours[:MOST_ISSUES])}."
    )


def failed(workflow: Workflow, entry: Json) -> RenderFault:
    """Tell why a prompt that a history holds ended without success."""
    messages = entry.get("status", {}).get("messages") if is_object(entry.get("status")) else None
    for message in messages if isinstance(messages, list) else []:
        event, data = message if isinstance(message, list) and len(message) == 2 else (None, None)  # noqa: PLR2004 -- a pair.
        if event == "execution_interrupted":
            return RenderFault(INTERRUPTED, "The render was interrupted at the worker.", retryable=True)
        if event == "execution_error" and is_object(data):
            return _error(workflow, data)
    return RenderFault(RENDER_FAILED, "The worker failed and gave no reason.")


def _error(workflow: Workflow, data: Json) -> RenderFault:
    kind, told = str(data.get("exception_type") or ""), str(data.get("exception_message") or "")
    node = str(data.get("node_id") or "")
    title = workflow.steps[node].title if node in workflow.steps else _named(data.get("node_type")) or "a node"
    if _MEMORY.search(kind) or _MEMORY.search(told):
        return RenderFault(OUT_OF_MEMORY, f"The worker ran out of memory at: {title}.", retryable=True)
    # Of the worker's own words only the kind is kept: the rest may hold paths, prompts or names of files.
    named = (_named(kind) or "an error").rpartition(".")[2]
    retryable = bool(_DEVICE.search(kind) or _DEVICE.search(told))
    if (field := _photo(workflow, node)) is not None:
        issue = Issue(field, "The worker cannot read the picture.")
        return RenderFault(INPUT_REFUSED, f"{field}: {issue.message}", issues=(issue,))
    return RenderFault(RENDER_FAILED, f"The worker failed at: {title} ({named}).", retryable=retryable)


def _named(said: object) -> str | None:
    """Return what a worker calls something if that is a name, and no words: these may repeat what it was told."""
    return said if isinstance(said, str) and _NAME.fullmatch(said) else None


def _photo(workflow: Workflow, node: str) -> str | None:
    """Return the photograph's field where a node does nothing but read it."""
    photo = workflow.inputs.get("photo")
    return photo.field if photo is not None and any(place.node == node for place in photo.into) else None

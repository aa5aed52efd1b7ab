"""What a ComfyUI tells over its socket, read into what a render needs to know. Nothing here trusts a frame's shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

LARGEST: Final = 1e15
UNNAMED: Final = ""
"""Of which prompt a frame is that does not say so."""
ENDS: Final = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class NodeState(Enum):
    """How far a node is."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """How far a node is: `value` of `most` of its own steps."""

    state: NodeState
    value: float
    most: float


@dataclass(frozen=True, slots=True)
class Frame:
    """Something about a prompt. `over` says that its end was told, which the history confirms.

    To a socket that was opened anew a ComfyUI tells which node runs, and not of which prompt: then that is UNNAMED.
    """

    prompt_id: str
    nodes: Mapping[str, NodeProgress]
    over: bool = False


def read(message: str | bytes) -> Frame | None:
    """Read one message; None for previews, for the state of the queue, and for what is no frame."""
    try:
        # What is binary is a preview.
        found = None if isinstance(message, bytes) else json.loads(message)
    except (ValueError, RecursionError):
        found = None
    kind, data = (found.get("type"), found.get("data")) if isinstance(found, dict) else (None, None)
    if not isinstance(data, dict):
        return None
    prompt_id = data.get("prompt_id")
    if kind == "executing" and prompt_id is None and data.get("node") is not None:
        prompt_id = UNNAMED
    if not isinstance(prompt_id, str):
        return None
    if kind in ENDS:
        return Frame(prompt_id, {}, over=True)
    if kind == "executing":
        node = data.get("node")
        running = {} if node is None else {str(node): NodeProgress(NodeState.RUNNING, 0, 1)}
        return Frame(prompt_id, running, over=node is None)
    return Frame(prompt_id, _nodes(kind, data))


def _nodes(kind: object, data: Mapping[str, Any]) -> dict[str, NodeProgress]:
    if kind == "executed" and isinstance(data.get("node"), str):
        return {data["node"]: NodeProgress(NodeState.FINISHED, 1, 1)}
    if kind == "execution_cached" and isinstance(data.get("nodes"), list):
        return {str(node): NodeProgress(NodeState.FINISHED, 1, 1) for node in data["nodes"]}
    if kind == "progress" and isinstance(data.get("node"), str):
        return {data["node"]: NodeProgress(NodeState.RUNNING, _number(data.get("value")), _number(data.get("max")))}
    if kind == "progress_state" and isinstance(nodes := data.get("nodes"), dict):
        return {str(key): _progress(each) for key, each in nodes.items() if isinstance(each, dict)}
    return {}


def _progress(node: Mapping[str, Any]) -> NodeProgress:
    try:
        state = NodeState(node.get("state"))
    except ValueError:
        state = NodeState.PENDING
    return NodeProgress(state, _number(node.get("value")), _number(node.get("max")))


def _number(value: object) -> float:
    """Return a number that can be counted with: JSON as Python reads it has NaN, Infinity and endless integers."""
    counts = isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST
    return float(value) if counts and isinstance(value, int | float) else 0.0

"""Workflows: graphs as ComfyUI's API takes them, with what they declare: inputs, files they need, outputs, steps.

A workflow is one JSON file. It is checked when it is read, and against what a worker says it has before it is sent.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.jobs import RenderWorkflow
from domain.renders import WHOLE, RenderStep
from gpu.renders.client import Json
from gpu.renders.frames import NodeProgress, NodeState

TEMPLATES: Final = Path(__file__).parent / "templates"
NAMES: Final[Mapping[RenderWorkflow, str]] = {each: each.name.lower() for each in RenderWorkflow}
LINK: Final = 2
"""A link to another node's output is a pair: the node's id, and which of its outputs."""


Kinds = Mapping[str, Json | None]
"""What a worker says of each kind of node; None for those that it does not have."""


class WorkflowWrong(Exception):
    """A workflow's file cannot be used; the text says why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Part):
    """An input of a node."""

    node: str
    input: str


class DeclaredInput(_Part):
    """Something that each render brings. `field` is the field of our own input that it comes from, for refusals."""

    field: str | None = None
    into: tuple[Place, ...] = Field(min_length=1)


class DeclaredFile(Place):
    """A file that has to lie in a folder of the worker's `models`."""

    folder: str


class Step(_Part):
    """What a node does, in a few words, and how much of the work it is."""

    title: str
    weight: float = Field(1, gt=0, le=1000)


class Node(BaseModel):
    """A node of the graph."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    class_type: str
    inputs: dict[str, Any]


class Workflow(_Part):
    """A workflow's file. `outputs` are the nodes whose files are the result, in order."""

    title: str
    makes: Literal["image", "video"] = "image"
    inputs: dict[Literal["photo", "prompt", "negative", "seed", "prefix"], DeclaredInput]
    files: tuple[DeclaredFile, ...] = ()
    outputs: tuple[str, ...] = Field(min_length=1)
    steps: dict[str, Step] = {}
    graph: dict[str, Node] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Every place and every link leads somewhere, and every output has a name of its own for each attempt."""
        for place in (*self._brought(), *self.files):
            if place.node not in self.graph:
                raise ValueError(f"there is no node {place.node}")
            if place.input not in self.graph[place.node].inputs:
                raise ValueError(f"node {place.node} has no input {place.input}")
        for named in (*self.outputs, *self.steps):
            if named not in self.graph:
                raise ValueError(f"node {named} is named among outputs or steps, and is not there")
        for key, node in self.graph.items():
            for name, value in node.inputs.items():
                if is_link(value) and value[0] not in self.graph:
                    raise ValueError(f"node {key}'s {name} comes from node {value[0]}, which is not there")
        self._check_prefixes()
        return self

    def _check_prefixes(self) -> None:
        """Whatever saves files does so under a name that is this attempt's own, or a worker's cache mixes results."""
        if "prefix" not in self.inputs:
            raise ValueError("no input is called prefix: results of different attempts would take the same names")
        prefixed = {(place.node, place.input) for place in self.inputs["prefix"].into}
        for key, node in self.graph.items():
            if "filename_prefix" in node.inputs and (key, "filename_prefix") not in prefixed:
                raise ValueError(f"node {key}'s filename_prefix is not among the prefix's places")

    def _brought(self) -> list[Place]:
        return [place for declared in self.inputs.values() for place in declared.into]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its nodes."""
        return tuple(sorted({node.class_type for node in self.graph.values()}))

    def filled(self, values: Mapping[str, object], kinds: Kinds) -> dict[str, Any]:
        """Return the graph with the inputs of one render, as the API takes it.

        An input without a value keeps what the file has. What the worker's version insists on and the file does not
        know gets the worker's own default.
        """
        graph: dict[str, Any] = {}
        for key, node in self.graph.items():
            required, accepted = _inputs(kinds.get(node.class_type) or {})
            defaults = {name: _default(accepted[name]) for name in required if name not in node.inputs}
            graph[key] = {"class_type": node.class_type, "inputs": {**defaults, **copy.deepcopy(node.inputs)}}
        for name, declared in self.inputs.items():
            for place in declared.into if name in values else ():
                graph[place.node]["inputs"][place.input] = values[name]
        return graph

    def field(self, node: str, name: str | None) -> str | None:
        """Return which field of our own input fills an input of a node, if one does."""
        for declared in self.inputs.values():
            if any(place.node == node and place.input == name for place in declared.into):
                return declared.field
        return None

    def progress(self, nodes: Mapping[str, NodeProgress]) -> RenderStep:
        """Return how far a render is as a whole, and what is being done."""
        done = whole = 0.0
        running: str | None = None
        for key in self.graph:
            weight = self.steps[key].weight if key in self.steps else 1.0
            whole += weight
            progress = nodes.get(key)
            if progress is None:
                continue
            if progress.state is NodeState.FINISHED:
                done += weight
            elif progress.state is NodeState.RUNNING:
                running = self.steps[key].title if key in self.steps else running
                if progress.most > 0:
                    done += weight * min(max(progress.value / progress.most, 0), 1)
        return RenderStep(int(WHOLE * done / whole), WHOLE, running)

    def lacking(self, kinds: Kinds) -> tuple[str, ...]:
        """Return what a worker lacks for this workflow, by what it says of each kind of node."""
        found: list[str] = []
        brought = {(place.node, place.input) for place in self._brought()}
        folders = {(file.node, file.input): file.folder for file in self.files}
        for key, node in self.graph.items():
            kind = kinds.get(node.class_type)
            if kind is None:
                found.append(f"the node {node.class_type}")
                continue
            required, accepted = _inputs(kind)
            missing = [name for name in required if name not in node.inputs and _default(accepted[name]) is None]
            unknown = [name for name in node.inputs if name not in accepted]
            found += [f"a value for {node.class_type}'s {name}, which it insists on" for name in missing]
            found += [f"{node.class_type}'s input {name}" for name in unknown if (key, name) not in folders]
            for name, value in node.inputs.items():
                choices = _choices(accepted.get(name))
                if choices is None or (key, name) in brought or is_link(value) or value in choices:
                    continue
                folder = folders.get((key, name))
                found.append(f"models/{folder}/{value}" if folder else f"{node.class_type}'s {name} {value}")
        return tuple(dict.fromkeys(found))


def is_link(value: object) -> bool:
    """Whether an input comes from another node."""
    return isinstance(value, list) and len(value) == LINK and isinstance(value[0], str) and isinstance(value[1], int)


def _inputs(kind: Json) -> tuple[list[str], dict[str, object]]:
    """Return the names of the inputs that a kind of node insists on, and everything that it takes."""
    declared = kind.get("input")
    declared = declared if isinstance(declared, dict) else {}
    required = declared.get("required")
    required = required if isinstance(required, dict) else {}
    optional = declared.get("optional")
    return list(required), {**(optional if isinstance(optional, dict) else {}), **required}


def _choices(declared: object) -> list[object] | None:
    """Return what an input may be; None where that is no list. Older workers give the list, newer ones name it."""
    if not isinstance(declared, list) or not declared:
        return None
    if isinstance(declared[0], list):
        return declared[0]
    options = declared[1].get("options") if len(declared) > 1 and isinstance(declared[1], dict) else None
    return options if declared[0] == "COMBO" and isinstance(options, list) else None


def _default(declared: object) -> object:
    """Return what an input is where nothing is said; None where it has to be said."""
    if not isinstance(declared, list) or len(declared) < 2 or not isinstance(declared[1], dict):  # noqa: PLR2004 -- a pair.
        return None
    return declared[1].get("default")


def read_workflow(path: Path) -> Workflow:
    """Read one file; raises WorkflowWrong."""
    try:
        return Workflow.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WorkflowWrong(f"{path.name} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise WorkflowWrong(f"{path.name}: {f'{where}: ' if where else ''}{said}.") from error


def read_workflows(folder: Path | None = None) -> dict[RenderWorkflow, Workflow]:
    """Read every workflow: from `folder` those that it has, the others as they come. Raises WorkflowWrong."""
    found = {}
    for workflow, name in NAMES.items():
        own = folder / f"{name}.json" if folder is not None else None
        found[workflow] = read_workflow(own if own is not None and own.exists() else TEMPLATES / f"{name}.json")
    return found

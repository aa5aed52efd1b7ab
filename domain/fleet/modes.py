"""Operating modes: which kind of work each GPU serves, as a rule over what stands on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("0d4f7c1e-96a5-5a0b-8a43-5e3f1f0c9b62")
"""A worker's id follows from its kind and name, so that every process knows it without asking."""


class FleetMode(Enum):
    """What the machines work on where both kinds of work want the same GPU."""

    LLM_FIRST = "LLM_FIRST"
    MEDIA_FIRST = "MEDIA_FIRST"
    SPLIT = "SPLIT"


class WorkerKind(Enum):
    """What serves work: a language model's endpoint, or a ComfyUI."""

    LLM = "LLM"
    COMFYUI = "COMFYUI"


class Runtime(Enum):
    """What an endpoint is, as far as asking it for its memory goes."""

    COMFYUI = "COMFYUI"
    OLLAMA = "OLLAMA"
    LLAMACPP = "LLAMACPP"
    KEEPS = "KEEPS"
    """It holds its memory while it runs, as vLLM, SGLang and NIM do: there is nothing to ask."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that serves slots: `name` is how its slots name it.

    `gpu` is the UUID of the GPU on which it stands, where an operator has said so. One that is not `on_premise` takes
    nothing of ours.
    """

    kind: WorkerKind
    name: str
    url: str
    runtime: Runtime
    on_premise: bool = True
    gpu: str | None = None

    @property
    def id(self) -> UUID:
        """Its id in every process."""
        return worker_id(self.kind, self.name)


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A resource as whoever asks it found it last."""

    resource: Resource
    answers: bool = True
    queue_depth: int = 0
    """What waits at the resource itself, beside our own queue."""


def worker_id(kind: WorkerKind, name: str) -> UUID:
    """Return the id of the worker that slots call `name`."""
    return uuid5(NAMESPACE, f"{kind.name}:{name}")


UNPLACED: Final = ""
"""Where everything stands of which nobody has said where: one place, as on the machine with one GPU that most are."""

_FIRST: Final = {FleetMode.LLM_FIRST: WorkerKind.LLM, FleetMode.MEDIA_FIRST: WorkerKind.COMFYUI}
_BOTH: Final = frozenset(WorkerKind)


def place_of(resource: Resource) -> str | None:
    """Return on which GPU a resource stands; None for what stands on none of ours."""
    return (resource.gpu or UNPLACED) if resource.on_premise else None


def places(resources: Iterable[Resource]) -> Mapping[str, frozenset[WorkerKind]]:
    """Return which kinds stand on each GPU."""
    found: dict[str, frozenset[WorkerKind]] = {}
    for each in resources:
        place = place_of(each)
        if place is not None:
            found[place] = found.get(place, frozenset()) | {each.kind}
    return found


def served(mode: FleetMode, resources: Sequence[Resource]) -> Mapping[str, frozenset[WorkerKind]]:
    """Return which kinds each GPU serves in a mode.

    A GPU on which one kind stands serves it in every mode: to close it would help nobody. Where both stand, the mode
    decides. SPLIT deals such GPUs out in the order of their UUIDs, language models first, and counts the GPUs of one
    kind too; where that would leave a kind without any GPU, the last one serves both.
    """
    standing = places(resources)
    wanted = {place: kinds for place, kinds in standing.items() if kinds != _BOTH}
    contested = sorted(place for place, kinds in standing.items() if kinds == _BOTH)
    if mode in _FIRST:
        return wanted | {place: frozenset({_FIRST[mode]}) for place in contested}
    alone = {kind: sum(kinds == {kind} for kinds in wanted.values()) for kind in WorkerKind}
    for place in contested:
        kind = WorkerKind.LLM if alone[WorkerKind.LLM] <= alone[WorkerKind.COMFYUI] else WorkerKind.COMFYUI
        alone[kind] += 1
        wanted[place] = frozenset({kind})
    if contested and not all(alone.values()):
        wanted[contested[-1]] = _BOTH
    return wanted


def is_served(resource: Resource, serving: Mapping[str, frozenset[WorkerKind]]) -> bool:
    """Whether a resource's slots are open once a mode has settled."""
    place = place_of(resource)
    return place is None or resource.kind in serving.get(place, frozenset())

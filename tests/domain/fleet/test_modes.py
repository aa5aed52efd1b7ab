"""Which slots are open in which mode: one GPU, several, and what stands on none of ours."""

from itertools import permutations

import pytest

from domain.fleet import FleetMode, Resource, Runtime, WorkerKind, is_served, served

LLM, COMFYUI = WorkerKind.LLM, WorkerKind.COMFYUI
LLM_FIRST, MEDIA_FIRST, SPLIT = FleetMode


def llm(name: str, gpu: str | None = None, *, on_premise: bool = True) -> Resource:
    return Resource(LLM, name, "http://127.0.0.1:11434", Runtime.OLLAMA, on_premise=on_premise, gpu=gpu)


def comfy(name: str, gpu: str | None = None) -> Resource:
    return Resource(COMFYUI, name, "http://127.0.0.1:8188", Runtime.COMFYUI, gpu=gpu)


def opened(mode: FleetMode, *resources: Resource) -> set[str]:
    serving = served(mode, resources)
    return {each.name for each in resources if is_served(each, serving)}


@pytest.mark.parametrize(
    ("mode", "open_"), [(LLM_FIRST, {"ollama"}), (MEDIA_FIRST, {"comfy"}), (SPLIT, {"ollama", "comfy"})]
)
def test_one_gpu_is_what_nobody_has_placed(mode: FleetMode, open_: set[str]) -> None:
    assert opened(mode, llm("ollama"), comfy("comfy")) == open_


@pytest.mark.parametrize("mode", FleetMode)
def test_a_gpu_for_one_kind_serves_it_in_every_mode(mode: FleetMode) -> None:
    assert opened(mode, llm("ollama", "GPU-a"), comfy("comfy", "GPU-b")) == {"ollama", "comfy"}


@pytest.mark.parametrize("mode", FleetMode)
def test_what_is_hosted_is_always_open(mode: FleetMode) -> None:
    assert opened(mode, llm("nvidia", on_premise=False), comfy("comfy")) == {"nvidia", "comfy"}


def test_split_deals_gpus_out_language_models_first() -> None:
    four = [each for gpu in "abcd" for each in (llm(f"llm-{gpu}", gpu), comfy(f"comfy-{gpu}", gpu))]

    assert opened(SPLIT, *four) == {"llm-a", "comfy-b", "llm-c", "comfy-d"}
    assert opened(SPLIT, *four[:6]) == {"llm-a", "comfy-b", "llm-c"}


def test_split_counts_the_gpus_of_one_kind() -> None:
    assert opened(SPLIT, llm("llm-a", "a"), llm("llm-b", "b"), comfy("comfy-b", "b")) == {"llm-a", "comfy-b"}


def test_split_leaves_no_kind_without_a_gpu() -> None:
    assert opened(SPLIT, llm("llm-a", "a"), comfy("comfy-a", "a"), llm("nvidia", on_premise=False)) == {
        "llm-a", "comfy-a", "nvidia",
    }  # fmt: skip


@pytest.mark.parametrize("mode", FleetMode)
def test_the_order_in_which_resources_come_says_nothing(mode: FleetMode) -> None:
    resources = (llm("llm-a", "a"), comfy("comfy-a", "a"), llm("llm-b", "b"), comfy("comfy-b", "b"))

    assert {frozenset(opened(mode, *each)) for each in permutations(resources)} == {frozenset(opened(mode, *resources))}


@pytest.mark.parametrize("mode", FleetMode)
def test_nothing_is_served_by_nothing(mode: FleetMode) -> None:
    assert served(mode, ()) == {}

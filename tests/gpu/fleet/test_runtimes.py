"""Runtimes asked for their memory over a real socket, each in its own words."""

import pytest

from domain.fleet import Resource, Runtime, WorkerKind
from gpu.fleet.runtimes import HttpRuntimes
from tests.gpu.fleet.runtimes import Answers, serving

PS = b'{"models":[{"name":"qwen3:8b","model":"qwen3:8b","size_vram":5},{"name":"llava:7b","model":"llava:7b"}]}'
ROUTER = (
    b'{"data":[{"id":"a","status":{"value":"loaded"}},{"id":"b","status":{"value":"unloaded"}},'
    b'{"id":"c","status":{"value":"sleeping"}}]}'
)
ONE_MODEL = b'{"object":"list","data":[{"id":"model.gguf","object":"model"}]}'


def of(runtime: Runtime, url: str) -> Resource:
    kind = WorkerKind.COMFYUI if runtime is Runtime.COMFYUI else WorkerKind.LLM
    return Resource(kind, "it", url, runtime)


async def test_comfyui_unloads_and_frees() -> None:
    async with serving({"POST /free": (200, b"")}) as server:
        said = await HttpRuntimes().release(of(Runtime.COMFYUI, server.url))

    assert said is None
    assert server.asked == [("POST /free", {"unload_models": True, "free_memory": True})]


async def test_ollama_keeps_nothing_alive_that_is_loaded() -> None:
    async with serving({"GET /api/ps": (200, PS), "POST /api/chat": (200, b'{"done_reason":"unload"}')}) as server:
        said = await HttpRuntimes().release(of(Runtime.OLLAMA, f"{server.url}/v1"))

    assert said is None
    assert server.asked == [
        ("GET /api/ps", None),
        ("POST /api/chat", {"model": "qwen3:8b", "messages": [], "keep_alive": 0, "stream": False}),
        ("POST /api/chat", {"model": "llava:7b", "messages": [], "keep_alive": 0, "stream": False}),
    ]


async def test_a_llama_router_unloads_what_takes_memory() -> None:
    async with serving({"GET /models": (200, ROUTER), "POST /models/unload": (200, b'{"success":true}')}) as server:
        said = await HttpRuntimes().release(of(Runtime.LLAMACPP, server.url))

    assert said is None
    assert server.asked[1:] == [
        ("POST /models/unload", {"model": "a"}), ("POST /models/unload", {"model": "c"}),
    ]  # fmt: skip


async def test_a_llama_server_with_one_model_says_that_it_keeps_it() -> None:
    async with serving({"GET /models": (200, ONE_MODEL)}) as server:
        said = await HttpRuntimes().release(of(Runtime.LLAMACPP, server.url))

    assert said == "It is no router, and holds its model for as long as it runs."
    assert len(server.asked) == 1


async def test_a_runtime_that_keeps_its_memory_is_not_asked() -> None:
    async with serving({}) as server:
        said = await HttpRuntimes().release(of(Runtime.KEEPS, server.url))

    assert (said, server.asked) == ("It holds its memory for as long as it runs.", [])


@pytest.mark.parametrize(
    ("runtime", "answers", "said"),
    [
        (Runtime.COMFYUI, {"POST /free": (500, b"/srv/comfy/server.py")}, "It answered 500."),
        (Runtime.OLLAMA, {}, "It answered 404."),
        (Runtime.OLLAMA, {"GET /api/ps": (200, b"<html>")}, "Its answer was not understood."),
        (Runtime.OLLAMA, {"GET /api/ps": (200, b"[]")}, "Its answer was not understood."),
        (Runtime.OLLAMA, {"GET /api/ps": (200, PS), "POST /api/chat": (503, b"")}, "It answered 503."),
        (Runtime.LLAMACPP, {"GET /models": (200, b"[]")}, "Its answer was not understood."),
    ],
)
async def test_what_goes_wrong_is_said_in_our_words(runtime: Runtime, answers: Answers, said: str) -> None:
    async with serving(answers) as server:
        assert await HttpRuntimes().release(of(runtime, server.url)) == said


async def test_a_runtime_that_is_silent_is_given_up() -> None:
    async with serving({}, silent=True) as server:
        assert (
            await HttpRuntimes(0.1).release(of(Runtime.COMFYUI, server.url)) == "It has not answered for 0.1 seconds."
        )


async def test_a_runtime_that_is_gone_does_not_answer() -> None:
    async with serving({}) as server:
        pass

    assert await HttpRuntimes().release(of(Runtime.COMFYUI, server.url)) == "It does not answer."

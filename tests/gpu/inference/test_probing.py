"""How each kind of server says how it is, and what is remembered of it."""

import asyncio
import json
from pathlib import Path

import pytest

from domain.inference import ModelUnavailable, ProviderStatus, RefusalCode
from gpu.inference.capabilities import Memory, honoured
from gpu.inference.failures import Failure
from gpu.inference.probing import Found, ServedModel, metric, sglang_load
from gpu.inference.profiles import SchemaMode
from tests.fake_llm import Refuse, Stall
from tests.gpu.inference.routing import ASKED, routed

LOADED, NOT_LOADED = True, False
BOTH = (ServedModel("m1"), ServedModel("m2"))
SEEN = [
    ("NVIDIA", BOTH, (None, None, None)),
    ("NEMOCLAW", BOTH, (None, None, None)),
    ("NIM", tuple(ServedModel(each, 16384, LOADED) for each in ("m1", "m2")), (2, 4, None)),
    ("VLLM", tuple(ServedModel(each, 16384, LOADED) for each in ("m1", "m2")), (2, 4, None)),
    ("SGLANG", tuple(ServedModel(each, 32768, LOADED) for each in ("m1", "m2")), (2, 5, None)),
    ("LLAMA_CPP", tuple(ServedModel(each, 4096, LOADED) for each in ("m1", "m2")), (1, 3, 2)),
    ("OLLAMA", (ServedModel("m1", 8192, LOADED), ServedModel("m2", None, NOT_LOADED)), (None, None, None)),
]


@pytest.mark.parametrize(("kind", "models", "load"), SEEN)
async def test_every_kind_is_examined(
    kind: str, models: tuple[ServedModel, ...], load: tuple[int | None, ...]
) -> None:  # fmt: skip
    async with routed({"kind": kind, "key": "k"}) as setting:
        found = await setting.router.endpoints["p0"].look()
        assert all(each.headers["authorization"] == "Bearer k" for each in setting.fakes["p0"].received)
    assert (found.status, found.models) == (ProviderStatus.HEALTHY, models)
    assert (found.running, found.waiting, found.places) == load
    assert found.at is not None


async def test_looks_are_rare_unless_they_are_asked_for() -> None:
    async with routed({}) as setting:
        endpoint, fake = setting.router.endpoints["p0"], setting.fakes["p0"]
        first = await endpoint.look()
        seen = len(fake.received)
        assert (await endpoint.look() == first, len(fake.received)) == (True, seen)
        await endpoint.look(at_once=True)
        setting.time.seconds += 15
        await endpoint.look()
    assert len(fake.received) == 3 * seen


LOADING = '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}'
STATES = [
    ("LLAMA_CPP", "/health", (503, LOADING), ProviderStatus.DEGRADED, "it is too busy (HTTP 503): Loading model"),
    ("VLLM", "/health", (500, ""), ProviderStatus.DOWN, "it failed (HTTP 500)"),
    ("NVIDIA", "/v1/models", (401, "{}"), ProviderStatus.DOWN, "it does not accept the key (HTTP 401)"),
    ("OLLAMA", "/api/tags", (200, "no JSON"), ProviderStatus.DOWN, "its answer cannot be read (HTTP 200)"),
]


@pytest.mark.parametrize(("kind", "path", "page", "status", "reason"), STATES)
async def test_what_is_wrong_is_said(
    kind: str, path: str, page: tuple[int, str], status: ProviderStatus, reason: str
) -> None:
    async with routed({"kind": kind}) as setting:
        setting.fakes["p0"].pages[path] = page
        found = await setting.router.endpoints["p0"].look()
    assert (found.status, found.reason) == (status, reason)


async def test_a_server_that_is_not_there_is_down() -> None:
    async with routed({"url": "http://127.0.0.1:9"}) as setting:
        found = await setting.router.endpoints["p0"].look()
    assert (found.status, found.reason) == (ProviderStatus.DOWN, "it cannot be reached")


async def test_nobody_waits_for_a_server_that_does_not_say_how_it_is() -> None:
    async with routed({"kind": "NVIDIA"}) as setting:
        endpoint, fake = setting.router.endpoints["p0"], setting.fakes["p0"]
        fake.hanging.add("/v1/models")
        found = [await endpoint.look(patience=0.01) for _ in range(3)]
        assert {(each.status, each.reason) for each in found} == {
            (ProviderStatus.UNKNOWN, "it has not said yet how it is")
        }
        # They all wait for one answer, and an answer of another kind says enough.
        assert [each.path for each in fake.received] == ["/v1/models"]
        assert (await setting.models.complete(ASKED)).text == "Hello there."
        assert (await endpoint.look(patience=0)).status is ProviderStatus.HEALTHY


async def test_no_key_comes_back_out_of_a_server_that_repeats_it() -> None:
    key = 'a"long\\key-of-ours'
    async with routed({"kind": "VLLM", "key": key}) as setting:
        fake, endpoint = setting.fakes["p0"], setting.router.endpoints["p0"]
        body = json.dumps({"error": {"message": f"You are not {key}, who are you? {'x ' * 50}{key}", "type": "auth"}})
        fake.pages["/health"] = (401, body)
        found = await endpoint.look()
        fake.otherwise = Refuse(401, body)
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
    assert found.reason.startswith("it does not accept the key (HTTP 401): You are not ..., who are you?")
    for text in (
        found.reason,
        raised.value.message,
        repr(setting.router.settings),
        repr(endpoint.wire.__dict__["_client"]),
    ):
        assert key[:8] not in text
        assert json.dumps(key)[1:9] not in text


async def test_what_a_server_does_not_tell_of_its_load_is_no_fault() -> None:
    async with routed({"kind": "LLAMA_CPP"}, {"kind": "SGLANG"}) as setting:
        llama = setting.fakes["p0"].pages
        llama["/slots"] = llama["/metrics"] = (501, '{"error":{"code":501,"type":"not_supported_error"}}')
        llama["/props"] = (200, '{"total_slots": 4}')
        setting.fakes["p1"].pages["/v1/loads"] = (404, "")
        setting.fakes["p1"].pages["/get_load"] = (200, '[{"num_reqs": 6, "num_waiting_reqs": 2}]')
        found = [await each.look() for each in setting.router.endpoints.values()]
    assert [(each.status, each.running, each.waiting, each.places) for each in found] == [
        (ProviderStatus.HEALTHY, None, None, 4), (ProviderStatus.HEALTHY, 4, 2, None),
    ]  # fmt: skip


def test_loads_that_make_no_sense_are_unknown() -> None:
    assert Found().status is ProviderStatus.UNKNOWN
    assert sglang_load({"loads": "none"}) == (None, None)
    assert (metric("x 1\nx 2.0\n", "x"), metric("", "x"), metric("x 1e999", "x")) == (3, None, None)


async def test_what_was_found_out_is_remembered_in_a_file_for_a_week(tmp_path: Path) -> None:
    path, seconds = tmp_path / "kept" / "capabilities.json", 1000.0
    async with routed({}) as setting:
        provider = setting.router.settings.providers[0]
        memory = Memory(path, lambda: seconds)
        assert memory.recall(provider, "m1") is None
        await memory.keep(provider, "m1", SchemaMode.NVEXT)
        assert Memory(path, lambda: seconds + 7 * 86_400).recall(provider, "m1") is SchemaMode.NVEXT
        assert Memory(path, lambda: seconds + 7 * 86_400 + 1).recall(provider, "m1") is None
        await memory.forget(provider, "m1")
        assert json.loads(path.read_text()) == {}
        path.write_text('{"a": {"mode": "GONE"}}')
        assert Memory(path).recall(provider, "m1") is None


async def test_all_who_ask_at_once_hear_the_same_of_one_try() -> None:
    async with routed({"first_byte_seconds": 0.2}) as setting:
        endpoint, fake, found = setting.router.endpoints["p0"], setting.fakes["p0"], setting.router.capabilities
        fake.tried = Stall()
        asked = [asyncio.create_task(found.mode(endpoint.wire, endpoint.settings, "m1")) for _ in range(5)]
        asked.pop().cancel()
        heard = await asyncio.gather(*asked, return_exceptions=True)
        assert [each.code for each in heard if isinstance(each, Failure)] == [RefusalCode.TIMED_OUT] * 4
        assert len(fake.chats) == 1
        fake.tried = None
        assert await found.mode(endpoint.wire, endpoint.settings, "m1") is SchemaMode.RESPONSE_FORMAT
        fake.tried = Stall()
        assert await found.mode(endpoint.wire, endpoint.settings, "m1") is SchemaMode.RESPONSE_FORMAT
        # One that nobody waits for any more ends with the router.
        left = asyncio.create_task(found.mode(endpoint.wire, endpoint.settings, "m2"))
        while len(fake.chats) < 3:
            await asyncio.wait([left], timeout=0.01)
    with pytest.raises(asyncio.CancelledError):
        await left


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('{"reply": "seven"}', True), ('{"reply":"eight"}', False), ("Hello!", False),
        ('{"reply":"seven","a":1}', False), ("[" * 100_000, False),
    ],
    ids=["fits", "other", "prose", "more", "deep"],
)  # fmt: skip
def test_only_what_nobody_answers_by_chance_counts(text: str, fits: bool) -> None:  # noqa: FBT001 -- a parameter.
    assert honoured(text) is fits

"""One answer from each kind of server, over a real socket: what is sent, what comes back, and how it fails."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from domain.inference import FinishReason, ModelRefused, ModelUnavailable, ProviderKind, RefusalCode
from tests.fake_llm import FLAT, NESTED, PLAIN_STRING, PROBLEM, TEXT, Break, Refuse, Say, Stall
from tests.gpu.inference.routing import ASKED, routed
from tests.serving import PATIENCE

KINDS = [each.name for each in ProviderKind]
SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_answers(kind: str) -> None:
    async with routed({"kind": kind}) as setting:
        done = await setting.models.complete(ASKED)
        [sent] = setting.fakes["p0"].asked
    assert (done.text, done.finish_reason, done.provider, done.model) == ("Hello there.", FinishReason.STOP, "p0", "m1")
    assert (done.prompt_tokens, done.completion_tokens, done.on_premise) == (11, 7, True)
    tokens = sent.body["options"]["num_predict"] if kind == "OLLAMA" else sent.body["max_tokens"]
    assert (tokens, sent.body["stream"], "n_predict" in sent.body) == (64, True, False)
    assert sent.headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", KINDS)
async def test_text_is_handed_on_as_it_comes(kind: str) -> None:
    heard: list[str] = []

    async def on_text(text: str) -> None:
        heard.append(text)

    async with routed({"kind": kind}) as setting:
        done = await setting.models.complete(ASKED, on_text=on_text)
    assert (heard, done.text) == (["Hell", "o th", "ere."], "Hello there.")


@pytest.mark.parametrize(
    "say",
    [
        Say(done=False), Say(finish=None), Say(pings=True), Say(reasoning="Let me think."), Say(whole=True),
        Say(dribble=True, text="Grüße, अनन्या"), Say(usage=False),
    ],
    ids=["no DONE", "no reason", "pings", "reasoning", "whole", "byte by byte", "no usage"],
)  # fmt: skip
async def test_odd_streams_are_read(say: Say) -> None:
    async with routed({"kind": "LLAMA_CPP"}) as setting:
        setting.fakes["p0"].script.append(say)
        done = await setting.models.complete(ASKED)
    assert done.text == say.text
    assert done.finish_reason is (FinishReason.STOP if say.finish else FinishReason.UNKNOWN)
    assert done.prompt_tokens == (11 if say.usage else 0)


async def test_an_answer_that_was_cut_off_says_so() -> None:
    async with routed({}, {"kind": "OLLAMA", "model": "m2"}) as setting:
        for fake in setting.fakes.values():
            fake.otherwise = Say(finish="length")
        done = await setting.models.complete(ASKED)
        local = await setting.models.complete(replace(ASKED, model="m2"))
    assert (done.finish_reason, local.finish_reason) == (FinishReason.LENGTH, FinishReason.LENGTH)


@pytest.mark.parametrize(
    "body", [NESTED, PLAIN_STRING, FLAT, PROBLEM, TEXT], ids=["nested", "string", "flat", "problem", "text"]
)
async def test_every_form_of_error_is_told_in_the_same_words(body: str) -> None:
    async with routed({}) as setting:
        setting.fakes["p0"].otherwise = Refuse(500, body)
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
        assert len(setting.fakes["p0"].asked) == 3
    [tried] = raised.value.tried
    assert (tried.provider, tried.model, tried.code) == ("p0", "m1", RefusalCode.UNKNOWN)
    assert raised.value.message.startswith("No model can answer now. p0 (m1): it failed (HTTP 500): ")
    assert "boom" in raised.value.message


LLAMA_LINE = f"error: {json.dumps({'code': 500, 'message': 'boom', 'type': 'x'})}"
MIDDLES: list[tuple[str, Break, RefusalCode]] = [
    ("VLLM", Break(line=f"data: {NESTED}"), RefusalCode.UNKNOWN),
    ("SGLANG", Break(line=f"data: {FLAT}"), RefusalCode.UNKNOWN),
    (
        "LLAMA_CPP",
        Break(line=LLAMA_LINE),
        RefusalCode.UNKNOWN,
    ),
    ("OLLAMA", Break(line=PLAIN_STRING), RefusalCode.UNKNOWN),
    ("NVIDIA", Break(line=f"data: {PROBLEM}"), RefusalCode.UNKNOWN),
    ("VLLM", Break(), RefusalCode.CUT_OFF),
    ("OLLAMA", Break(), RefusalCode.CUT_OFF),
    ("VLLM", Break(line="data: {broken"), RefusalCode.MALFORMED),
    ("VLLM", Break(line=": nothing more"), RefusalCode.CUT_OFF),
]


@pytest.mark.parametrize(("kind", "middle", "code"), MIDDLES)
async def test_a_failure_in_the_middle_is_tried_again_only_where_nobody_has_read_the_beginning(
    kind: str, middle: Break, code: RefusalCode
) -> None:
    heard: list[str] = []

    async def on_text(text: str) -> None:
        heard.append(text)

    async with routed({"kind": kind}) as setting:
        setting.fakes["p0"].script += [middle]
        if code is not RefusalCode.MALFORMED:
            assert (await setting.models.complete(ASKED)).text == "Hello there."
            setting.fakes["p0"].script += [middle]
        asked = len(setting.fakes["p0"].asked)
        with pytest.raises(ModelRefused) as raised:
            await setting.models.complete(ASKED, on_text=on_text)
        assert len(setting.fakes["p0"].asked) == asked + 1
    assert (heard, raised.value.refusal, raised.value.retryable) == (["Hel"], code, True)


async def test_a_slow_first_byte_is_waited_for_only_so_long() -> None:
    async with routed({"first_byte_seconds": 0.15}, {"kind": "OLLAMA"}) as setting:
        setting.fakes["p0"].otherwise = Stall()
        done = await setting.models.complete(ASKED)
        await asyncio.wait_for(setting.fakes["p0"].gone.wait(), PATIENCE)
    assert done.provider == "p1"


async def test_silence_in_the_middle_ends_the_attempt() -> None:
    async def on_text(_text: str) -> None:
        """Hear the beginning."""

    async with routed({"chunk_seconds": 0.15}) as setting:
        setting.fakes["p0"].otherwise = Stall("Hel")
        with pytest.raises(ModelRefused) as raised:
            await setting.models.complete(ASKED, on_text=on_text)
    assert raised.value.refusal is RefusalCode.TIMED_OUT


async def test_whoever_goes_away_ends_the_work_there_too() -> None:
    stall = Stall("Hel")
    heard = asyncio.Event()

    async def on_text(_text: str) -> None:
        heard.set()

    async with routed({"kind": "SGLANG"}) as setting:
        fake = setting.fakes["p0"]
        fake.otherwise = stall
        task = asyncio.create_task(setting.models.complete(ASKED, on_text=on_text))
        await asyncio.wait_for(heard.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(fake.gone.wait(), PATIENCE)
        [chat] = fake.asked
        [abort] = [each for each in fake.received if each.path == "/abort_request"]
    assert abort.body == {"rid": chat.body["rid"]}
    assert setting.router.endpoints["p0"].in_flight == 0


HONOURS: list[tuple[str, set[str], set[str], str | None]] = [
    ("VLLM", {"response_format"}, set(), "response_format"),
    ("SGLANG", {"response_format"}, set(), "response_format"),
    ("LLAMA_CPP", {"json_schema"}, set(), "json_schema"),
    ("NIM", {"nvext"}, {"response_format", "guided_json"}, "nvext"),
    ("NVIDIA", {"guided_json"}, set(), "guided_json"),
    ("OLLAMA", {"format"}, set(), "format"),
    ("NEMOCLAW", set(), set(), None),
    ("NVIDIA", set(), {"response_format", "guided_json", "nvext"}, None),
    ("VLLM", {"guided_json"}, set(), None),
]


@pytest.mark.parametrize(("kind", "honours", "refuses", "field"), HONOURS)
async def test_how_to_ask_for_json_is_tried_once_and_remembered(
    kind: str, honours: set[str], refuses: set[str], field: str | None
) -> None:
    async with routed({"kind": kind}) as setting:
        fake = setting.fakes["p0"]
        fake.honours, fake.refuses = honours, refuses
        answers = [setting.models.complete(replace(ASKED, schema=SCHEMA)) for _ in range(3)]
        await asyncio.gather(*answers)
        tries = len(fake.chats) - len(fake.asked)
        bodies = [each.body for each in fake.asked]
    fields = ("response_format", "json_schema", "guided_json", "nvext", "format")
    order = {"LLAMA_CPP": fields[:2], "OLLAMA": ("format",), "VLLM": fields[:1], "SGLANG": fields[:1]}
    modes = order.get(kind, ("response_format", "guided_json", "nvext"))
    assert tries == (len(modes) if field is None else modes.index(field) + 1)
    assert len(bodies) == 3
    for body in bodies:
        assert [name for name in fields if name in body] == ([] if field is None else [field])
        assert field is None or schema_in(body[field]) == SCHEMA


def schema_in(asked: Any) -> Any:
    asked = asked.get("json_schema", asked)
    return asked.get("schema", asked.get("guided_json", asked))


async def test_a_mode_that_is_refused_one_day_is_tried_anew() -> None:
    async with routed({"kind": "NIM"}) as setting:
        fake = setting.fakes["p0"]
        await setting.models.complete(replace(ASKED, schema=SCHEMA))
        fake.refuses = {"response_format"}
        done = await setting.models.complete(replace(ASKED, schema=SCHEMA))
        assert "guided_json" in fake.asked[-1].body
    assert done.text == "Hello there."


async def test_no_redirect_is_followed_and_the_key_goes_nowhere() -> None:
    async with routed({"key": "nvapi-topsecret-123"}, {"kind": "OLLAMA"}) as setting:
        other = setting.fakes["p1"]
        setting.fakes["p0"].otherwise = Refuse(307, "", {"location": f"{other.url}/v1/chat/completions"})
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(replace(ASKED, model="m1-only"))
        assert raised.value.message == "No model can answer now. No provider serves m1-only."
        setting.router.endpoints["p1"].breaker.open(10_000)
        with pytest.raises(ModelUnavailable):
            await setting.models.complete(ASKED)
        assert other.received == []
        assert setting.fakes["p0"].asked[0].headers["authorization"] == "Bearer nvapi-topsecret-123"
        shown = repr((setting.router.settings, setting.router.endpoints, vars(setting.router.endpoints["p0"])))
    assert "topsecret" not in shown
    assert "topsecret" not in setting.router.settings.model_dump_json()


async def test_a_provider_that_quotes_the_key_is_not_quoted() -> None:
    async with routed({"key": "nvapi-topsecret-123"}) as setting:
        setting.fakes["p0"].key = "another"
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
    assert "topsecret" not in raised.value.message
    assert raised.value.tried[0].code is RefusalCode.UNAUTHORIZED

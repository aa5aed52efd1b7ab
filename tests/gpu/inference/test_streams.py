"""Answers that come in pieces: however they are cut, and whatever stands between."""

import json
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inference import FinishReason, RefusalCode
from gpu.inference.failures import Failure
from gpu.inference.streams import LONGEST_LINE, lines, ollama_piece, openai_piece, server_sent


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def data_of(*parts: bytes) -> list[str]:
    return [data async for data in server_sent(lines(chunks(*parts)))]


@given(
    st.lists(st.sampled_from(["data: é", "", ":ping", "{}"]), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 200), max_size=6),
)
async def test_lines_are_the_same_wherever_they_are_cut(texts: list[str], end: str, cuts: list[int]) -> None:
    whole = "".join(text + end for text in texts).encode()
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    parts = [whole[first:last] for first, last in pairwise(places)]
    assert [line async for line in lines(chunks(*parts))] == texts


async def test_events_come_with_comments_names_and_without_empty_lines() -> None:
    stream = b': hi\n\nevent: x\nid: 1\ndata: {"a":1}\n\ndata: {"b":2}\ndata: [DONE]\n'
    assert await data_of(stream) == ["", '{"a":1}', '{"b":2}', "[DONE]"]


async def test_data_of_several_lines_is_one_event() -> None:
    assert await data_of(b'data: {"a":\ndata: 1}\n\n') == ['{"a":\n1}']


async def test_llama_cpp_writes_errors_where_others_write_data() -> None:
    [data] = await data_of(b'error: {"code":500,"message":"boom","type":"server_error"}\n\n')
    with pytest.raises(Failure) as raised:
        openai_piece(data)
    assert (raised.value.code, raised.value.detail) == (RefusalCode.UNKNOWN, "boom")


async def test_an_event_that_the_end_cuts_short_counts() -> None:
    assert await data_of(b'data: {"a":1}') == ['{"a":1}']


async def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(Failure) as raised:
        await data_of(*[b"x" * 65536] * (LONGEST_LINE // 65536 + 1))
    assert raised.value.code is RefusalCode.MALFORMED


def test_thinking_is_no_part_of_an_answer() -> None:
    for name in ("reasoning_content", "reasoning", "thinking"):
        piece = openai_piece(json.dumps({"choices": [{"delta": {name: "hmm"}}]}))
        assert (piece.text, piece.thinking) == ("", True)
    assert ollama_piece('{"message":{"content":"","thinking":"hmm"},"done":false}').text == ""


def test_the_usage_comes_without_choices() -> None:
    absurd = openai_piece('{"choices":[],"usage":{"prompt_tokens":3000000000,"completion_tokens":-1}}')
    assert (absurd.prompt_tokens, absurd.completion_tokens) == (None, None)
    piece = openai_piece('{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":true}}')
    assert (piece.prompt_tokens, piece.completion_tokens, piece.last) == (3, None, False)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stop", FinishReason.STOP), ("length", FinishReason.LENGTH), ("content_filter", FinishReason.FILTERED),
        ("eos", FinishReason.STOP), ("something new", FinishReason.UNKNOWN), (None, None), ("", None),
    ],
)  # fmt: skip
def test_why_it_stopped(said: str | None, reason: FinishReason | None) -> None:
    assert openai_piece(json.dumps({"choices": [{"delta": {}, "finish_reason": said}]})).finish is reason


@pytest.mark.parametrize("data", ["nothing", "[1]", "12", '{"a":', "[" * 100_000])
def test_what_is_no_object_cannot_be_read(data: str) -> None:
    for read in (openai_piece, ollama_piece):
        with pytest.raises(Failure) as raised:
            read(data)
        assert raised.value.code is RefusalCode.MALFORMED


@pytest.mark.parametrize(
    "data",
    [
        '{"error":{"message":"boom"}}', '{"error":"boom"}', '{"object":"error","message":"boom","code":500}',
        '{"message":"boom","type":"x","code":500}', '{"status":500,"title":"T","detail":"boom"}',
    ],
)  # fmt: skip
def test_every_form_of_error_in_the_middle_is_one(data: str) -> None:
    with pytest.raises(Failure) as raised:
        openai_piece(data)
    assert raised.value.detail == "boom"

"""Answers that come piece by piece: server-sent events and JSON lines, as tolerant as the servers are different."""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from domain.inference import FinishReason, RefusalCode
from gpu.inference.failures import Failure, failure_in

LONGEST_LINE: Final = 1_048_576
MOST_TOKENS: Final = 1_000_000_000
"""No request has more; whoever says so has not counted."""
DONE: Final = "[DONE]"

FINISHES: Final = {
    "stop": FinishReason.STOP, "eos": FinishReason.STOP, "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP, "end_turn": FinishReason.STOP, "tool_calls": FinishReason.STOP,
    "length": FinishReason.LENGTH, "max_tokens": FinishReason.LENGTH, "limit": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED, "abort": FinishReason.UNKNOWN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """What one line of an answer says; `thinking` is that the model is at work, but on nothing that is its answer."""

    text: str = ""
    finish: FinishReason | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    last: bool = False
    thinking: bool = False


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Split bytes into lines, whatever ends them and wherever a character is cut. Raises Failure for endless lines."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    async for chunk in chunks:
        rest += decoder.decode(chunk)
        # A return at the very end may be the first half of an end of line.
        held = "\r" if rest.endswith("\r") else ""
        *whole, rest = rest.removesuffix(held).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest += held
        for line in whole:
            yield line
        if len(rest) > LONGEST_LINE:
            raise Failure(RefusalCode.MALFORMED)
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest.removesuffix("\r")


async def server_sent(source: AsyncIterator[str]) -> AsyncIterator[str]:
    """Return the data of each event.

    Comments and pings are empty data, so that whoever waits sees that somebody is there. `error:` lines, which
    llama.cpp writes where others write data, are data too. An event that the end of the stream cuts short counts.
    """
    held: list[str] = []
    async for line in source:
        if not line:
            if held:
                yield "\n".join(held)
                held = []
            continue
        field, _, value = line.partition(":")
        if field in {"data", "error"}:
            held.append(value.removeprefix(" "))
            # Not every server leaves an empty line between two events.
            if _whole("\n".join(held)):
                yield "\n".join(held)
                held = []
        elif not field:
            yield ""
        elif line.startswith("{"):
            yield line
    if held:
        yield "\n".join(held)


def _whole(data: str) -> bool:
    if data.strip() == DONE:
        return True
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def openai_piece(data: str) -> Piece:
    """Read one event of an OpenAI-compatible stream. Raises Failure for an error, and for what is no JSON."""
    if not data.strip():
        return Piece(thinking=True)
    if data.strip() == DONE:
        return Piece(last=True)
    body = _object(data)
    if _is_error(body):
        raise failure_in(body, None)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta = choice.get("delta") if isinstance(choice.get("delta"), dict) else choice.get("message")
    delta = delta if isinstance(delta, dict) else {}
    text = delta.get("content")
    prompt, completion = _usage(body.get("usage"))
    return Piece(
        text=_sound(text),
        finish=finish_of(choice.get("finish_reason")),
        prompt_tokens=prompt,
        completion_tokens=completion,
        thinking=not text,
    )


def ollama_piece(data: str) -> Piece:
    """Read one line of Ollama's own stream; an error comes with status 200, as any other line. Raises Failure."""
    if not data.strip():
        return Piece(thinking=True)
    body = _object(data)
    if _is_error(body):
        raise failure_in(body, None)
    message = body.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    done = body.get("done") is True
    finish = (finish_of(body.get("done_reason")) or FinishReason.STOP) if done else None
    return Piece(
        text=_sound(text),
        finish=finish,
        prompt_tokens=_count(body.get("prompt_eval_count")),
        completion_tokens=_count(body.get("eval_count")),
        last=done,
        thinking=not text,
    )


def finish_of(given: object) -> FinishReason | None:
    """Return why a model stopped, or None while it has not."""
    return FINISHES.get(given.lower(), FinishReason.UNKNOWN) if isinstance(given, str) and given else None


def _sound(given: object) -> str:
    """Return text that can be stored: without NUL characters and halves of characters, which JSON can name."""
    if not isinstance(given, str):
        return ""
    return given.replace("\0", "").encode("utf-8", "replace").decode()


def _object(data: str) -> dict[str, object]:
    try:
        body: object = json.loads(data)
    except (ValueError, RecursionError):
        raise Failure(RefusalCode.MALFORMED) from None
    if not isinstance(body, dict):
        raise Failure(RefusalCode.MALFORMED)
    return body


def _is_error(body: dict[str, object]) -> bool:
    flat = "choices" not in body and "message" in body and {"code", "type"} & set(body) and "done" not in body
    problem = {"status", "title"} <= set(body)
    return bool(body.get("error")) or body.get("object") == "error" or bool(flat) or problem


def _usage(given: object) -> tuple[int | None, int | None]:
    if not isinstance(given, dict):
        return None, None
    return _count(given.get("prompt_tokens")), _count(given.get("completion_tokens"))


def _count(given: object) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_TOKENS else None

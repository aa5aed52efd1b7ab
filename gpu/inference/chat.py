"""One conversation with one provider: sent, read piece by piece, and whole at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from domain.inference import FinishReason, ProviderKind, RefusalCode
from gpu.inference.bodies import Question, ollama_body, openai_body
from gpu.inference.failures import Failure
from gpu.inference.profiles import PROFILES
from gpu.inference.settings import ProviderSettings
from gpu.inference.streams import Piece, lines, ollama_piece, openai_piece, server_sent
from gpu.inference.wire import Wire

LONGEST_TEXT: Final = 1_000_000
ABORT_SECONDS: Final = 2.0

OnRaw = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What it answered; a count is 0 where the provider did not say."""

    text: str
    finish: FinishReason
    prompt_tokens: int = 0
    completion_tokens: int = 0


async def converse(wire: Wire, provider: ProviderSettings, question: Question, on_text: OnRaw | None = None) -> Reply:
    """Ask, and return the whole answer; `on_text` gets it as it comes. Raises Failure."""
    profile, request_id = PROFILES[provider.kind], str(uuid4())
    body = ollama_body(provider, question) if profile.ollama else openai_body(provider, question, request_id)
    first_byte = provider.first_byte_seconds or profile.first_byte_seconds
    reading, finished = _Reading(), False
    limit = asyncio.timeout(provider.total_seconds)
    try:
        async with (
            limit,
            wire.stream(profile.chat, body, first_byte) as (content, chunks),
            aclosing(_pieces(content, chunks, ollama=profile.ollama)) as pieces,
        ):
            async for piece in pieces:
                reading.take(piece)
                if piece.text and on_text is not None:
                    await on_text(piece.text)
                if piece.last:
                    break
        finished = True
    except TimeoutError:
        if not limit.expired():
            raise
        raise Failure(RefusalCode.TIMED_OUT) from None
    finally:
        if not finished and provider.kind is ProviderKind.SGLANG:
            await _abort(wire, request_id)
    return reading.reply()


async def _pieces(content: str, chunks: AsyncIterator[bytes], *, ollama: bool) -> AsyncGenerator[Piece, None]:
    """Read the pieces of an answer; one that comes whole, although pieces were asked for, is one piece."""
    if ollama:
        async for line in lines(chunks):
            yield ollama_piece(line)
        return
    if content.startswith("application/json"):
        read = b"".join([chunk async for chunk in chunks])
        yield openai_piece(read.decode("utf-8", "replace"))
        return
    async for data in server_sent(lines(chunks)):
        yield openai_piece(data)


async def _abort(wire: Wire, request_id: str) -> None:
    """Have SGLang stop what nobody waits for any more."""
    with suppress(Failure, asyncio.CancelledError):
        await asyncio.shield(asyncio.ensure_future(_tell_to_stop(wire, request_id)))


async def _tell_to_stop(wire: Wire, request_id: str) -> None:
    with suppress(Failure):
        await wire.post("/abort_request", {"rid": request_id}, ABORT_SECONDS)


class _Reading:
    """What has come of an answer so far."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._length = 0
        self._finish: FinishReason | None = None
        self._last = False
        self._prompt_tokens = 0
        self._completion_tokens = 0

    def take(self, piece: Piece) -> None:
        self._texts.append(piece.text)
        self._length += len(piece.text)
        if self._length > LONGEST_TEXT:
            raise Failure(RefusalCode.MALFORMED, detail="the answer has no end")
        self._finish = piece.finish or self._finish
        self._last = self._last or piece.last
        self._prompt_tokens = piece.prompt_tokens or self._prompt_tokens
        self._completion_tokens = piece.completion_tokens or self._completion_tokens

    def reply(self) -> Reply:
        """Return the whole; raises Failure for a stream that ended without saying that it is finished."""
        if self._finish is None and not self._last:
            raise Failure(RefusalCode.CUT_OFF)
        finish = self._finish or FinishReason.UNKNOWN
        return Reply("".join(self._texts), finish, self._prompt_tokens, self._completion_tokens)

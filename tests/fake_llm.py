"""A language model's server that is none: it speaks each vendor's wire format over a real socket, by a script."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from domain.inference import ProviderKind

Json = dict[str, Any]


@dataclass(frozen=True)
class Say:
    """Answer with a text, in pieces. What is not said of the end is left out of the stream."""

    text: str = "Hello there."
    finish: str | None = "stop"
    usage: bool = True
    done: bool = True
    reasoning: str = ""
    pings: bool = False
    whole: bool = False
    """As one JSON document, as servers do that cannot stream."""
    dribble: bool = False
    """Byte by byte."""


@dataclass(frozen=True)
class Refuse:
    """Answer with an error."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Break:
    """Begin, and fail in the middle: by `line`, or by hanging up."""

    text: str = "Hel"
    line: str | None = None


@dataclass(frozen=True)
class Stall:
    """Say nothing, or nothing more after `text`, until the other side gives up or `released` is set."""

    text: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    then: Say = field(default_factory=Say)


Behaviour = Say | Refuse | Break | Stall


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json


# The five forms in which servers say that something is wrong.
NESTED = json.dumps({"error": {"code": 500, "message": "boom", "type": "server_error"}})
PLAIN_STRING = json.dumps({"error": "boom"})
FLAT = json.dumps({"object": "error", "message": "boom", "type": "InternalServerError", "param": None, "code": 500})
PROBLEM = json.dumps({"status": 500, "title": "Internal Server Error", "detail": "boom"})
TEXT = "<html>boom</html>"


class FakeLlm:
    """One server of a kind."""

    def __init__(self, kind: ProviderKind, *, models: tuple[str, ...] = ("m1", "m2"), key: str | None = None) -> None:
        """Serve `models`; with a key, insist on it."""
        self.kind = kind
        self.models = models
        self.key = key
        self.script: deque[Behaviour] = deque()
        self.otherwise: Behaviour | Callable[[Json], Behaviour] = Say()
        self.received: list[Received] = []
        self.pages: dict[str, tuple[int, str]] = self._pages()
        self.honours: set[str] = {"response_format", "json_schema", "guided_json", "nvext", "format"}
        self.refuses: set[str] = set()
        self.tried: Behaviour | None = None
        """What becomes of a request that only tries how to ask, in place of what the other settings say."""
        self.running = 0
        self.most_running = 0
        self.hanging: set[str] = set()
        """Pages that are never answered."""
        self.gone = asyncio.Event()
        """Set when a client hangs up before its answer is whole."""
        self.url = ""

    @property
    def chats(self) -> list[Received]:
        """The requests for answers."""
        return [each for each in self.received if each.path in {"/v1/chat/completions", "/api/chat"}]

    @property
    def asked(self) -> list[Received]:
        """The requests for answers, without those that only try how to ask."""
        return [each for each in self.chats if "one friendly sentence" not in each.body["messages"][0]["content"]]

    def _pages(self) -> dict[str, tuple[int, str]]:
        cards: list[Json] = [{"id": name, "object": "model"} for name in self.models]
        match self.kind:
            case ProviderKind.OLLAMA:
                tags = {"models": [{"name": name, "model": name, "size": 1} for name in self.models]}
                loaded = {"models": [{"name": self.models[0], "model": self.models[0], "context_length": 8192}]}
                return {
                    "/api/version": (200, json.dumps({"version": "0.12"})),
                    "/api/tags": (200, json.dumps(tags)),
                    "/api/ps": (200, json.dumps(loaded)),
                }
            case ProviderKind.LLAMA_CPP:
                cards = [{**card, "meta": {"n_ctx_train": 4096}} for card in cards]
                slots = [{"id": 0, "is_processing": True}, {"id": 1, "is_processing": False}]
                return {
                    "/health": (200, '{"status":"ok"}'),
                    "/v1/models": (200, json.dumps({"data": cards})),
                    "/slots": (200, json.dumps(slots)),
                    "/metrics": (200, "llamacpp:requests_processing 1\nllamacpp:requests_deferred 3\n"),
                }
            case ProviderKind.SGLANG:
                cards = [{**card, "max_model_len": 32768} for card in cards]
                loads = {"loads": [{"num_running_reqs": 2, "num_waiting_reqs": 5}]}
                return {
                    "/health": (200, ""),
                    "/v1/models": (200, json.dumps({"data": cards})),
                    "/v1/loads": (200, json.dumps(loads)),
                    "/abort_request": (200, ""),
                }
            case ProviderKind.VLLM | ProviderKind.NIM:
                cards = [{**card, "max_model_len": 16384} for card in cards]
                metrics = (
                    '# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name="m1"} 2.0\n'
                    'vllm:num_requests_waiting{model_name="m1"} 4.0\n'
                )
                return {
                    "/health": (200, ""),
                    "/v1/health/ready": (200, '{"object":"health.response","message":"Service is ready."}'),
                    "/v1/models": (200, json.dumps({"data": cards})),
                    "/metrics": (200, metrics),
                    "/v1/metrics": (200, metrics),
                }
            case _:
                return {"/v1/models": (200, json.dumps({"data": cards}))}

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator["FakeLlm"]:
        """Serve, on a free port unless one is given."""
        connections: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connections.add(task)
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    await self._serve(reader, writer)
            finally:
                connections.discard(task)
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in list(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            read = await reader.readexactly(int(headers.get("content-length", "0")))
            path = target.partition("?")[0]
            received = Received(method, path, headers, json.loads(read) if read else {})
            self.received.append(received)
            if path in {"/v1/chat/completions", "/api/chat"} and method == "POST":
                self.running += 1
                self.most_running = max(self.most_running, self.running)
                try:
                    if not await self._chat(received, reader, writer):
                        return
                finally:
                    self.running -= 1
            elif path in self.hanging:
                await asyncio.Event().wait()
            else:
                status, text = self.pages.get(path, (404, "404 page not found"))
                _plain(writer, status, text)
            await writer.drain()

    async def _chat(self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer, and return whether the connection goes on."""
        behaviour = self._behaviour(received)
        if isinstance(behaviour, Refuse):
            _plain(writer, behaviour.status, behaviour.body, behaviour.headers)
            return True
        if isinstance(behaviour, Say) and behaviour.whole:
            message = {"choices": [{"message": {"content": behaviour.text}, "finish_reason": behaviour.finish}]}
            _plain(writer, 200, json.dumps({**message, "usage": USAGE}))
            return True
        return await self._stream(behaviour, received, reader, writer)

    async def _stream(
        self, behaviour: Say | Break | Stall, received: Received, reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:  # fmt: skip
        """Answer in pieces, and return whether the connection goes on."""
        if isinstance(behaviour, Stall) and not behaviour.text:
            if not await self._left_waiting(behaviour, reader):
                return False
            behaviour = behaviour.then
        ollama = self.kind is ProviderKind.OLLAMA
        content = "application/x-ndjson" if ollama else "text/event-stream"
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {content}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        begun = "" if isinstance(behaviour, Say) else behaviour.text
        if begun:
            _chunk(writer, _delta(begun, ollama=ollama))
            await writer.drain()
        match behaviour:
            case Break(line=line):
                if line is None:
                    writer.transport.abort()
                    return False
                _chunk(writer, line.encode() + b"\n\n")
                _chunk(writer, b"")
                return True
            case Stall():
                if not await self._left_waiting(behaviour, reader):
                    return False
                behaviour = behaviour.then
            case _:
                pass
        assert isinstance(behaviour, Say)
        await _say(writer, behaviour, received, ollama=ollama)
        return True

    async def _left_waiting(self, stall: Stall, reader: asyncio.StreamReader) -> bool:
        """Wait until the stall is over, or the client is gone; return whether it is still there."""
        ended = asyncio.ensure_future(reader.read(1))
        released = asyncio.ensure_future(stall.released.wait())
        try:
            await asyncio.wait({ended, released}, return_when=asyncio.FIRST_COMPLETED)
            there = not ended.done()
        finally:
            ended.cancel()
            released.cancel()
            await asyncio.gather(ended, released, return_exceptions=True)
        if not there:
            self.gone.set()
        return there

    def _behaviour(self, received: Received) -> Behaviour:
        if self.key is not None and received.headers.get("authorization") != f"Bearer {self.key}":
            return Refuse(401, json.dumps({"error": {"message": f"Incorrect API key: {received.headers}"}}))
        body = received.body
        if unknown := sorted(self.refuses & set(body)):
            return Refuse(400, json.dumps({"error": {"message": f"extra field {unknown[0]}", "type": "BadRequest"}}))
        if "one friendly sentence" in body["messages"][0]["content"]:
            if self.tried is not None:
                return self.tried
            return Say('{"reply": "seven"}' if self.honours & set(body) else "Hello, dear friend!")
        if self.script:
            return self.script.popleft()
        return self.otherwise(body) if callable(self.otherwise) else self.otherwise


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def _plain(writer: asyncio.StreamWriter, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
    body = text.encode()
    content = "application/json" if text.startswith(("{", "[")) else "text/plain"
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'Said')}\r\ncontent-type: {content}\r\n{more}"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _delta(text: str, *, ollama: bool, reasoning: bool = False) -> bytes:
    if ollama:
        return json.dumps({"message": {"role": "assistant", "content": text}, "done": False}).encode() + b"\n"
    field_name = "reasoning_content" if reasoning else "content"
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {field_name: text}}]}).encode() + b"\n\n"


async def _say(writer: asyncio.StreamWriter, say: Say, received: Received, *, ollama: bool) -> None:
    frames: list[bytes] = []
    if say.pings:
        frames += [b": ping\n\n", b"event: ping\ndata: \n\n"] if not ollama else []
    if say.reasoning:
        frames.append(_delta(say.reasoning, ollama=False, reasoning=True))
    frames += [_delta(say.text[at : at + 4], ollama=ollama) for at in range(0, len(say.text), 4)]
    if ollama:
        counts = {"prompt_eval_count": 11, "eval_count": 7} if say.usage else {}
        if say.finish is not None:
            last = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": say.finish}
            frames.append(json.dumps({**last, **counts}).encode() + b"\n")
    else:
        if say.finish is not None:
            ended = {"choices": [{"index": 0, "delta": {}, "finish_reason": say.finish}]}
            frames.append(b"data: " + json.dumps(ended).encode() + b"\n\n")
        if say.usage and received.body.get("stream_options", {}).get("include_usage"):
            frames.append(b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n")
        if say.done:
            frames.append(b"data: [DONE]\n\n")
    for frame in frames:
        for data in [frame[at : at + 1] for at in range(len(frame))] if say.dribble else [frame]:
            _chunk(writer, data)
            await writer.drain()
    _chunk(writer, b"")
    await writer.drain()

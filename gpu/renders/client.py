"""One ComfyUI over HTTP. It knows its routes and its errors, and nothing of jobs.

ComfyUI has no authentication, and its answers name paths of its machine: nothing of them is passed on as it came.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard
from uuid import UUID

import httpx

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0
PROBE_SECONDS: Final = 5.0
OK: Final = 200
BAD_REQUEST: Final = 400
NO_SUCH_ROUTE: Final = frozenset({404, 405})
LARGEST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes of JSON. A queue holds whole prompts, and some nodes' inputs are long lists of files."""
ANSWER_SECONDS: Final = 120.0
FILE_SECONDS: Final = 600.0
"""How long an answer, and a file, may take as a whole: one byte at a time is no answer."""
MOST_QUEUED: Final = 1_000_000
LARGEST_COUNT: Final = 1_000_000_000_000_000
LONGEST_NAME: Final = 200

UNSENT: Final = (UnicodeError, httpx.InvalidURL)
"""What names that cannot be sent are refused with: a file that is called so was never made."""

Json = Mapping[str, Any]


class WorkerUnreachable(Exception):
    """The worker does not answer, or not as a ComfyUI does. `sent` is False where it cannot have taken a request in."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        """Give the reason without addresses or paths."""
        self.reason = reason
        self.sent = sent
        super().__init__(reason)


class FileGone(Exception):
    """The worker has no such file any more."""


class FileTooLarge(Exception):
    """A file has more bytes than are taken."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What a worker has against a prompt: `error` of the whole, and errors of nodes by their ids."""

    error: Json | None
    nodes: Mapping[str, Json]
    queued: bool
    """It runs what it can of the prompt all the same."""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """Where a worker put a file."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a worker says of itself; memory in bytes, of its first device."""

    version: str
    device: str
    vram_total: int
    vram_free: int


@dataclass(frozen=True, slots=True)
class Queue:
    """What a worker has to do: the ids of what runs and of what waits, each with the client that is told of it."""

    running: Mapping[str, str | None]
    waiting: Mapping[str, str | None]

    @property
    def ids(self) -> frozenset[str]:
        """Everything that runs or waits."""
        return frozenset(self.running) | frozenset(self.waiting)

    def client_of(self, prompt_id: str) -> str | None:
        """Return who is told of a prompt; None where it is not here, or nobody is."""
        return self.running.get(prompt_id) or self.waiting.get(prompt_id)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a value is a JSON object."""
    return isinstance(value, dict)


class ComfyClient:
    """Asks one ComfyUI. Every call may raise WorkerUnreachable."""

    def __init__(self, url: str) -> None:
        """Ask the one at `url`, such as `http://10.0.0.5:8188`."""
        self._http: Final = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            # What is packed small may be large, and is unpacked before anybody can count it.
            headers={"accept-encoding": "identity"},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=8),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """End its connections."""
        await self._http.aclose()

    async def vitals(self) -> Vitals:
        """Ask how it is: the health probe."""
        found = await self._json("GET", "/system_stats", seconds=PROBE_SECONDS)
        system, devices = found.get("system"), found.get("devices")
        first = devices[0] if isinstance(devices, list) and devices and is_object(devices[0]) else {}
        version = system.get("comfyui_version") if is_object(system) else None
        if not is_object(system):
            raise WorkerUnreachable("It does not answer as a ComfyUI does.")
        return Vitals(
            version=str(version or "unknown")[:LONGEST_NAME],
            device=str(first.get("name") or "unknown").partition(" : ")[0][:LONGEST_NAME],
            vram_total=_count(first.get("vram_total")),
            vram_free=_count(first.get("vram_free")),
        )

    async def load(self) -> int:
        """Return how many prompts are running or waiting."""
        found = await self._json("GET", "/prompt", seconds=PROBE_SECONDS)
        information = found.get("exec_info")
        return min(_count(information.get("queue_remaining")), MOST_QUEUED) if is_object(information) else 0

    async def node(self, class_type: str) -> Json | None:
        """Return what a kind of node takes; None where there is none."""
        found = (await self._json("GET", f"/object_info/{class_type}")).get(class_type)
        return found if is_object(found) else None

    async def submit(self, prompt_id: UUID, client_id: str, graph: Json) -> Refused | None:
        """Queue a prompt under an id of ours; return what the worker has against it, if anything.

        A worker that answers 200 may still have left out outputs that do not validate.
        """
        body = {"prompt": graph, "prompt_id": str(prompt_id), "client_id": client_id}
        answer = await self._send("POST", "/prompt", json=body)
        found = _object(answer)
        if answer.status_code not in {OK, BAD_REQUEST}:
            raise WorkerUnreachable(f"It answered {answer.status_code} to a prompt.", sent=False)
        error, nodes = found.get("error"), found.get("node_errors")
        nodes = {str(key): each for key, each in nodes.items() if is_object(each)} if is_object(nodes) else {}
        if answer.status_code == OK and not nodes:
            return None
        told = error if is_object(error) else {"message": str(error)} if error else None
        return Refused(told, nodes, queued=answer.status_code == OK)

    async def history(self, prompt_id: UUID) -> Json | None:
        """Return what became of a prompt; None while it has not ended, and where it was never heard of."""
        found = (await self._json("GET", f"/history/{prompt_id}")).get(str(prompt_id))
        return found if is_object(found) else None

    async def forget(self, prompt_ids: list[UUID]) -> None:
        """Remove prompts from the history."""
        await self._send("POST", "/history", json={"delete": [str(each) for each in prompt_ids]})

    async def queued(self) -> Queue:
        """Return what runs and what waits."""
        found = await self._json("GET", "/queue")
        return Queue(_entries(found.get("queue_running")), _entries(found.get("queue_pending")))

    async def cancel(self, prompt_id: UUID) -> None:
        """End a prompt wherever it is: by the route that newer ones have, else by the two older ones."""
        answer = await self._send("POST", f"/api/jobs/{prompt_id}/cancel", json={})
        if answer.status_code in NO_SUCH_ROUTE:
            # In this order: what starts between the two is found by the second.
            await self._send("POST", "/queue", json={"delete": [str(prompt_id)]})
            # Old ones interrupt whatever runs, and do not read whom it is meant for.
            if str(prompt_id) in (await self.queued()).running:
                await self._send("POST", "/interrupt", json={"prompt_id": str(prompt_id)})

    async def free(self) -> None:
        """Ask it to let go of its models and its memory before the next prompt."""
        await self._send("POST", "/free", json={"unload_models": True, "free_memory": True})

    async def upload(self, folder: str, name: str, content: bytes, content_type: str) -> str:
        """Send a picture among the inputs, and return what a workflow calls it."""
        answer = await self._send(
            "POST",
            "/upload/image",
            files={"image": (name, content, content_type)},
            data={"type": "input", "subfolder": folder, "overwrite": "true"},
        )
        found = _object(answer)
        if answer.status_code != OK or not isinstance(found.get("name"), str):
            raise WorkerUnreachable(f"It answered {answer.status_code} to a picture.")
        kept = str(found.get("subfolder") or "")
        return f"{kept}/{found['name']}" if kept else str(found["name"])

    async def fetch(self, file: OutputFile, most_bytes: int) -> bytes:
        """Return a file's bytes; raises FileGone and FileTooLarge."""
        asked = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        try:
            async with asyncio.timeout(FILE_SECONDS), self._http.stream("GET", "/view", params=asked) as answer:
                if answer.status_code in NO_SUCH_ROUTE:
                    raise FileGone
                if answer.status_code != OK:
                    raise WorkerUnreachable(f"It answered {answer.status_code} to /view.")
                content = bytearray()
                async for piece in answer.aiter_raw():
                    content += piece
                    if len(content) > most_bytes:
                        raise FileTooLarge
                return bytes(content)
        except UNSENT as error:
            raise FileGone from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise _unreachable(error) from error

    async def _json(self, method: str, path: str, seconds: float = READ_SECONDS) -> Json:
        answer = await self._send(method, path, timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS))
        if answer.status_code != OK:
            raise WorkerUnreachable(f"It answered {answer.status_code} to {path.split('/')[1]}.")
        return _object(answer)

    async def _send(self, method: str, path: str, **options: Any) -> _Answer:  # noqa: ANN401 -- httpx's own options.
        content = bytearray()
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._http.stream(method, path, **options) as answer:
                async for piece in answer.aiter_raw():
                    content += piece
                    if len(content) > LARGEST_ANSWER:
                        raise WorkerUnreachable("Its answer is too large.")
        except UNSENT as error:
            raise WorkerUnreachable("It gives names that cannot be sent.", sent=False) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise _unreachable(error) from error
        return _Answer(answer.status_code, bytes(content))


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that was read whole."""

    status_code: int
    content: bytes


def _unreachable(error: httpx.HTTPError | TimeoutError) -> WorkerUnreachable:
    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return WorkerUnreachable(f"It does not answer ({type(error).__name__}).", sent=not unsent)


def _object(answer: _Answer) -> Json:
    """Read an answer; one that is no JSON object is as good as none."""
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    return found if is_object(found) else {}


def _count(said: object) -> int:
    """Return a number of things; 0 for what is none."""
    counts = isinstance(said, int) and not isinstance(said, bool)
    return max(0, min(said, LARGEST_COUNT)) if counts and isinstance(said, int) else 0


def _entries(entries: object) -> dict[str, str | None]:
    """Read a queue's entries, which are lists: number, id, prompt, what else is known of it, and more."""
    if not isinstance(entries, list):
        return {}
    return {str(entry[1]): _told(entry[3:4]) for entry in entries if isinstance(entry, list) and len(entry) > 1}


def _told(known: list[object]) -> str | None:
    """Return the client that is told of an entry."""
    client = known[0].get("client_id") if known and is_object(known[0]) else None
    return client if isinstance(client, str) and client else None

"""The fake's queue: one prompt at a time, with the frames of a real one in their recorded order, and faults at will."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.comfy import nodes
from tests.comfy.nodes import KINDS, Work

PREVIEWS = (
    # An image of either kind, what is internal, text of a node, an image with what is known of it; then cut off.
    b"\0\0\0\1\0\0\0\1jpeg", b"\0\0\0\1\0\0\0\2png", b"\0\0\0\2{}", b"\0\0\0\3\0\0\0\0015almost",
    b"\0\0\0\4\0\0\0\2{}jpeg", b"\0\0\0\1\0", b"\0", b"", b"\xff\xfe\xfd\xfc",
)  # fmt: skip

Send = Callable[[str | None, str | bytes], Awaitable[None]]


class Interrupted(Exception):
    """Somebody interrupted the prompt that runs."""


@dataclass(slots=True)
class Queued:
    """A prompt as the queue holds it."""

    number: float
    id: str
    prompt: dict[str, Any]
    client: str | None
    outputs: list[str]

    @property
    def entry(self) -> list[Any]:
        return [self.number, self.id, self.prompt, {"client_id": self.client}, self.outputs]


@dataclass
class Faults:
    """What goes wrong, until it is set back."""

    hold: set[str] = field(default_factory=set)
    """Kinds of nodes that wait, until `Engine.release` or an interruption."""
    error: tuple[str, str, str] | None = None
    """A kind of node that fails once, with this kind of exception and message."""
    mute: bool = False
    """No frame is sent."""
    twice: bool = False
    """Every frame comes twice, and those of an ended prompt once more at the end."""
    late_history: bool = False
    """The history is written only well after the frame that tells of the end."""
    previews: bool = False
    """Every frame comes with binary ones of each kind, whole and cut off."""


class Engine:
    """One prompt worker."""

    def __init__(self, folder: Path, send: Send) -> None:
        self.folder = folder
        self.faults = Faults()
        self.pending: list[Queued] = []
        self.running: Queued | None = None
        self.history: dict[str, Any] = {}
        self.submitted: list[str] = []
        self.freed = 0
        self.executed: list[str] = []
        """The kinds of nodes that ran, in order; what came from the cache is not among them."""
        self.held = asyncio.Event()
        self.client: str | None = None
        """Who is told of what runs, and was of what ran last."""
        self.last_node: str | None = None
        self._states: dict[str, Any] = {}
        self._send = send
        self._numbers = 0
        self._release = asyncio.Event()
        self._interrupted = asyncio.Event()
        self._arrived = asyncio.Event()
        self._cache: dict[str, tuple[tuple[Any, ...], list[dict[str, str]]]] = {}
        self._sent: list[tuple[str | None, str]] = []
        self._task = asyncio.create_task(self._work())

    async def end(self) -> None:
        """Stop as a process that is killed does."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def release(self, *, until: str | None = None) -> None:
        """Let what is held go on, now and from now on, or until another kind of node."""
        self.faults.hold.clear()
        if until is not None:
            self.faults.hold.add(until)
        self._release.set()

    def remaining(self) -> int:
        return len(self.pending) + (self.running is not None)

    async def add(self, prompt_id: str, prompt: dict[str, Any], client: str | None, outputs: list[str]) -> int:
        self._numbers += 1
        self.submitted.append(prompt_id)
        self.pending.append(Queued(self._numbers, prompt_id, prompt, client, outputs))
        self._arrived.set()
        await self.status()
        return self._numbers

    def delete(self, prompt_id: str) -> bool:
        """Take a prompt out of the queue; nothing tells of it."""
        before = len(self.pending)
        self.pending = [each for each in self.pending if each.id != prompt_id]
        return len(self.pending) < before

    def interrupt(self, prompt_id: str | None) -> bool:
        if self.running is None or prompt_id not in {None, self.running.id}:
            return False
        self._interrupted.set()
        return True

    def forget(self) -> None:
        """Lose the queue and what runs, as after a restart, while every connection stays."""
        self.pending.clear()
        self.history.clear()
        self._task.cancel()
        self.running = None
        self._task = asyncio.create_task(self._work())

    async def status(self) -> None:
        data = {"status": {"exec_info": {"queue_remaining": self.remaining()}}}
        await self._send(None, json.dumps({"type": "status", "data": data}))

    async def tell(self, client: str | None, kind: str, **data: Any) -> None:
        if self.faults.mute:
            return
        frame = json.dumps({"type": kind, "data": data})
        for preview in PREVIEWS if self.faults.previews else ():
            await self._send(client, preview)
        for _ in range(2 if self.faults.twice else 1):
            await self._send(client, frame)
        self._sent.append((client, frame))

    async def _work(self) -> None:
        while True:
            while not self.pending:
                self._arrived.clear()
                await self._arrived.wait()
            self.pending.sort(key=lambda each: each.number)
            self.running = self.pending.pop(0)
            self._interrupted.clear()
            await self._run(self.running)

    async def _run(self, item: Queued) -> None:
        outputs: dict[str, Any] = {}
        messages: list[Any] = []

        async def note(kind: str, **data: Any) -> None:
            told = {"prompt_id": item.id, **data, "timestamp": int(time.time() * 1000)}
            messages.append([kind, told])
            # Of an interruption everybody hears.
            await self.tell(None if kind == "execution_interrupted" else item.client, kind, **told)

        self.client, self._states = item.client, {}
        await note("execution_start")
        status = "success"
        node = ""
        done: list[str] = []
        try:
            order = list(
                dict.fromkeys(each for output in item.outputs for each in nodes.ancestors(item.prompt, output))
            )
            cached = [each for each in order if self._key(item.prompt, each) in self._cache]
            await note("execution_cached", nodes=cached)
            for node in order:
                await self._node(item, node, outputs, cached=node in cached)
                done.append(node)
            await note("execution_success")
        except Interrupted:
            status = "error"
            kind = item.prompt[node]["class_type"]
            await note("execution_interrupted", node_id=node, node_type=kind, executed=done)
        except Exception as error:  # noqa: BLE001 -- whatever a node raises is told.
            status = "error"
            await note(
                "execution_error", node_id=node, node_type=item.prompt[node]["class_type"], executed=done,
                exception_message=str(error), exception_type=getattr(error, "kind", type(error).__name__),
                traceback=[f'  File "{self.folder}/execution.py", line 1'], current_inputs={}, current_outputs=done,
            )  # fmt: skip
        if self.faults.late_history:
            await self._held("history")
        self.history[item.id] = {
            "prompt": item.entry,
            "outputs": outputs,
            "status": {"status_str": status, "completed": status == "success", "messages": messages},
            "meta": {},
        }
        self.running = self.last_node = None
        await self.status()
        await self.tell(item.client, "executing", node=None, prompt_id=item.id)
        if self.faults.twice:
            for client, frame in self._sent[:-1]:
                await self._send(client, frame)

    def _key(self, prompt: dict[str, Any], node: str) -> str:
        return json.dumps([prompt[each] for each in nodes.ancestors(prompt, node)])

    async def _node(self, item: Queued, node: str, outputs: dict[str, Any], *, cached: bool) -> None:
        kind = item.prompt[node]["class_type"]
        if not cached:
            await self._state(item, node, 0, 1, "running")
            self.last_node = node
            await self.tell(item.client, "executing", node=node, display_node=node, prompt_id=item.id)
            await self._held(kind)
            if self._interrupted.is_set():
                raise Interrupted
            self._fail(kind)

            async def step(value: int, most: int) -> None:
                await self._held(f"{kind} step")
                if self._interrupted.is_set():
                    raise Interrupted
                await self.tell(item.client, "progress", value=value, max=most, prompt_id=item.id, node=node)
                await self._state(item, node, value, most, "running")

            work = Work(self.folder, item.prompt, step)
            inputs = {
                name: self._cache[self._key(item.prompt, value[0])][0][value[1]] if isinstance(value, list) else value
                for name, value in item.prompt[node]["inputs"].items()
            }
            self._cache[self._key(item.prompt, node)] = await KINDS[kind].run(work, inputs), work.saved
            self.executed.append(kind)
        saved = self._cache[self._key(item.prompt, node)][1]
        if KINDS[kind].output:
            outputs[node] = {"images": saved, **({"animated": [True]} if kind == "SaveVideo" else {})}
            await self.tell(
                item.client, "executed", node=node, display_node=node, output=outputs[node], prompt_id=item.id
            )
        await self._state(item, node, 1, 1, "finished")

    async def _state(self, item: Queued, node: str, value: int, most: int, state: str) -> None:
        self._states[node] = {"value": value, "max": most, "state": state, "node_id": node, "prompt_id": item.id}
        # Of every node that has begun, each time.
        await self.tell(item.client, "progress_state", prompt_id=item.id, nodes=self._states)

    async def _held(self, kind: str) -> None:
        if kind not in self.faults.hold:
            return
        self._release.clear()
        self.held.set()
        waiting = [asyncio.create_task(event.wait()) for event in (self._release, self._interrupted)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            self.held.clear()

    def _fail(self, kind: str) -> None:
        if self.faults.error is None or self.faults.error[0] != kind:
            return
        _, exception, message = self.faults.error
        self.faults.error = None
        error = RuntimeError(message)
        error.kind = exception  # type: ignore[attr-defined]  # ComfyUI tells the kind by its full name.
        raise error

"""One render on one ComfyUI: take up what is there already or begin, wait for its end, fetch its files.

What became of a prompt is what the history says. Frames say how far it is, and when to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.assets import EXTENSIONS
from domain.renders import WHOLE, RenderedFile, RenderFault, RenderOrder, RenderStep, Told
from gpu.renders import faults
from gpu.renders.client import (
    ComfyClient,
    FileGone,
    FileTooLarge,
    Json,
    OutputFile,
    Queue,
    Refused,
    WorkerUnreachable,
    is_object,
)
from gpu.renders.socket import ComfySocket, Watch
from gpu.renders.workflows import Kinds, Workflow

TYPES: Final[Mapping[str, str]] = {
    "jpeg": "image/jpeg", "jpg": "image/jpeg", "mp4": "video/mp4", "png": "image/png", "webp": "image/webp",
}  # fmt: skip
DONE: Final = RenderStep(WHOLE, WHOLE, None)
SENDS: Final = "Sending the photograph to the render worker"
WAITS: Final = "Waiting at the render worker"
RUNS: Final = "Running at the render worker"
"""What is told of a prompt of which nothing is heard; frames say more."""
MOST_FILES: Final = 16
"""How many files one render may have; the others are left."""
AGAIN_SECONDS: Final = 0.1
AGAIN: Final = 20
"""How often the history is read again where a frame told of an end that it does not have yet."""


@dataclass(frozen=True, slots=True)
class RenderRules:
    """How patient a render is, in seconds."""

    look: float = 3
    """How often the history is read while nothing is heard."""
    lost_after: float = 20
    """How long a worker may be silent before it is given up."""
    stalled_after: float = 600
    """How long a running prompt may bring no news while the socket is open. Loading a model takes minutes."""
    unheard_after: float = 3600
    """How long one may run of which nothing can be heard, because no socket opens."""
    deaf_after: float = 30
    """How long one may bring no news before its socket is opened anew, which may be open and told nothing."""
    tell: float = 0.5
    """How often progress is told, at most."""
    stop_within: float = 15
    """How long a worker has for ending a prompt: it does so between two steps."""
    most_bytes: int = 200_000_000
    """The largest file that is fetched."""


class _Gone(Exception):
    """The prompt is neither in the queue nor in the history."""


class ComfyWorker:
    """One ComfyUI, and the socket of this process to it."""

    def __init__(self, name: str, url: str, client_id: str, rules: RenderRules) -> None:
        """Call it `name`."""
        self.name: Final = name
        self.url: Final = url
        self.client: Final = ComfyClient(url)
        self.socket: Final = ComfySocket(url, client_id)
        self._client_id: Final = client_id
        self._rules: Final = rules

    async def close(self) -> None:
        """End its connections."""
        await self.socket.close()
        await self.client.close()

    async def lacking(self, workflow: Workflow) -> tuple[str, ...]:
        """Return what this worker lacks for a workflow. Raises WorkerUnreachable."""
        return workflow.lacking(await self._kinds(workflow))

    async def _kinds(self, workflow: Workflow) -> Kinds:
        return {each: await self.client.node(each) for each in workflow.kinds}

    async def render(self, workflow: Workflow, order: RenderOrder, told: Told) -> tuple[RenderedFile, ...]:
        """Render, or take up what an earlier attempt left here. Raises RenderFault."""
        try:
            # Before anything is sent, so that no frame of it is missed; without a socket the history alone must do.
            await self.socket.opened(self._rules.look)
            for earlier in order.prompt_ids:
                taken_up = await self._take_up(workflow, earlier, told)
                if taken_up is not None:
                    return taken_up
            await told(RenderStep(0, WHOLE, SENDS))
            kinds = await self._kinds(workflow)
            if missing := workflow.lacking(kinds):
                raise faults.lacking(workflow, {self.name: missing})
            graph = await self._graph(workflow, order, kinds)
        except WorkerUnreachable as error:
            raise faults.lost(self.name, error.reason) from error
        return await self._begin(workflow, order.prompt_ids[0], graph, told)

    async def stop(self, prompt_ids: tuple[UUID, ...]) -> bool:
        """End prompts; return whether none of them runs or waits any more."""
        wanted = {str(each) for each in prompt_ids}
        try:
            async with asyncio.timeout(self._rules.stop_within):
                while left := wanted & (await self.client.queued()).ids:
                    for each in left:
                        await self.client.cancel(UUID(each))
                    await asyncio.sleep(AGAIN_SECONDS)
        except (TimeoutError, WorkerUnreachable):
            return False
        return True

    async def _take_up(self, workflow: Workflow, prompt_id: UUID, told: Told) -> tuple[RenderedFile, ...] | None:
        """Return the files of a prompt that is here already; None where there is nothing to take up."""
        entry = await self.client.history(prompt_id)
        if entry is None:
            queue = await self.client.queued()
            if str(prompt_id) in queue.ids:
                return await self._join(workflow, prompt_id, queue, told)
            # It may have ended between the two questions.
            entry = await self.client.history(prompt_id)
        if entry is not None and _succeeded(entry):
            with suppress(RenderFault):
                files = await self._files(workflow, entry)
                await told(DONE)
                return files
        # What failed before is tried anew, and so is what has lost its files.
        return None

    async def _join(
        self, workflow: Workflow, prompt_id: UUID, queue: Queue, told: Told
    ) -> tuple[RenderedFile, ...] | None:
        """Wait for a prompt that another process began; None where it fails."""
        async with self._hearing(queue.client_of(str(prompt_id))) as socket:
            with suppress(RenderFault), socket.watch(str(prompt_id)) as watch:
                # Watched before it opens: which node runs is told to a new socket at once.
                watch.runs = str(prompt_id) in queue.running
                await socket.opened(self._rules.look)
                return await self._files(workflow, await self._ended(workflow, prompt_id, watch, told, joined=True))
        return None

    @asynccontextmanager
    async def _hearing(self, client_id: str | None) -> AsyncIterator[ComfySocket]:
        """Give a socket that hears what a client is told: our own, or one in place of a process that has gone."""
        if client_id is None or client_id == self._client_id:
            yield self.socket
            return
        socket = ComfySocket(self.url, client_id)
        try:
            yield socket
        finally:
            await socket.close()

    async def _graph(self, workflow: Workflow, order: RenderOrder, kinds: Kinds) -> Json:
        folder = f"velocity/{order.job_id}/{order.attempt}"
        values: dict[str, object] = {"prompt": order.prompt, "seed": order.seed, "prefix": f"{folder}/out"}
        if order.negative:
            values["negative"] = order.negative
        if "photo" in workflow.inputs:
            name = f"photo.{EXTENSIONS[order.content_type]}"
            values["photo"] = await self.client.upload(folder, name, order.content, order.content_type)
        return workflow.filled(values, kinds)

    async def _begin(self, workflow: Workflow, prompt_id: UUID, graph: Json, told: Told) -> tuple[RenderedFile, ...]:
        found: Refused | None = None
        with self.socket.watch(str(prompt_id)) as watch:
            try:
                found = await self.client.submit(prompt_id, self._client_id, graph)
            except WorkerUnreachable as error:
                if not error.sent:
                    raise faults.lost(self.name, error.reason) from error
                # It may have heard the prompt: its id is ours, so the queue tells.
            if found is None:
                return await self._files(workflow, await self._ended(workflow, prompt_id, watch, told))
        if found.queued:
            await self.stop((prompt_id,))
        raise faults.refused(workflow, found)

    async def _ended(
        self, workflow: Workflow, prompt_id: UUID, watch: Watch, told: Told, *, joined: bool = False
    ) -> Json:
        """Wait for the end of a prompt that was sent, and return what the history has of it, a success."""
        waiting = _Waiting(self, workflow, prompt_id, watch, told)
        try:
            entry = await waiting.until_ended(look_at_once=joined)
        except _Gone:
            message = f"The worker {self.name} lost its queue, and the render with it."
            raise RenderFault(faults.QUEUE_LOST, message, retryable=True) from None
        if _succeeded(entry):
            # Frames may have been lost, and those of a prompt that another process sent go to that one.
            if waiting.last != DONE:
                await told(DONE)
            return entry
        fault = faults.failed(workflow, entry)
        if fault.code == faults.OUT_OF_MEMORY:
            with suppress(WorkerUnreachable):
                await self.client.free()
        raise fault

    async def _files(self, workflow: Workflow, entry: Json) -> tuple[RenderedFile, ...]:
        named = output_files(workflow, entry)
        if not named:
            raise RenderFault(faults.OUTPUT_MISSING, "The render ended without a file.", retryable=True)
        try:
            return tuple([await self._file(file) for file in named[:MOST_FILES]])
        except FileGone:
            message = f"The worker {self.name} no longer has the file it made."
            raise RenderFault(faults.OUTPUT_MISSING, message, retryable=True) from None
        except FileTooLarge:
            message = f"The render made a file of more than {self._rules.most_bytes} bytes."
            raise RenderFault(faults.OUTPUT_REFUSED, message) from None
        except WorkerUnreachable as error:
            raise faults.lost(self.name, error.reason) from error

    async def _file(self, file: OutputFile) -> RenderedFile:
        content_type = TYPES.get(file.filename.rpartition(".")[2].lower())
        if content_type is None:
            raise RenderFault(faults.OUTPUT_REFUSED, "The render made a file of a kind that is not kept.")
        return RenderedFile(await self.client.fetch(file, self._rules.most_bytes), content_type)

    @property
    def rules(self) -> RenderRules:
        """How patient it is."""
        return self._rules


class _Waiting:
    """Waits for one prompt."""

    def __init__(self, worker: ComfyWorker, workflow: Workflow, prompt_id: UUID, watch: Watch, told: Told) -> None:
        self._worker = worker
        self._workflow = workflow
        self._prompt_id = prompt_id
        self._watch = watch
        self._told = told
        self._clock: Final[Callable[[], float]] = asyncio.get_running_loop().time
        self.last: RenderStep | None = None
        self._told_at = -worker.rules.tell
        self._moved = 0
        self._moved_at = self._heard_at = self._renewed_at = self._clock()

    async def until_ended(self, *, look_at_once: bool) -> Json:
        """Return the history's entry. Raises _Gone, and RenderFault for a worker that is lost or stalled."""
        rules, looked_at = self._worker.rules, self._clock()
        if look_at_once and (entry := await self._look(again=0)) is not None:
            return entry
        while True:
            await self._wait(max(0.0, looked_at + rules.look - self._clock()))
            await self._tell()
            if not self._watch.over and self._watch.socket.is_open and self._clock() < looked_at + rules.look:
                continue
            looked_at = self._clock()
            entry = await self._look(again=AGAIN if self._watch.over else 0)
            if entry is not None:
                return entry
            await self._check_heard()

    async def _wait(self, seconds: float) -> None:
        """Wait for news; when there are too many to tell, for as long as none may be told."""
        due = self._told_at + self._worker.rules.tell - self._clock()
        if self._watch.changed.is_set() and due > 0 and not self._watch.over:
            await asyncio.sleep(min(due, seconds))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._watch.changed.wait()

    async def _tell(self) -> None:
        """Tell how far it is, not too often, and never that it went back."""
        if self._watch.moved != self._moved:
            self._moved, self._moved_at = self._watch.moved, self._clock()
        if self._clock() < self._told_at + self._worker.rules.tell and not self._watch.over:
            return
        self._watch.changed.clear()
        step = self._workflow.progress(self._watch.nodes)
        if self.last is not None and step.value < self.last.value:
            step = RenderStep(self.last.value, step.most, step.step)
        if step != self.last and self._watch.nodes:
            self.last, self._told_at = step, self._clock()
            await self._told(step)

    async def _look(self, again: int) -> Json | None:
        """Read the history; None while the prompt runs or waits, or the worker is silent but not for long."""
        client, prompt_id = self._worker.client, self._prompt_id
        try:
            for _ in range(again + 1):
                entry = await client.history(prompt_id)
                if entry is not None:
                    return entry
                queue = await client.queued()
                self._heard_at = self._clock()
                await self._say_where(queue)
                if str(prompt_id) not in queue.ids:
                    return await self._missed()
                if again:
                    await asyncio.sleep(AGAIN_SECONDS)
        except WorkerUnreachable as error:
            if self._clock() - self._heard_at >= self._worker.rules.lost_after:
                raise faults.lost(self._worker.name, error.reason) from error
            await asyncio.sleep(min(self._worker.rules.look, 1.0))
        return None

    async def _missed(self) -> Json | None:
        """Look closer at what was neither in the history nor in the queue: it may have ended or begun meanwhile."""
        for _ in range(2):
            entry = await self._worker.client.history(self._prompt_id)
            if entry is not None or str(self._prompt_id) in (await self._worker.client.queued()).ids:
                return entry
        raise _Gone

    async def _say_where(self, queue: Queue) -> None:
        """Tell whether it waits or runs, as long as nobody knows better."""
        if str(self._prompt_id) in queue.waiting:
            # Whatever is before it is no fault of its own.
            self._moved_at = self._clock()
            self._watch.runs, said = False, WAITS
        else:
            said = RUNS
        if str(self._prompt_id) in queue.ids and (self.last is None or self.last.step in {WAITS, RUNS}):
            step = RenderStep(0 if self.last is None else self.last.value, WHOLE, said)
            if step != self.last:
                self.last = step
                await self._told(step)

    async def _check_heard(self) -> None:
        """Give up what brings no news for too long, and before that see to it that there can be some."""
        rules, socket, now = self._worker.rules, self._watch.socket, self._clock()
        patience = rules.stalled_after if socket.is_open else max(rules.stalled_after, rules.unheard_after)
        if now - self._moved_at >= patience:
            await self._worker.stop((self._prompt_id,))
            message = f"The worker {self._worker.name} made no progress for {patience:g} seconds."
            raise RenderFault(faults.WORKER_STALLED, message, retryable=True)
        if socket.is_open and now - max(self._moved_at, self._renewed_at) >= rules.deaf_after:
            self._renewed_at = now
            await socket.renew()


def _succeeded(entry: Json) -> bool:
    status = entry.get("status")
    return is_object(status) and status.get("status_str") == "success"


def output_files(workflow: Workflow, entry: Json) -> list[OutputFile]:
    """Return the files that a history names of the nodes that are the result, in their order."""
    outputs = entry.get("outputs")
    found: list[OutputFile] = []
    for node in workflow.outputs:
        output = outputs.get(node) if is_object(outputs) else None
        for files in output.values() if is_object(output) else ():
            found += [
                OutputFile(each["filename"], str(each.get("subfolder") or ""), "output")
                for each in (files if isinstance(files, list) else [])
                if is_object(each) and isinstance(each.get("filename"), str) and each.get("type") == "output"
            ]
    return list(dict.fromkeys(found))

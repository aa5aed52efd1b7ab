"""The one socket of this process to a ComfyUI: it stays open, and what comes is told apart by prompt.

A ComfyUI sends to one socket per client id, repeats nothing after a reconnection, and may send a thing twice. So a
frame is a hint: it says how far a prompt is and when to read the history, and never what became of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidURI, WebSocketException

from gpu.renders.frames import Frame, NodeProgress, NodeState, read

LARGEST_FRAME: Final = 16 * 1024 * 1024
"""A preview is a picture, and the state of a large graph some hundred kilobytes."""
OPEN_SECONDS: Final = 5.0
FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 5.0


class Watch:
    """What is known of one prompt from frames."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.nodes: Final[dict[str, NodeProgress]] = {}
        self.over = False
        self.moved = 0
        """Counts what was news."""
        self.changed: Final = asyncio.Event()

    def hear(self, frame: Frame) -> None:
        """Take in a frame; one that says nothing new is no sign of life."""
        news = frame.over and not self.over
        for node, progress in frame.nodes.items():
            before = self.nodes.get(node)
            # A node that has ended does not run again: a late frame of it comes out of order.
            if before != progress and not (before is not None and before.state is NodeState.FINISHED):
                self.nodes[node] = progress
                news = True
        if news:
            self.over = self.over or frame.over
            self.moved += 1
            self.changed.set()


class ComfySocket:
    """Keeps a socket open from `start` to `close`, and tells those who watch."""

    def __init__(self, url: str, client_id: str) -> None:
        """Connect to the ComfyUI at `url` as `client_id`, which is this process's own."""
        scheme, _, rest = url.rstrip("/").partition("://")
        self._address: Final = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws?clientId={client_id}"
        self._watches: Final[dict[str, Watch]] = {}
        self._open: Final = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether frames can come at present."""
        return self._open.is_set()

    def start(self) -> None:
        """Begin to connect, unless that has begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_open(), name="comfyui socket")

    async def close(self) -> None:
        """Disconnect for good."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def opened(self, seconds: float) -> bool:
        """Wait until it is open, so long at most; return whether it is."""
        self.start()
        try:
            async with asyncio.timeout(seconds):
                await self._open.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def watch(self, prompt_id: str) -> Iterator[Watch]:
        """Hear of a prompt for a while."""
        watch = Watch()
        self._watches[prompt_id] = watch
        try:
            yield watch
        finally:
            if self._watches.get(prompt_id) is watch:
                del self._watches[prompt_id]

    @property
    def watches(self) -> Mapping[str, Watch]:
        """What is watched at present."""
        return self._watches

    async def _keep_open(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                async with connect(
                    self._address, open_timeout=OPEN_SECONDS, max_size=LARGEST_FRAME, proxy=None
                ) as socket:
                    self._open.set()
                    wait = FIRST_WAIT
                    # Nothing of what was told meanwhile is told again: whoever waits reads the history now.
                    self._wake()
                    async for message in socket:
                        self._hear(message)
            except InvalidURI:
                return
            except (OSError, WebSocketException, TimeoutError):
                pass
            finally:
                self._open.clear()
            self._wake()
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 -- it only spreads reconnections.
            wait = min(2 * wait, LONGEST_WAIT)

    def _hear(self, message: str | bytes) -> None:
        frame = read(message)
        if frame is not None and (watch := self._watches.get(frame.prompt_id)) is not None:
            watch.hear(frame)

    def _wake(self) -> None:
        for watch in self._watches.values():
            watch.changed.set()

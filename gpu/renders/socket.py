"""The one socket of this process to a ComfyUI: it stays open, and what comes is told apart by prompt.

A ComfyUI sends to one socket per client id, repeats nothing after a reconnection but which node runs, and may send a
thing twice. So a frame is a hint: it says how far a prompt is and when to read the history, never what became of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidURI, WebSocketException

from gpu.renders.frames import UNNAMED, Frame, NodeProgress, NodeState, read

LARGEST_FRAME: Final = 16 * 1024 * 1024
"""A preview is a picture, and the state of a large graph some hundred kilobytes."""
OPEN_SECONDS: Final = 5.0
FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 5.0


class Watch:
    """What is known of one prompt from the frames of a socket."""

    def __init__(self, socket: ComfySocket) -> None:
        """Know nothing yet."""
        self.socket: Final = socket
        self.nodes: Final[dict[str, NodeProgress]] = {}
        self.over = False
        self.runs = False
        """Whether it is known to run, so that a frame that does not say of what it is can be of it."""
        self.moved = 0
        """Counts what was news."""
        self.changed: Final = asyncio.Event()

    def hear(self, frame: Frame) -> None:
        """Take in a frame; one that says nothing new is no sign of life."""
        news = frame.over and not self.over
        self.runs = True
        for node, progress in frame.nodes.items():
            if _is_news(self.nodes.get(node), progress):
                self.nodes[node] = progress
                news = True
        if news:
            self.over = self.over or frame.over
            self.moved += 1
            self.changed.set()


def _is_news(before: NodeProgress | None, now: NodeProgress) -> bool:
    """Whether a frame says more of a node than is known."""
    if before is None or before == now:
        return before is None
    # A node that has ended does not run again: a late frame of it comes out of order. So does one that says only that
    # it runs, when it is known how far it is.
    again = before.state is NodeState.RUNNING and now.state is NodeState.RUNNING and not now.value
    return before.state is not NodeState.FINISHED and not again


class ComfySocket:
    """Keeps a socket open from `start` to `close`, and tells those who watch."""

    def __init__(self, url: str, client_id: str) -> None:
        """Connect to the ComfyUI at `url` as `client_id`, which is this process's own, or that of one that has gone."""
        scheme, _, rest = url.rstrip("/").partition("://")
        self._address: Final = (
            f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws?clientId={quote(client_id, safe='')}"
        )
        self._watches: Final[dict[str, Watch]] = {}
        self._open: Final = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connection: ClientConnection | None = None

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

    async def renew(self) -> None:
        """Connect anew. A ComfyUI that notices late that an earlier connection has gone forgets the newer with it."""
        if self._connection is not None:
            await self._connection.close()

    @contextmanager
    def watch(self, prompt_id: str) -> Iterator[Watch]:
        """Hear of a prompt for a while."""
        watch = Watch(self)
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
                    self._address, open_timeout=OPEN_SECONDS, close_timeout=OPEN_SECONDS, max_size=LARGEST_FRAME,
                    proxy=None,
                ) as socket:  # fmt: skip
                    self._connection = socket
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
                self._connection = None
                self._open.clear()
            self._wake()
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 -- it only spreads reconnections.
            wait = min(2 * wait, LONGEST_WAIT)

    def _hear(self, message: str | bytes) -> None:
        frame = read(message)
        if frame is None:
            return
        watch = self._watches.get(frame.prompt_id)
        if frame.prompt_id == UNNAMED:
            watch = next((each for each in self._watches.values() if each.runs), None)
        if watch is not None:
            watch.hear(frame)

    def _wake(self) -> None:
        for watch in self._watches.values():
            watch.changed.set()

"""What a process knows of the sessions whose batches it takes, so that the next batch need not read it."""

from __future__ import annotations

import asyncio
import time
from asyncio.events import TimerHandle
from collections import OrderedDict
from typing import Final
from uuid import UUID

from db.perception.ingesting import Seen
from domain.access import Caller

MOST: Final = 4_000
"""How many sessions are remembered, of some 4 kB each."""
SECONDS: Final = 30.0
"""For how long, after their last batch: it is what an erasure removes elsewhere."""


class Remembered:
    """Sessions as their last batch has left them, for the caller who sent it."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._kept: Final[OrderedDict[tuple[Caller, UUID], tuple[float, Seen]]] = OrderedDict()
        self._timer: TimerHandle | None = None

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._kept)

    def before(self, caller: Caller, session_id: UUID, sequence: int) -> Seen | None:
        """Return a session whose next batch has this number; it is forgotten until that was written."""
        kept = self._kept.pop((caller, session_id), None)
        return kept[1] if kept is not None and kept[1].session.last_sequence == sequence - 1 else None

    def keep(self, caller: Caller, seen: Seen) -> None:
        """Remember a session."""
        self._kept[caller, seen.session.id] = time.monotonic(), seen
        self._kept.move_to_end((caller, seen.session.id))
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SECONDS, self._forget)

    def _forget(self) -> None:
        """Forget what was not asked for in a while."""
        self._timer = None
        now = time.monotonic()
        while self._kept:
            at, _ = next(iter(self._kept.values()))
            if at > now - SECONDS:
                self._timer = asyncio.get_running_loop().call_later(at + SECONDS - now, self._forget)
                break
            self._kept.popitem(last=False)

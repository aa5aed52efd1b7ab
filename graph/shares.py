"""A bounded cache in which nobody's entries can push out everybody else's: each owner has a share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shares(Generic[K, V]):
    """Keeps what was used last. An owner over its share loses its own oldest entry; anybody may read any entry."""

    def __init__(self, kept: int, share: int) -> None:
        """Keep `kept` entries in all and `share` of each owner."""
        self._kept = kept
        self._share = share
        self._entries: OrderedDict[K, tuple[V, Hashable]] = OrderedDict()
        self._owned: dict[Hashable, OrderedDict[K, None]] = {}
        self.evictions = 0

    def __len__(self) -> int:
        """How many entries are kept now."""
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return an entry, which counts as a use of it."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        value, owner = found
        self._owned[owner].move_to_end(key)
        return value

    def put(self, key: K, value: V, owner: Hashable) -> None:
        """Keep an entry that is not there yet; the owner is whoever brought it first."""
        if key in self._entries:
            return
        mine = self._owned.setdefault(owner, OrderedDict())
        if len(mine) >= self._share:
            self._drop(next(iter(mine)))
        elif len(self._entries) >= self._kept:
            self._drop(next(iter(self._entries)))
        self._entries[key] = (value, owner)
        self._owned.setdefault(owner, OrderedDict())[key] = None

    def _drop(self, key: K) -> None:
        _value, owner = self._entries.pop(key)
        owned = self._owned[owner]
        del owned[key]
        if not owned:
            del self._owned[owner]
        self.evictions += 1

"""One client's subscription as its connection sees it, whatever is followed: a tenant's events, or samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar
from uuid import UUID


class Follower(ABC):
    """A subscription that tells a line until either of them ends."""

    resumable: ClassVar[bool]
    """Whether there are positions from which it can be followed again."""
    ended: bool
    sent: int
    """The last of what was handed to the network."""
    tenant_id: UUID

    @property
    @abstractmethod
    def position(self) -> int:
        """How far this client has been told, at the least."""

    @abstractmethod
    def start(self) -> None:
        """Begin to tell."""

    @abstractmethod
    def end(self) -> None:
        """Tell no more, and leave nothing behind."""

    @abstractmethod
    def skip(self) -> None:
        """Count one that gave way to a newer one of its subject, for a client that reads slowly."""

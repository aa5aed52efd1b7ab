"""How often a provider may be asked, by everybody together: what a bucket answers, and how it shrinks and grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

MINUTE: Final = 60.0
LEAST_PER_MINUTE: Final = 1.0
SHRINK: Final = 0.5
"""So much of a limit is left when the provider says "too many"."""
GROW: Final = 1.05
"""By so much it grows with each answer."""
FREE_AGAIN: Final = 4.0
"""A limit that was only found out is forgotten once it has grown to so many times what it was found at."""
WHOLE: Final = 0.999999
"""A bucket that was filled in many small steps is full enough with this much of a request."""
BURST_SHARE: Final = 1 / 6
"""This part of a minute's requests may go at once: more would only be refused."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a bucket answers to somebody who wants to ask now.

    `wait` are the seconds after which it is worth another try; 0 is that the request goes now, and was counted. `at` is
    when, in seconds of the bucket's own clock. `per_minute` is the limit as it is, None for none; `slowed` says that
    the provider has set it, by saying "too many", and not the settings.
    """

    wait: float
    at: float
    per_minute: float | None = None
    slowed: bool = False


class Paces(Protocol):
    """The buckets of all providers, by name. `most` is what the settings allow in a minute, None for any number."""

    async def take(self, provider: str, most: float | None) -> Turn:
        """Count a request if one may go now, and say how long to wait if none may. Raises Unavailable."""

    async def limited(
        self, provider: str, most: float | None, turn: Turn, retry_after: float | None
    ) -> float | None:  # fmt: skip
        """Note that the provider said "too many" to the request of a turn; return the limit from now on.

        Half as often from now on, once for all the requests that were on their way then, and not at all for
        `retry_after` seconds. Raises Unavailable.
        """

    async def answered(self, provider: str, most: float | None) -> float | None:
        """Note an answer of a provider that was slowed: a little more often from now on. Raises Unavailable."""

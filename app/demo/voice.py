"""Speaks the lines of app/demo/words/: fills in the details and sees that nobody repeats what was said too often."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from app.demo.chance import pick
from app.demo.details import Details
from app.demo.words.pools import Pool

MOST_REPEATS: Final = 3
_TRIES: Final = 6


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line as it was said. `quote` is the part of `text` that a fact or an objection rests on."""

    text: str
    quote: str | None


class Ledger:
    """Counts what was said. Emptied by the seed from time to time, so that its size stays bounded."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def admits(self, text: str) -> bool:
        """Return whether `text` may be said once more, and if so count it."""
        count = self._counts.get(text, 0)
        if count >= MOST_REPEATS:
            return False
        self._counts[text] = count + 1
        return True

    def clear(self) -> None:
        self._counts.clear()


class Voice:
    """Says lines within one search. `details` may be updated between conversations."""

    def __init__(self, random: Random, ledger: Ledger, details: Details, *, in_india: bool, villa: bool) -> None:
        self.details = details
        self._random = random
        self._ledger = ledger
        self._in_india, self._villa = in_india, villa

    def say(self, pool: Pool) -> Spoken:
        """Return a line of the pool that has not been said too often."""
        lines = pool.lines(in_india=self._in_india, villa=self._villa)
        spoken = self._render(lines)
        for _ in range(_TRIES):
            if self._ledger.admits(spoken.text):
                return spoken
            spoken = self._render(lines)
        return self._made_distinct(spoken)

    def utter(self, pool: Pool) -> Spoken:
        """Return a line of the pool without counting it: what is said aloud may repeat itself."""
        return self._render(pool.lines(in_india=self._in_india, villa=self._villa))

    def fill(self, pool: Pool) -> str:
        """Return the text of a line of the pool, for what is neither said nor sent."""
        return self.utter(pool).text

    def fill_line(self, line: str) -> str:
        return self._render((line,)).text

    def _render(self, lines: Sequence[str]) -> Spoken:
        filled = pick(self._random, lines).format_map(self.details)
        before, opened, rest = filled.partition("[[")
        if not opened:
            return Spoken(_sentence(filled), None)
        quote, _, after = rest.partition("]]")
        text = _sentence(f"{before}{quote}{after}")
        return Spoken(text, text[len(before) : len(before) + len(quote)])

    def _made_distinct(self, spoken: Spoken) -> Spoken:
        """Return the line with a reference after it, as people add one when they write about several homes."""
        details = self.details
        text = f"{spoken.text} ({details['client']}, {details['listing']}, {details['date']})"
        while not self._ledger.admits(text):
            text = f"{text} {self._random.randrange(1000):03d}"
        return Spoken(text, spoken.quote)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]

"""Tokens in place of what is personal, and back: the same token for the same spelling, one number for one person."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.pseudonyms.folding import folded
from domain.pseudonyms.spellings import TOKEN, Found, Kind, Spellings
from domain.structured import Identity

_LONGEST_TOKEN: Final = 40
_END_OF_A_TOKEN: Final = re.compile(r"\w+\Z", re.ASCII)
_RANKS: Final = {
    kind: rank for rank, kind in enumerate((Kind.TEXT, Kind.EMAIL, Kind.ADDRESS, Kind.IDENTIFIER, Kind.PHONE))
}


def tokens_in(text: str) -> frozenset[str]:
    """Return what looks like a token in a text, in capitals."""
    return frozenset(match[0].upper() for match in TOKEN.finditer(text))


class Pseudonymiser:
    """The pseudonyms of one request. A second spelling of the same thing is `PERSON_1_2`, and comes back as it was.

    Names are found in every case, with and without accents, whole and by their parts, joined and turned around; phones
    however they are grouped, with and without their country; every e-mail address and every phone with a country, known
    or not. People who are not given are not recognised.
    """

    def __init__(self, people: Sequence[Identity] = (), *, json_text: bool = False) -> None:
        """Know these people. `json_text`: what `restore` gets is JSON, and a quotation mark in a name is escaped."""
        self._spellings = Spellings(people)
        self._json_text = json_text
        self._numbers: dict[tuple[Kind, str], int] = {}
        self._surfaces: dict[tuple[Kind, str], list[str]] = {}
        self._originals: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """Return a text with tokens in place of everything personal."""
        compared = folded(text)
        pieces: list[str] = []
        done = 0
        for found in _apart(self._spellings.find(compared.text)):
            start, end = compared.span(found.start, found.end)
            pieces += [text[done:start], self._token(found.kind, found.key, text[start:end])]
            done = end
        return "".join([*pieces, text[done:]])

    def hide_data(self, value: object) -> object:
        """Return JSON data with tokens in its texts, its keys, and in place of numbers that are somebody's phone."""
        match value:
            case str():
                return self.hide(value)
            case Mapping():
                return {self.hide(str(key)): self.hide_data(each) for key, each in value.items()}
            case list() | tuple():
                return [self.hide_data(each) for each in value]
            case int() if not isinstance(value, bool):
                e164 = self._spellings.phone(str(value))
                return value if e164 is None else self._token(Kind.PHONE, e164, str(value))
            case _:
                return value

    def restore(self, text: str) -> str:
        """Return a text with what its tokens stand for. A token that was not given out stays as it is."""
        return TOKEN.sub(self._restored, text)

    def settled(self, text: str) -> int:
        """Return how many characters at the start of a text that still grows end in no half of a token."""
        last = _END_OF_A_TOKEN.search(text, max(0, len(text) - _LONGEST_TOKEN))
        return len(text) if last is None else last.start()

    def look_alikes(self) -> frozenset[str]:
        """Return what stood in the hidden texts and looks like a token, in capitals."""
        texts = (text for (kind, _), texts in self._surfaces.items() if kind is Kind.TEXT for text in texts)
        return frozenset(text.upper() for text in texts)

    def _restored(self, match: re.Match[str]) -> str:
        original = self._originals.get(match[0].upper())
        if original is None:
            return match[0]
        return json.dumps(original, ensure_ascii=False)[1:-1] if self._json_text else original

    def _token(self, kind: Kind, key: str, surface: str) -> str:
        number = self._number(kind, key)
        surfaces = self._surfaces.setdefault((kind, key), [])
        if surface not in surfaces:
            surfaces.append(surface)
        spelling = surfaces.index(surface) + 1
        token = f"{kind.value}_{number}" if spelling == 1 else f"{kind.value}_{number}_{spelling}"
        self._originals[token] = surface
        return token

    def _number(self, kind: Kind, key: str) -> int:
        """Return the number of a person by their place, and of everything else as it comes."""
        if kind is Kind.PERSON:
            return int(key) + 1
        numbers = [each for each in self._numbers if each[0] is kind]
        return self._numbers.setdefault((kind, key), len(numbers) + 1)


def _apart(found: Iterable[Found]) -> list[Found]:
    """Return pieces that do not overlap, in order. Where some do, the longest counts, then what its kind is."""
    kept: list[Found] = []
    for each in sorted(found, key=lambda each: (each.start - each.end, _RANKS.get(each.kind, len(_RANKS)), each.start)):
        place = bisect_left(kept, each.start, key=lambda other: other.start)
        clear_before = place == 0 or kept[place - 1].end <= each.start
        clear_behind = place == len(kept) or each.end <= kept[place].start
        if clear_before and clear_behind:
            kept.insert(place, each)
    return kept

"""Text as it is compared: without case, accents, invisible characters and other scripts' digits, and still findable."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# Letters that Unicode takes for letters of their own, and signs that people type for one another.
_ALIKE: Final = {
    "\u00f8": "o",
    "\u0142": "l",
    "\u0111": "d",
    "\u0131": "i",
    "\u00f0": "d",
    "\u00e6": "ae",
    "\u0153": "oe",
    "\u00fe": "th",
    **dict.fromkeys("\u2018\u2019\u02bc\u0060\u00b4", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
}


_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. For every character of it, `begins` and `ends` hold where in the original it is from."""

    text: str
    begins: tuple[int, ...]
    ends: tuple[int, ...]
    original: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a piece of the folded text lies in the original, with the marks on its last letter."""
        first, last = self.begins[start], self.ends[end - 1]
        while last < len(self.original) and not _folded_character(self.original[last]):
            last += 1
        return first, last


def folded(text: str) -> Folded:
    r"""Fold a text, remembering where every character was. A character may also be written as JSON's `\u00e9`."""
    characters: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    place = 0
    while place < len(text):
        character, end = text[place], place + 1
        if character == "\\" and (escape := _ESCAPE.match(text, place)):
            character, end = chr(int(escape[1], 16)), escape.end()
        for plain in _folded_character(character):
            characters.append(plain)
            begins.append(place)
            ends.append(end)
        place = end
    return Folded("".join(characters), tuple(begins), tuple(ends), text)


def words(text: str) -> list[str]:
    """Return the words of a folded text: letters, digits, and the vowel signs that many scripts write as marks."""
    return "".join(character if is_of_a_word(character) else " " for character in text).split()


def is_of_a_word(character: str) -> bool:
    """Whether a character of a folded text is a letter, a digit or a vowel sign."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def plain(text: str) -> str:
    """Return a folded text alone."""
    return "".join(map(_folded_character, text))


@lru_cache(maxsize=4096)
def _folded_character(character: str) -> str:
    """Return what a character is compared as: "" for a combining mark and for what is not shown."""
    if character in _ALIKE:
        return _ALIKE[character]
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    letters = unicodedata.normalize("NFKD", character).casefold()
    kept = (letter for letter in letters if not unicodedata.combining(letter))
    return "".join(_ALIKE.get(letter, letter) for letter in kept if unicodedata.category(letter) != "Cf")

"""Names of people: how they are kept, and how alike two of them are whatever the order and spelling of their parts."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from typing import Final

from domain.errors import Invalid

LONGEST_NAME: Final = 200

# Letters that spellings of one name use for one another, and letters that they leave out.
_ALIKE: Final = str.maketrans({"c": "k", "q": "k", "z": "s", "x": "s", "v": "w", "j": "g"})
_LEFT_OUT: Final = frozenset("aeiouyhw")


def cleaned_name(name: str, field: str = "fullName") -> str:
    """Return a name with single spaces; raises Invalid for one that is empty or too long."""
    cleaned = " ".join(name.split())
    if not any(character.isalnum() for character in cleaned):
        raise Invalid("A name has at least one letter.", field=field)
    if len(cleaned) > LONGEST_NAME:
        raise Invalid(f"A name has at most {LONGEST_NAME} characters.", field=field)
    return cleaned


def name_key(name: str) -> str:
    """Return what names that may be one have in common; "" for a name that is too short to say anything.

    The letters of the name in alphabetical order, without vowels, doubled letters, order, spaces and accents, with the
    letters that spellings exchange made one: `Sara Khan`, `Khan, Sarah` and `Sara Qan` share `knrs`.
    """
    parts = _parts(name)
    if len(parts) < 2:  # noqa: PLR2004 -- a given name alone is everybody's.
        return ""
    single = (_without_doubles(part.replace("ph", "f").translate(_ALIKE)) for part in parts)
    letters = sorted(letter for part in single for letter in part if letter not in _LEFT_OUT)
    return "".join(letters)[:LONGEST_NAME]


def similarity(one: str, other: str) -> float:
    """Return how alike two names are, from 0 to 1, by the letters that they share in the same order.

    Their parts are sorted first, so that `Khan, Sara` is `Sara Khan`; the better of the comparisons with and without
    spaces counts, so that `AlMaktoum` is nearly `Al Maktoum`.
    """
    first, second = sorted(_parts(one)), sorted(_parts(other))
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    return max(_ratio(" ".join(first), " ".join(second)), _ratio("".join(first), "".join(second)))


def _ratio(one: str, other: str) -> float:
    # SequenceMatcher is not symmetrical where several matches are equally long; two people are alike both ways.
    return max(
        SequenceMatcher(None, one, other, autojunk=False).ratio(),
        SequenceMatcher(None, other, one, autojunk=False).ratio(),
    )


def _parts(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = (character for character in plain if not unicodedata.combining(character))
    return "".join(character if character.isalnum() else " " for character in letters).split()


def _without_doubles(part: str) -> str:
    return "".join(letter for index, letter in enumerate(part) if index == 0 or letter != part[index - 1])

"""Fractional index keys: between any two there is room for another, so that moving one component touches no other.

A key is an integer and a fraction of 62 digits (`0-9A-Za-z`, in the order of their bytes). The integer's first letter
says how long it is: `a` has one more digit, `b` two, and so on; `Z` counts down from there. Appending so adds one to an
integer, and keys stay short. It is the format of the `fractional-indexing` packages that clients use.
"""

from __future__ import annotations

import re
import string
from typing import Final

DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
LONGEST_ORDER_KEY: Final = 200
FIRST: Final = "a0"
SMALLEST_INTEGER: Final = "A" + 26 * "0"

_SHAPE: Final = re.compile(r"([A-Za-z])([0-9A-Za-z]*)")


class NoOrderKey(ValueError):
    """A text is no order key, or there is no place between two."""


def is_order_key(text: str) -> bool:
    """Whether a text is an order key that can be kept."""
    if len(text) > LONGEST_ORDER_KEY or _SHAPE.fullmatch(text) is None:
        return False
    length = _integer_length(text[0])
    return len(text) >= length and text != SMALLEST_INTEGER and not (len(text) > length and text.endswith("0"))


def between(before: str | None, after: str | None) -> str:
    """Return a key between two, or before the first, or after the last; raises NoOrderKey."""
    for key in (before, after):
        if key is not None and not is_order_key(key):
            raise NoOrderKey(f"{key!r} is no order key.")
    if before is not None and after is not None and before >= after:
        raise NoOrderKey(f"Nothing lies between {before!r} and {after!r}.")
    if before is None:
        return FIRST if after is None else _before(after)
    integer, fraction = _parts(before)
    following = _next(integer)
    if after is None:
        return following or integer + _midpoint(fraction, None)
    after_integer, after_fraction = _parts(after)
    if integer == after_integer:
        return integer + _midpoint(fraction, after_fraction)
    return following if following is not None and following < after else integer + _midpoint(fraction, None)


def _before(after: str) -> str:
    integer, fraction = _parts(after)
    if integer == SMALLEST_INTEGER:
        return integer + _midpoint("", fraction)
    if fraction:
        return integer
    integer = _previous(integer)
    # Nothing would fit before the smallest integer alone.
    return integer + _midpoint("", None) if integer == SMALLEST_INTEGER else integer


def _integer_length(letter: str) -> int:
    return ord(letter) - ord("a") + 2 if letter >= "a" else ord("Z") - ord(letter) + 2


def _parts(key: str) -> tuple[str, str]:
    length = _integer_length(key[0])
    return key[:length], key[length:]


def _next(integer: str) -> str | None:
    letter, digits = integer[0], integer[1:]
    kept = digits.rstrip("z")
    if kept:
        return letter + kept[:-1] + DIGITS[DIGITS.index(kept[-1]) + 1] + "0" * (len(digits) - len(kept))
    if letter == "z":
        return None
    letter = "a" if letter == "Z" else chr(ord(letter) + 1)
    return letter + "0" * (_integer_length(letter) - 1)


def _previous(integer: str) -> str:
    letter, digits = integer[0], integer[1:]
    kept = digits.rstrip("0")
    if kept:
        return letter + kept[:-1] + DIGITS[DIGITS.index(kept[-1]) - 1] + "z" * (len(digits) - len(kept))
    letter = "Z" if letter == "a" else chr(ord(letter) - 1)
    return letter + "z" * (_integer_length(letter) - 1)


def _midpoint(low: str, high: str | None) -> str:
    """Return a fraction between two, as short as may be; a high of None is one."""
    if high is not None:
        padded = low.ljust(len(high), "0")
        common = next(place for place, digit in enumerate(high) if padded[place] != digit)
        if common:
            return high[:common] + _midpoint(low[common:], high[common:])
    least = DIGITS.index(low[0]) if low else 0
    most = DIGITS.index(high[0]) if high else len(DIGITS)
    if most - least > 1:
        return DIGITS[(least + most + 1) // 2]
    if high is not None and len(high) > 1:
        return high[0]
    return DIGITS[least] + _midpoint(low[1:], None)

"""Canonical JSON as RFC 8785 defines it: one text for one value, so that what is equal has equal hashes.

Member names are sorted by their UTF-16 code units, nothing stands between tokens, strings escape only what JSON makes
them escape, and a number is printed as ECMAScript prints a double: 1, 1.0 and 1e0 are one number. Two values are equal
here if their canonical texts are, unlike in Python, where True equals 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Final

SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

LARGEST_EXPONENT: Final = 1023

LONGEST_PLAIN: Final = 21
"""ECMAScript prints numbers of more digits before the point with an exponent."""

MOST_LEADING_ZEROS: Final = 5
"""ECMAScript prints numbers with more zeros after the point with an exponent."""


class NotCanonical(ValueError):
    """A value has no canonical JSON."""


def canonical(value: object) -> bytes:
    """Return a value's canonical JSON in UTF-8; raises NotCanonical.

    Not taken: NaN, infinities, integers that are no double, lone surrogates, names that are no text, other types.
    """
    try:
        return _text(value).encode()
    except UnicodeEncodeError:
        raise NotCanonical("A text has half of a surrogate pair.") from None


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON."""
    return canonical(one) == canonical(other)


def moment_text(at: datetime) -> str:
    """Return a moment as hashes cover it: UTC, RFC 3339 with six decimals and `Z`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _text(value: object) -> str:
    # Most of a component is texts and objects, and canvases are large: these come first, abstract types last.
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    return _object(value) if isinstance(value, Mapping) else _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if -SAFE_INTEGER <= value <= SAFE_INTEGER else _large(value)
        case float():
            return _number(value)
        case _:
            raise NotCanonical(f"{type(value).__name__} is no JSON.")


def _object(value: Mapping[str, object]) -> str:
    if not all(isinstance(name, str) for name in value):
        raise NotCanonical("The name of a member is a text.")
    members = [f"{encode_basestring(name)}:{_text(value[name])}" for name in sorted(value, key=_name_order)]
    return f"{{{','.join(members)}}}"


def _name_order(name: str) -> bytes:
    return name.encode("utf-16-be")


def _large(value: int) -> str:
    """Print an integer that stands for a double as that double; to most readers any other is another number."""
    if value.bit_length() <= LARGEST_EXPONENT:
        text = _number(float(value))
        if text == str(value) or int(float(value)) == value:
            return text
    raise NotCanonical("An integer is beyond those that JSON keeps exactly.")


def _number(value: float) -> str:
    """Print a double as ECMAScript does (Number::toString): Python has the same digits in another dress."""
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN is what differs from itself.
        raise NotCanonical("NaN and infinities are no JSON.")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    # The digits are 0.d1d2d3… times ten to the power of `point`.
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    point -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    if len(digits) <= point <= LONGEST_PLAIN:
        return digits.ljust(point, "0")
    if 0 < point <= LONGEST_PLAIN:
        return f"{digits[:point]}.{digits[point:]}"
    if -MOST_LEADING_ZEROS <= point <= 0:
        return f"0.{'0' * -point}{digits}"
    first, rest = digits[0], digits[1:]
    return f"{first}{'.' if rest else ''}{rest}e{point - 1:+d}"

"""A model's text becomes an object, or is refused. What stands around the JSON may be taken away; nothing is added.

No bracket is closed, no quote changed, no comma dropped and no field filled in: an answer that needs it is not known.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from domain.inference import FinishReason
from domain.structured import Fault

LONGEST: Final = 256 * 1024
"""Characters of a text that is looked into."""
_MOST_DIGITS: Final = 40
_MOST_BRACKETS: Final = 100
"""Brackets in the prose around an object that are looked at: each may begin another one."""

_THINKING: Final = "think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad"
_OPENED: Final = re.compile(rf"\s*(?:<(?:{_THINKING})>|\[think\])", re.IGNORECASE)
_CLOSED: Final = re.compile(rf"</(?:{_THINKING})>|\[/think\]", re.IGNORECASE)
_FENCE_OPENS: Final = re.compile(r"[ \t]*```[^\n`]*\Z")
_FENCE_CLOSES: Final = re.compile(r"[ \t]*```[ \t]*\Z")
# Not what begins with NaN or Infinity: that may be a sentence about a pool.
_LIKE_JSON: Final = re.compile(r"\s*[{\[\"\-0-9tfn]")
_BRACKET: Final = re.compile(r"[{\[]")
# A closing bracket, or the end of a text or key, cannot be prose before an object: the object is a part of something.
_PART_BEFORE: Final = re.compile(r"[\"'}\]]\s*:?\s*\Z")
_PART_BEHIND: Final = re.compile(r"\s*[}\],:\"']")
_BEGUN: Final = re.compile(r"\{\s*[\"'}]")

_LAYOUT: Final = frozenset("\n\r\t")
# Turned reading order, invisible joints and tags. The joiners of Indian scripts and Arabic's marks are not among them.
_HIDDEN: Final = frozenset(
    chr(code)
    for first, last in ((0x202A, 0x202E), (0x2066, 0x2069), (0x2060, 0x2064), (0x200B, 0x200B), (0xFEFF, 0xFEFF),
                        (0xE0000, 0xE007F))
    for code in range(first, last + 1)
)  # fmt: skip
_NO_TEXT: Final = frozenset({"Cc", "Cs", "Cn"})


class Unusable(Exception):
    """An answer cannot be used; `reason` says why in a sentence that repeats nothing of it."""

    def __init__(self, fault: Fault, reason: str) -> None:
        """Keep the fault, and what the model is told of it."""
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Read:
    """The object of an answer; `repaired` says that something stood around it."""

    value: dict[str, object]
    repaired: bool


def read(text: str, finish_reason: FinishReason) -> Read:
    """Return the one object that a text is or holds; raises Unusable.

    A text that was cut off counts only if all of it is JSON: it ended, then, before the cut.
    """
    if finish_reason is FinishReason.FILTERED:
        raise Unusable(Fault.FILTERED, "the provider withheld it.")
    if len(text) > LONGEST:
        raise Unusable(Fault.TOO_LONG, f"it has {len(text)} characters, and {LONGEST} are read.")
    if _LIKE_JSON.match(text):
        value, end = _decoded(text, len(text) - len(text.lstrip()))
        if end is not None and not text[end:].strip():
            return Read(_object(value), repaired=False)
    if finish_reason is not FinishReason.STOP:
        raise Unusable(Fault.CUT_OFF, "it ends before it is whole.")
    spoken = _without_thinking(text).strip("\ufeff \t\r\n")
    if not spoken:
        raise Unusable(Fault.EMPTY, "it is empty.")
    return Read(_object(_held(spoken)), repaired=True)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unusable(Fault.NOT_AN_OBJECT, "it is no JSON object.")
    _check_texts(value)
    return value


def _without_thinking(text: str) -> str:
    """Return what a model says after it has thought aloud. Thinking that never ends leaves nothing."""
    opened = _OPENED.match(text)
    if opened is None:
        # Some templates open the tag in the prompt, so that only its end is in the answer.
        *_, spoken = _CLOSED.split(text)
        return spoken
    while opened is not None:
        closed = _CLOSED.search(text, opened.end())
        if closed is None:
            return ""
        text = text[closed.end() :]
        opened = _OPENED.match(text)
    return text


def _held(text: str) -> object:
    """Return the one JSON value within a text: in its only fence, or after what has no bracket."""
    fences = list(_fences(text))
    if len(fences) == 1:
        [(before, fenced, behind)] = fences
        value, end = _decoded(fenced, len(fenced) - len(fenced.lstrip()))
        if end is not None and not fenced[end:].strip():
            _refuse_others(before)
            _refuse_others(behind)
            return value
    bracket = _BRACKET.search(text)
    if bracket is None:
        raise Unusable(Fault.NO_JSON, "there is no JSON object in it.")
    value, end = _decoded(text, bracket.start())
    if end is None or _PART_BEFORE.search(text[: bracket.start()]) or _PART_BEHIND.match(text[end:]):
        raise Unusable(Fault.BROKEN_JSON, "the JSON in it is not valid.")
    _refuse_others(text[end:])
    return value


def _fences(text: str) -> Iterator[tuple[str, str, str]]:
    """Return what stands before, in and behind each fence that is closed, line by line."""
    place, opened = 0, None
    for line in text.splitlines(keepends=True):
        behind = place + len(line)
        if opened is None:
            opened = (place, behind) if _FENCE_OPENS.match(line.rstrip("\r\n")) else None
        elif _FENCE_CLOSES.match(line.rstrip("\r\n")):
            yield text[: opened[0]], text[opened[1] : place], text[behind:]
            opened = None
        place = behind


def _refuse_others(text: str) -> None:
    """Refuse a second object beside the first, whole or begun: nothing says which one counts."""
    for number, bracket in enumerate(_BRACKET.finditer(text)):
        if number == _MOST_BRACKETS:
            raise Unusable(Fault.BROKEN_JSON, "the JSON in it is not valid.")
        value, end = _decoded(text, bracket.start())
        second = isinstance(value, dict) if end is not None else _BEGUN.match(text, bracket.start()) is not None
        if second:
            raise Unusable(Fault.SEVERAL, "there is more than one JSON object in it.")


def _decoded(text: str, start: int) -> tuple[object, int | None]:
    """Return the JSON value that begins at a place and where it ends; None for the end if there is no value.

    Raises Unusable for a value that JSON's grammar allows, or that many read, and that says no one thing.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
        return value, end
    except json.JSONDecodeError:
        return None, None
    except RecursionError:
        raise Unusable(Fault.BROKEN_JSON, "the JSON in it is nested too deeply.") from None


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise Unusable(Fault.DUPLICATE_KEY, "an object in it has the same key twice.")
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise Unusable(Fault.NOT_A_NUMBER, "NaN and Infinity are no JSON numbers.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Unusable(Fault.NOT_A_NUMBER, "a number in it is too large.")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise Unusable(Fault.NOT_A_NUMBER, "a number in it is too large.")
    return int(digits)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole
)


def _check_texts(value: object) -> None:
    """Refuse texts that nobody could read as they are shown, or that PostgreSQL could not keep."""
    for text in texts_in(value):
        for character in text:
            if character in _HIDDEN or (unicodedata.category(character) in _NO_TEXT and character not in _LAYOUT):
                raise Unusable(Fault.UNFIT_TEXT, "a text in it has characters that are no text.")


def texts_in(value: object) -> Iterator[str]:
    """Return every text and every key of JSON data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)

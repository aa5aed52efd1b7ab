"""Whom messages may name: those people are hidden from hosted providers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from domain.inference.models import Message

SHORTEST_NAME: Final = 2
_APART: Final = re.compile(r"[\s!-/:-@\[-`{-~\u2010-\u2027\u0964\u060c\u061f]+")
"""What stands between words. Whatever is left is letters: vowel signs of Indian scripts are none to `\\w`."""


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of texts that may be parts of a name, in lower case."""
    return frozenset(word.lower() for text in texts for word in _APART.split(text) if len(word) >= SHORTEST_NAME)


def texts_in(value: object) -> Iterator[str]:
    """Return the texts of JSON data, its keys too."""
    match value:
        case str():
            yield value
        case Mapping():
            for key, each in value.items():
                yield str(key)
                yield from texts_in(each)
        case list() | tuple():
            for each in value:
                yield from texts_in(each)
        case _:
            pass


def named(names: Iterable[str], messages: Sequence[Message]) -> list[str]:
    """Return those names of which a part stands in the messages."""
    said = words_of(message.content for message in messages)
    return [name for name in names if not words_of([name]).isdisjoint(said)]

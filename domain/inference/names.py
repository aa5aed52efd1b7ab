"""Whom messages may name: those people are hidden from hosted providers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from domain.inference.models import Message

SHORTEST_NAME: Final = 2
_APART: Final = re.compile(r"[\s!-/:-@\[-`{-~\u2010-\u2027\u0964\u060c\u061f]+")
"""What stands between words. Whatever is left is letters: vowel signs of Indian scripts are none to `\\w`."""

MARKS: Final = re.compile(r"[\u0300-\u036f\u200b-\u200f]")
"""Accents and what is not shown. PostgreSQL reads the pattern too."""
POLITE_ENDINGS: Final = "'?s|ji|jee|bhai|ben|bai|sahib|saab|saheb|sir|garu|amma"
"""Endings that make a name polite or somebody's."""
_POLITE: Final = re.compile(rf"(?:{POLITE_ENDINGS})\Z")


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of texts that may be parts of a name: small, without accents, and without polite endings too."""
    words = {_folded(word) for text in texts for word in _APART.split(text)}
    stems = {_POLITE.sub("", word) for word in words}
    return frozenset(word for word in words | stems if len(word) >= SHORTEST_NAME)


def _folded(word: str) -> str:
    return word.lower() if word.isascii() else MARKS.sub("", unicodedata.normalize("NFKD", word)).lower()


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


class Names:
    """Names that messages may have in them; a batch looks for all of them in each of a thousand."""

    def __init__(self, names: Iterable[str]) -> None:
        """Look for these names, by every part of them."""
        self._names = list(names)
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(self._names):
            for word in words_of([name]):
                self._places.setdefault(word, []).append(place)

    def within(self, messages: Sequence[Message]) -> list[str]:
        """Return those of which a part stands in the messages."""
        said = words_of(message.content for message in messages)
        return [
            self._names[place] for place in sorted({place for word in said for place in self._places.get(word, ())})
        ]

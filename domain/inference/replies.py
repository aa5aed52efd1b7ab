"""How an item is answered: the port between those who run items and those who know prompts and shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from domain.inference.models import Message, Models, OnText
from domain.jobs import InferenceTask

SHORTEST_NAME: Final = 2
_APART: Final = re.compile(r"[\s!-/:-@\[-`{-~\u2010-\u2027\u0964\u060c\u061f]+")
"""What stands between words. Whatever is left is letters: vowel signs of Indian scripts are none to `\\w`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered; `value` is the same as data, of tasks whose answers have a shape."""

    text: str
    value: Mapping[str, object] | None
    repaired: bool
    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int


class Replies(Protocol):
    """Answers items."""

    async def reply(
        self,
        models: Models,
        task: InferenceTask,
        messages: Sequence[Message],
        *,
        names: Sequence[str],
        model: str | None,
        on_text: OnText,
    ) -> Reply:
        """Answer messages. `names` are those of people who may be named in them, whom no hosted provider sees.

        Raises ModelUnavailable, ModelRefused, and Unavailable for an answer that cannot be used.
        """


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of texts that may be parts of a name, in lower case."""
    return frozenset(
        word.lower() for text in texts for word in _APART.split(text) if len(word) >= SHORTEST_NAME
    )  # fmt: skip


def named(names: Iterable[str], messages: Sequence[Message]) -> list[str]:
    """Return those names of which a part stands in the messages."""
    said = words_of(message.content for message in messages)
    return [name for name in names if not words_of([name]).isdisjoint(said)]

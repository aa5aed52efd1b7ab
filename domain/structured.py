"""Asking a model for an answer of a known shape: the port, what goes in, and what comes back or is refused.

The shapes are those of the prompts (docs/gpu.md, "Prompts"); an answer that does not fit is never mended by guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol, TypeAlias

from domain.errors import Unavailable
from domain.inference import InferenceTask, Message, Models, OnText


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom a request is about or who is named in it, with every spelling that is known.

    None of it reaches a provider that is not on-premise: tokens stand for it. `names` are full names in any script;
    `phones` E.164 or as they were typed; `addresses` where somebody lives; `identifiers` anything else that names one
    person, such as a number plate or a passport's number.
    """

    names: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()


class Fault(Enum):
    """Why an answer was refused."""

    EMPTY = "EMPTY"
    """There is no text, or nothing but thinking."""
    CUT_OFF = "CUT_OFF"
    """The model stopped before it was finished, and what there is of the answer is not whole."""
    FILTERED = "FILTERED"
    """The provider withheld the answer or a part of it."""
    TOO_LONG = "TOO_LONG"
    """The text is longer than any answer should be."""
    NO_JSON = "NO_JSON"
    """There is prose, and no JSON in it."""
    BROKEN_JSON = "BROKEN_JSON"
    """What looks like JSON is none: a bracket is missing, a comma too many, another kind of quote."""
    SEVERAL = "SEVERAL"
    """There is more than one answer, and nothing says which one counts."""
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    """The answer is a list, a text or a number."""
    DUPLICATE_KEY = "DUPLICATE_KEY"
    """An object says the same thing twice."""
    NOT_A_NUMBER = "NOT_A_NUMBER"
    """NaN, an infinity, or a number that no float holds."""
    UNFIT_TEXT = "UNFIT_TEXT"
    """A text holds what is no text: half a character, or characters that are not shown or turn the reading order."""
    SHAPE = "SHAPE"
    """A field is missing, unknown, of another type or outside its range."""
    UNKNOWN_TOKEN = "UNKNOWN_TOKEN"  # noqa: S105 -- a pseudonym, no secret.
    """The answer names somebody by a token that was not given out."""
    CHECK = "CHECK"
    """The shape is right, and what it says contradicts what was asked."""


class AnswerRefused(Unavailable):
    """A model answered twice, and neither answer can be used."""

    code: ClassVar[str] = "UNAVAILABLE"

    def __init__(self, fault: Fault, reason: str) -> None:
        """Keep the fault of the last answer. `reason` names fields and places, never what the model said."""
        super().__init__(f"The model's answer cannot be used: {reason}")
        self.fault = fault
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the provider's count, of both answers where there were two."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A validated answer as plain data: objects are dicts, and every field of the shape is there.

    `repaired`: something around the JSON was taken away. `asked_again`: the first answer was refused. `text` is what
    the model said, with real names, for where a client is shown it.
    """

    value: Mapping[str, object]
    text: str
    repaired: bool
    asked_again: bool
    provider: str
    model: str
    on_premise: bool
    prompt_version: str
    prompt_hash: str
    usage: Usage


Check: TypeAlias = Callable[[Mapping[str, object]], Sequence[str]]
"""Says what is wrong with a value whose shape is right, such as a tag that was not offered; empty where all is well.

The sentences go to the model with the second question, and into AnswerRefused.
"""


class StructuredAnswers(Protocol):
    """Asks with the prompts that were checked at the start.

    Both methods: `people` are all whom the caller knows to be named in what is sent. Where a first answer does not fit,
    the model is asked once more and told what was wrong. `on_text` gets the first answer as it comes. Raises
    AnswerRefused, ModelUnavailable and ModelRefused; ValueError for variables that are not the prompt's and for CHAT,
    which has no prompt.
    """

    async def ask(
        self,
        models: Models,
        task: InferenceTask,
        variables: Mapping[str, object],
        *,
        people: Sequence[Identity],
        check: Check | None = None,
        model: str | None = None,
        on_text: OnText | None = None,
    ) -> Answer:
        """Ask a task's prompt.

        A variable is a text, or JSON data of dicts, lists, texts, numbers, booleans and None. Every one of them is:

        - QD_CALCULATOR `session` `scenes` `interactions`
        - LEAD_TAGGER `lead` `facts` `interactions` `allowed_tags`
        - CCTV_PROFILER `event` `detections`
        - RISK_ANALYZER `camera` `detections`
        - PROMPT_EXPANDER `room_type` `keywords`

        What comes back:

        - QD_CALCULATOR score 1..100, attention, engagement, confidence 0..1, valence -1..1, reasoning
        - LEAD_TAGGER tags: a list of tag, confidence 0..1, reason, evidence: a list of interaction, quote
        - CCTV_PROFILER visitor_kind, vehicle (null where unknown), confidence 0..1, summary
        - RISK_ANALYZER score (a whole number, 0..100), summary, reasoning
        - PROMPT_EXPANDER prompt, negative_prompt
        """

    async def ask_with(
        self,
        models: Models,
        task: InferenceTask,
        messages: Sequence[Message],
        *,
        people: Sequence[Identity],
        model: str | None = None,
        on_text: OnText | None = None,
    ) -> Answer:
        """Ask with a client's own messages behind the prompt's instructions; the answer has the prompt's shape."""

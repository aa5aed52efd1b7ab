"""The shapes of answers, by task: what the code behind a prompt reads. Nothing in them has a default.

A prompt's file holds the same shape as JSON Schema, with a description of every field; both are compared at the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.inference import InferenceTask


def _said(text: str) -> str:
    """Refuse a text of nothing but spaces: it has characters, and says nothing."""
    if not text.strip():
        raise ValueError("is blank")
    return text


Word = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_said)]
Sentence = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_said)]
Paragraph = Annotated[str, Field(min_length=1, max_length=1500), AfterValidator(_said)]
Share = Annotated[float, Field(ge=0, le=1)]


class Shape(BaseModel):
    """Types are not converted, fields that are not asked for are refused, and a missing one is missing."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class RefinedQd(Shape):
    """A model's reading of a session, in the ranges of domain.qd."""

    score: Annotated[float, Field(ge=1, le=100)]
    attention: Share
    valence: Annotated[float, Field(ge=-1, le=1)]
    engagement: Share
    confidence: Share
    reasoning: Paragraph


class Quotation(Shape):
    """Words that stand in what was sent; `interaction` is null where they are from the lead or its facts."""

    interaction: Word | None
    quote: Sentence


class SuggestedTag(Shape):
    tag: Annotated[str, Field(min_length=1, max_length=50), AfterValidator(_said)]
    confidence: Share
    reason: Sentence
    evidence: Annotated[list[Quotation], Field(min_length=1, max_length=10)]


class SuggestedTags(Shape):
    tags: Annotated[list[SuggestedTag], Field(max_length=20)]


class VisitorProfile(Shape):
    visitor_kind: Literal["individual", "couple", "family", "group", "staff", "delivery"] | None
    vehicle: Word | None
    confidence: Share
    summary: Sentence


class RiskAssessment(Shape):
    """The level follows from the score and is not asked for: two of them could disagree."""

    score: Annotated[int, Field(ge=0, le=100)]
    summary: Sentence
    reasoning: Paragraph


class ExpandedPrompt(Shape):
    """What a picture is made from. Nothing may be unwanted in it."""

    prompt: Paragraph
    negative_prompt: Annotated[str, Field(max_length=500)]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the code gives to a prompt and reads from its answer."""

    variables: frozenset[str]
    shape: type[Shape]


EXPECTED: Final[Mapping[InferenceTask, Expected]] = {
    InferenceTask.QD_CALCULATOR: Expected(frozenset({"session", "scenes", "interactions"}), RefinedQd),
    InferenceTask.LEAD_TAGGER: Expected(frozenset({"lead", "facts", "interactions", "allowed_tags"}), SuggestedTags),
    InferenceTask.CCTV_PROFILER: Expected(frozenset({"event", "detections"}), VisitorProfile),
    InferenceTask.RISK_ANALYZER: Expected(frozenset({"camera", "detections"}), RiskAssessment),
    InferenceTask.PROMPT_EXPANDER: Expected(frozenset({"room_type", "keywords"}), ExpandedPrompt),
}
"""Every task but CHAT. A prompt's file is named after its task."""

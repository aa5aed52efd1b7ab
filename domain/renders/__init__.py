"""Renders: pictures and films that a pool of workers makes of a room's photograph and a few words."""

from domain.renders.orders import (
    RenderedFile,
    Renderer,
    RenderFault,
    RenderOrder,
    RenderStep,
    Told,
    prompt_id,
    prompt_ids,
)
from domain.renders.use_cases import (
    LONGEST_KEYWORD,
    Asset,
    RenderStore,
    RenderSubmit,
    Words,
    checked_keywords,
    keep_outputs,
    plain_words,
    submit,
    words_of,
)

__all__ = [
    "LONGEST_KEYWORD",
    "Asset",
    "RenderFault",
    "RenderOrder",
    "RenderStep",
    "RenderStore",
    "RenderSubmit",
    "RenderedFile",
    "Renderer",
    "Told",
    "Words",
    "checked_keywords",
    "keep_outputs",
    "plain_words",
    "prompt_id",
    "prompt_ids",
    "submit",
    "words_of",
]

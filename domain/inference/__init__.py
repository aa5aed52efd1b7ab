"""Inference: work for language models, the port through which it is done, and who may switch what."""

from domain.inference.models import (
    Completed,
    Completion,
    FinishReason,
    InferenceTask,
    Message,
    ModelRefused,
    Models,
    ModelsOf,
    ModelUnavailable,
    OnText,
    Pseudonyms,
    RefusalCode,
    Tried,
)

__all__ = [
    "Completed",
    "Completion",
    "FinishReason",
    "InferenceTask",
    "Message",
    "ModelRefused",
    "ModelUnavailable",
    "Models",
    "ModelsOf",
    "OnText",
    "Pseudonyms",
    "RefusalCode",
    "Tried",
]

"""Inference: work for language models, the port through which it is done, and who may switch what."""

from domain.inference.kinds import CircuitState, ProviderKind, ProviderStatus
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
    ProviderSwitch,
    Pseudonyms,
    RefusalCode,
    Switches,
    Tried,
)

__all__ = [
    "CircuitState",
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
    "ProviderKind",
    "ProviderStatus",
    "ProviderSwitch",
    "Pseudonyms",
    "RefusalCode",
    "Switches",
    "Tried",
]

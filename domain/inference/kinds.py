"""What providers are, and how they are."""

from enum import Enum
from typing import Final
from uuid import UUID, uuid5


class ProviderKind(Enum):
    """Which server answers: what it is asked, and how it says that it cannot, depends on it."""

    NVIDIA = "NVIDIA"
    NIM = "NIM"
    NEMOCLAW = "NEMOCLAW"
    SGLANG = "SGLANG"
    VLLM = "VLLM"
    OLLAMA = "OLLAMA"
    LLAMA_CPP = "LLAMA_CPP"


class ProviderStatus(Enum):
    """Whether a provider answers."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"


class CircuitState(Enum):
    """Whether a provider is asked at all."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


_PROVIDERS: Final = UUID("6f0d3b52-5b58-5d0a-9d3e-8d6f3a1c7e21")


def provider_id(name: str) -> UUID:
    """Return the id of the provider of a name: it is the same in every process and for every tenant."""
    return uuid5(_PROVIDERS, name)

"""What providers are, and how they are."""

from enum import Enum


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

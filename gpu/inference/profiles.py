"""What is different about each kind of server: where it says how it is, and how it is asked for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from domain.inference import ProviderKind


class SchemaMode(Enum):
    """How a server is asked for an answer that fits a JSON Schema."""

    RESPONSE_FORMAT = "RESPONSE_FORMAT"
    """OpenAI's: `response_format` with the schema nested in `json_schema`."""
    JSON_SCHEMA = "JSON_SCHEMA"
    """llama.cpp's own: `json_schema` at the top."""
    GUIDED_JSON = "GUIDED_JSON"
    """`guided_json` at the top: NIM 1.x and hosted models, never vLLM."""
    NVEXT = "NVEXT"
    """`nvext.guided_json`: NIM 1.x."""
    FORMAT = "FORMAT"
    """Ollama's own: `format`."""
    NONE = "NONE"
    """The server takes no schema: only the prompt asks for it."""


class Load(Enum):
    """Where a server says how busy it is."""

    SLOTS = "SLOTS"
    VLLM_METRICS = "VLLM_METRICS"
    SGLANG_LOADS = "SGLANG_LOADS"
    NOWHERE = "NOWHERE"


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of server. Paths are below its root, the address without `/v1`."""

    chat: str
    ollama: bool
    health: str
    models: str
    load: Load
    modes: tuple[SchemaMode, ...]
    """In the order in which they are tried."""
    first_byte_seconds: float
    probe_seconds: float = 5.0
    probe_every: float = 15.0
    """Seconds between two looks at its health."""
    metrics: str = "/metrics"
    health_costs: bool = False
    """Whether its health is known from its models only, which may cost something."""


_CHAT: Final = "/v1/chat/completions"
_MODELS: Final = "/v1/models"
_ENGINE: Final = (SchemaMode.RESPONSE_FORMAT,)
_NVIDIA: Final = (SchemaMode.RESPONSE_FORMAT, SchemaMode.GUIDED_JSON, SchemaMode.NVEXT)

PROFILES: Final[Mapping[ProviderKind, Profile]] = MappingProxyType(
    {
        ProviderKind.NVIDIA: Profile(
            _CHAT, ollama=False, health=_MODELS, models=_MODELS, load=Load.NOWHERE, modes=_NVIDIA,
            first_byte_seconds=60, probe_seconds=15, probe_every=60, health_costs=True,
        ),
        ProviderKind.NIM: Profile(
            _CHAT, ollama=False, health="/v1/health/ready", models=_MODELS, load=Load.VLLM_METRICS, modes=_NVIDIA,
            first_byte_seconds=60, metrics="/v1/metrics",
        ),
        ProviderKind.NEMOCLAW: Profile(
            _CHAT, ollama=False, health=_MODELS, models=_MODELS, load=Load.NOWHERE, modes=_NVIDIA,
            first_byte_seconds=60, probe_seconds=15,
        ),
        ProviderKind.SGLANG: Profile(
            # Its health runs a token through the model, and takes a second or more.
            _CHAT, ollama=False, health="/health", models=_MODELS, load=Load.SGLANG_LOADS, modes=_ENGINE,
            first_byte_seconds=60, probe_seconds=20, probe_every=60,
        ),
        ProviderKind.VLLM: Profile(
            _CHAT, ollama=False, health="/health", models=_MODELS, load=Load.VLLM_METRICS, modes=_ENGINE,
            first_byte_seconds=60,
        ),
        ProviderKind.LLAMA_CPP: Profile(
            # A build of February 2025 takes `response_format` and ignores it; `json_schema` it honours.
            _CHAT, ollama=False, health="/health", models=_MODELS, load=Load.SLOTS,
            modes=(SchemaMode.RESPONSE_FORMAT, SchemaMode.JSON_SCHEMA), first_byte_seconds=180,
        ),
        ProviderKind.OLLAMA: Profile(
            # A request may have to wait until another model has made room.
            "/api/chat", ollama=True, health="/api/version", models="/api/tags", load=Load.NOWHERE,
            modes=(SchemaMode.FORMAT,), first_byte_seconds=300,
        ),
    }
)  # fmt: skip

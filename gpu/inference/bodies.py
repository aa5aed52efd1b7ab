"""What is sent: one request, in the words of the server that gets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.inference import Message, ProviderKind
from gpu.inference.profiles import SchemaMode
from gpu.inference.settings import ProviderSettings

SCHEMA_NAME: Final = "answer"
KEEP_ALIVE: Final = "5m"


def openai_body(
    provider: ProviderSettings,
    model: str,
    messages: Sequence[Message],
    max_tokens: int,
    *,
    temperature: float | None,
    asked: Mapping[str, object],
    request_id: str,
) -> dict[str, object]:
    """Return the body of a chat completion. `max_tokens` is always in it: llama.cpp would go on for ever."""
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": each.role, "content": each.content} for each in messages],
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        **asked,
    }
    if temperature is not None:
        body["temperature"] = temperature
    if provider.kind is ProviderKind.SGLANG:
        # By this name it can be told to stop.
        body["rid"] = request_id
    return body


def ollama_body(
    provider: ProviderSettings,
    model: str,
    messages: Sequence[Message],
    max_tokens: int,
    *,
    temperature: float | None,
    asked: Mapping[str, object],
) -> dict[str, object]:
    """Return the body of Ollama's own chat, which takes the context's size; without it, long prompts are cut unsaid."""
    options: dict[str, object] = {"num_predict": max_tokens}
    if provider.context_tokens is not None:
        options["num_ctx"] = provider.context_tokens
    if temperature is not None:
        options["temperature"] = temperature
    return {
        "model": model,
        "messages": [{"role": each.role, "content": each.content} for each in messages],
        "options": options,
        "stream": True,
        "keep_alive": KEEP_ALIVE,
        **asked,
    }


def asked_by_schema(mode: SchemaMode, schema: Mapping[str, object]) -> dict[str, object]:
    """Return what a schema adds to a body."""
    match mode:
        case SchemaMode.RESPONSE_FORMAT:
            named = {"name": SCHEMA_NAME, "schema": dict(schema), "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case SchemaMode.JSON_SCHEMA:
            return {"json_schema": dict(schema)}
        case SchemaMode.GUIDED_JSON:
            return {"guided_json": dict(schema)}
        case SchemaMode.NVEXT:
            return {"nvext": {"guided_json": dict(schema)}}
        case SchemaMode.FORMAT:
            return {"format": dict(schema)}
        case SchemaMode.NONE:
            return {}

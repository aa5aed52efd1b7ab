"""What is sent: one request, in the words of the server that gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.inference import Message, ProviderKind
from gpu.inference.profiles import SchemaMode
from gpu.inference.settings import ProviderSettings

SCHEMA_NAME: Final = "answer"
KEEP_ALIVE: Final = "5m"


@dataclass(frozen=True, slots=True)
class Question:
    """What one provider is asked, after the router has chosen."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float | None = None
    schema: Mapping[str, object] | None = None
    mode: SchemaMode = SchemaMode.NONE


def openai_body(provider: ProviderSettings, question: Question, request_id: str) -> dict[str, object]:
    """Return the body of a chat completion. `max_tokens` is always in it: llama.cpp would go on for ever."""
    body: dict[str, object] = {
        **_said(question),
        "max_tokens": question.max_tokens,
        "stream_options": {"include_usage": True},
    }
    if question.temperature is not None:
        body["temperature"] = question.temperature
    if provider.kind is ProviderKind.SGLANG:
        # By this name it can be told to stop.
        body["rid"] = request_id
    return body


def ollama_body(provider: ProviderSettings, question: Question) -> dict[str, object]:
    """Return the body of Ollama's own chat, which takes the context's size; without it, long prompts are cut unsaid."""
    options: dict[str, object] = {"num_predict": question.max_tokens}
    if provider.context_tokens is not None:
        options["num_ctx"] = provider.context_tokens
    if question.temperature is not None:
        options["temperature"] = question.temperature
    return {**_said(question), "options": options, "keep_alive": KEEP_ALIVE}


def _said(question: Question) -> dict[str, object]:
    """Return what every server is told alike."""
    return {
        "model": question.model,
        "messages": [{"role": each.role, "content": each.content} for each in question.messages],
        "stream": True,
        **({} if question.schema is None else asked_by_schema(question.mode, question.schema)),
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

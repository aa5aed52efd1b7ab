"""Which way of asking for JSON a model honours: tried once per address and model, and remembered in a file."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from domain.inference import FinishReason, Message, RefusalCode
from gpu.inference.bodies import Question
from gpu.inference.chat import converse
from gpu.inference.failures import Failure
from gpu.inference.profiles import PROFILES, SchemaMode
from gpu.inference.settings import ProviderSettings
from gpu.inference.wire import Wire

GOOD_FOR_SECONDS: Final = 7 * 86_400
"""Servers are updated: what they honoured last week is tried again."""
PROBE_TOKENS: Final = 512
SCHEMA: Final = {
    "type": "object",
    "properties": {"reply": {"type": "string", "enum": ["seven", "eleven"]}},
    "required": ["reply"],
    "additionalProperties": False,
}
# Nobody answers this with an object unless the schema makes them.
ASKED: Final = (Message("user", "Say hello in one friendly sentence, in plain words."),)


class Memory:
    """What was found out, in a file that all processes of a machine share; the last one to write wins."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        """Read the file, if there is one; what cannot be read is found out again."""
        self._path = path
        self._clock = clock
        self._known: dict[str, tuple[SchemaMode, float]] = {}
        if path is not None:
            self._load(path)

    def recall(self, provider: ProviderSettings, model: str) -> SchemaMode | None:
        """Return the mode that a model honours, or None where it has to be tried."""
        known = self._known.get(_key(provider, model))
        if known is None or known[1] < self._clock() - GOOD_FOR_SECONDS:
            return None
        return known[0]

    async def keep(self, provider: ProviderSettings, model: str, mode: SchemaMode) -> None:
        """Remember a mode."""
        self._known[_key(provider, model)] = (mode, self._clock())
        await self._save()

    async def forget(self, provider: ProviderSettings, model: str) -> None:
        """Have it tried again: the server refused what it honoured before."""
        if self._known.pop(_key(provider, model), None) is not None:
            await self._save()

    def _load(self, path: Path) -> None:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            for key, entry in json.loads(path.read_text(encoding="utf-8")).items():
                self._known[str(key)] = (SchemaMode(entry["mode"]), float(entry["at"]))

    async def _save(self) -> None:
        if self._path is not None:
            known = {key: {"mode": mode.value, "at": at} for key, (mode, at) in self._known.items()}
            await asyncio.to_thread(_write, self._path, json.dumps(known, indent=1))


def _write(path: Path, text: str) -> None:
    # It only saves a question: a full disk is no reason not to answer.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{uuid4().hex}")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)  # noqa: PTH105 -- the same, by the name that says it is atomic.


def _key(provider: ProviderSettings, model: str) -> str:
    return f"{provider.root}|{model}"


class Capabilities:
    """Finds out, once for all who ask at the same time: a server that does not answer keeps each of them as long."""

    def __init__(self, memory: Memory) -> None:
        """Remember in `memory`."""
        self._memory = memory
        self._finding: dict[str, asyncio.Task[SchemaMode]] = {}

    async def mode(self, wire: Wire, provider: ProviderSettings, model: str) -> SchemaMode:
        """Return how to ask this model for JSON. Raises Failure where the provider does not answer at all."""
        known = self._memory.recall(provider, model)
        if known is not None:
            return known
        key = _key(provider, model)
        if key not in self._finding:
            task = self._finding[key] = asyncio.create_task(self._found(wire, provider, model))
            task.add_done_callback(lambda done: self._end(key, done))
        # Whoever gives up leaves the others their answer.
        return await asyncio.shield(self._finding[key])

    async def close(self) -> None:
        """Find out no more."""
        tasks = list(self._finding.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _found(self, wire: Wire, provider: ProviderSettings, model: str) -> SchemaMode:
        mode = await probe(wire, provider, model)
        await self._memory.keep(provider, model, mode)
        return mode

    def _end(self, key: str, task: asyncio.Task[SchemaMode]) -> None:
        del self._finding[key]
        if not task.cancelled():
            # Looked at, so that nobody reports a failure for which nobody waits any more.
            task.exception()

    async def forget(self, provider: ProviderSettings, model: str) -> None:
        """Have it tried again."""
        await self._memory.forget(provider, model)


async def probe(wire: Wire, provider: ProviderSettings, model: str) -> SchemaMode:
    """Try each mode of the provider's kind until one is honoured. Raises Failure where that cannot be known now."""
    for mode in PROFILES[provider.kind].modes:
        question = Question(model, ASKED, PROBE_TOKENS, temperature=0.0, schema=SCHEMA, mode=mode)
        try:
            reply = await converse(wire, provider, question)
        except Failure as failure:
            # It does not know the field: that is an answer. Everything else says nothing about it.
            if failure.code is not RefusalCode.INVALID_REQUEST:
                raise
            continue
        # A model that thinks may not have come to its answer: it took the field, and every answer is checked anyway.
        if honoured(reply.text) or reply.finish is FinishReason.LENGTH:
            return mode
    return SchemaMode.NONE


def honoured(text: str) -> bool:
    """Whether an answer fits the schema of the question, which nobody would fit by chance."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and set(value) == {"reply"} and value["reply"] in {"seven", "eleven"}

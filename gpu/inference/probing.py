"""How a provider is: whether it answers, what models it has, and how many requests wait there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from domain.inference import ProviderKind, ProviderStatus, RefusalCode
from gpu.inference.failures import Failure, failure_of, without_quotation
from gpu.inference.profiles import PROFILES, Load
from gpu.inference.settings import ProviderSettings
from gpu.inference.wire import Wire

MOST_MODELS: Final = 200
LOADED: Final = frozenset({"loaded", "ready"})


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that a provider has; None is that it does not say."""

    name: str
    context_length: int | None = None
    loaded: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a provider found. `running` and `waiting` are its own counts, of all its clients."""

    status: ProviderStatus = ProviderStatus.UNKNOWN
    models: tuple[ServedModel, ...] = ()
    running: int | None = None
    waiting: int | None = None
    places: int | None = None
    reason: str = ""
    """Why it is not healthy, in words."""
    at: datetime | None = None


async def examined(wire: Wire, provider: ProviderSettings) -> Found:
    """Look at a provider. Nothing is raised: that it does not answer is what was found."""
    profile = PROFILES[provider.kind]
    try:
        answer = await wire.get(profile.health, profile.probe_seconds)
        if answer.status != HTTPStatus.OK:
            raise failure_of(answer.status, answer.body)
        if not profile.health_costs:
            answer = await wire.get(profile.models, profile.probe_seconds)
            if answer.status != HTTPStatus.OK:
                raise failure_of(answer.status, answer.body)
        models = listed(answer.json())
    except Failure as failure:
        # A server that is loading its model, or says that it is full, is there.
        alive = failure.code in {RefusalCode.OVERLOADED, RefusalCode.RATE_LIMITED}
        key = None if provider.key is None else provider.key.get_secret_value()
        reason = without_quotation(failure, [], key).reason()
        return Found(ProviderStatus.DEGRADED if alive else ProviderStatus.DOWN, reason=reason)
    if provider.kind is ProviderKind.OLLAMA:
        models = await _with_loaded(wire, models, profile.probe_seconds)
    running, waiting, places = await _load(wire, provider)
    return Found(ProviderStatus.HEALTHY, models, running, waiting, places)


def listed(body: object) -> tuple[ServedModel, ...]:
    """Read a list of models: OpenAI's `data`, or Ollama's `models`."""
    if not isinstance(body, Mapping):
        return ()
    entries = body.get("data")
    if not isinstance(entries, list):
        entries = body.get("models")
    found = []
    for entry in entries if isinstance(entries, list) else []:
        name = (entry.get("id") or entry.get("model") or entry.get("name")) if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name:
            found.append(ServedModel(name, _context(entry), _loaded(entry)))
    return tuple(found[:MOST_MODELS])


def _context(entry: Mapping[str, object]) -> int | None:
    meta = entry.get("meta")
    inner = meta if isinstance(meta, Mapping) else {}
    given = [entry.get("max_model_len"), entry.get("context_length"), inner.get("n_ctx"), inner.get("n_ctx_train")]
    return next((each for each in given if isinstance(each, int) and each > 0), None)


def _loaded(entry: Mapping[str, object]) -> bool | None:
    status = entry.get("status")
    if isinstance(status, Mapping):
        return status.get("value") in LOADED
    return True if "max_model_len" in entry or isinstance(entry.get("meta"), Mapping) else None


async def _with_loaded(wire: Wire, models: tuple[ServedModel, ...], seconds: float) -> tuple[ServedModel, ...]:
    with suppress(Failure):
        answer = await wire.get("/api/ps", seconds)
        if answer.status == HTTPStatus.OK:
            running = {each.name: each for each in listed(answer.json())}
            return tuple(
                ServedModel(each.name, _of(running, each.name) or each.context_length, each.name in running)
                for each in models
            )
    return models


def _of(running: Mapping[str, ServedModel], name: str) -> int | None:
    return running[name].context_length if name in running else None


async def _load(wire: Wire, provider: ProviderSettings) -> tuple[int | None, int | None, int | None]:
    """Return what runs, what waits and how much runs at once; None for what the server does not say."""
    profile = PROFILES[provider.kind]
    seconds = profile.probe_seconds
    with suppress(Failure):
        match profile.load:
            case Load.SLOTS:
                return await _slots(wire, seconds)
            case Load.VLLM_METRICS:
                answer = await wire.get(profile.metrics, seconds)
                if answer.status == HTTPStatus.OK:
                    return (*vllm_load(answer.body.decode("utf-8", "replace")), None)
            case Load.SGLANG_LOADS:
                return (*await _sglang(wire, seconds), None)
            case Load.NOWHERE:
                pass
    return None, None, None


async def _slots(wire: Wire, seconds: float) -> tuple[int | None, int | None, int | None]:
    """Ask llama.cpp; it has no list of slots where it was started without, and metrics only if it was told to."""
    answer = await wire.get("/slots", seconds)
    running = places = None
    if answer.status == HTTPStatus.OK and isinstance(slots := answer.json(), list):
        places = len(slots)
        running = sum(1 for slot in slots if isinstance(slot, Mapping) and slot.get("is_processing") is True)
    else:
        props = await wire.get("/props", seconds)
        body = props.json() if props.status == HTTPStatus.OK else None
        total = body.get("total_slots") if isinstance(body, Mapping) else None
        places = total if isinstance(total, int) else None
    metrics = await wire.get("/metrics", seconds)
    waiting = None
    if metrics.status == HTTPStatus.OK:
        waiting = metric(metrics.body.decode("utf-8", "replace"), "llamacpp:requests_deferred")
    return running, waiting, places


def vllm_load(text: str) -> tuple[int | None, int | None]:
    """Read vLLM's metrics: what runs and what waits, summed over its models."""
    return metric(text, "vllm:num_requests_running"), metric(text, "vllm:num_requests_waiting")


def metric(text: str, name: str) -> int | None:
    """Return a metric of a Prometheus page, summed over its labels; None where it is not there."""
    found = re.findall(rf"^{re.escape(name)}(?:{{[^}}]*}})?\s+([0-9.eE+-]+)", text, flags=re.MULTILINE)
    try:
        return round(sum(float(each) for each in found)) if found else None
    except (ValueError, OverflowError):
        return None


async def _sglang(wire: Wire, seconds: float) -> tuple[int | None, int | None]:
    """Ask SGLang, by the newer address and then by the older one."""
    for path in ("/v1/loads?include=core,queues", "/get_load"):
        answer = await wire.get(path, seconds)
        if answer.status == HTTPStatus.OK:
            return sglang_load(answer.json())
    return None, None


def sglang_load(body: object) -> tuple[int | None, int | None]:
    """Read SGLang's loads, one per data-parallel rank: what runs and what waits."""
    entries = body.get("loads") if isinstance(body, Mapping) else body
    ranks = [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, list) else []
    if not ranks:
        return None, None
    running = waiting = 0
    for rank in ranks:
        queued = _number(rank, "num_waiting_reqs")
        waiting += queued
        # The older answer counts those that wait among the requests.
        running += _number(rank, "num_running_reqs") or max(0, _number(rank, "num_reqs") - queued)
    return running, waiting


def _number(entry: Mapping[str, object], name: str) -> int:
    given = entry.get(name)
    return given if isinstance(given, int) and not isinstance(given, bool) else 0

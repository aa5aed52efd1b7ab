"""Which providers are asked, and in which order: the rules for the task and the prompt's size, then the priorities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.inference import Completion, Message, ProviderSwitch, RefusalCode, Tried
from gpu.inference.endpoints import Endpoint
from gpu.inference.failures import SENTENCES
from gpu.inference.settings import Rule

BYTES_PER_TOKEN: Final = 3.5
MESSAGE_TOKENS: Final = 8
"""What a message costs beside its text."""
LEAST_ANSWER: Final = 64
"""Tokens of an answer for which there has to be room: with fewer, nobody is asked."""
UNCHANGED: Final = ProviderSwitch()


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider and one of its models. `room` is how many tokens are left for an answer; None where nobody knows."""

    endpoint: Endpoint
    model: str
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """Who is asked, in order, and who is not, with the reason."""

    candidates: tuple[Choice, ...]
    passed_over: tuple[Tried, ...]


def estimated_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens messages have: by bytes, because scripts other than Latin need more of them."""
    size = sum(len(each.content.encode("utf-8", "surrogatepass")) for each in messages)
    return int(size / BYTES_PER_TOKEN) + MESSAGE_TOKENS * len(messages)


def chosen(
    endpoints: Mapping[str, Endpoint],
    rules: Sequence[Rule],
    switches: Mapping[UUID, ProviderSwitch],
    request: Completion,
) -> Choices:
    """Decide who is asked. A rule that fits says who and in which order; without one it is everybody, by priority.

    Providers that could not be reached a moment ago come last, whatever the rule says.
    """
    tokens = estimated_tokens(request.messages)
    rule = next((each for each in rules if each.fits(request.task, tokens)), None)
    candidates: list[Choice] = []
    passed_over: list[Tried] = []
    for endpoint in _ordered(endpoints, rule, switches):
        switch = switches.get(endpoint.id, UNCHANGED)
        models = list(_models(endpoint, rule, switch, request.model))
        if not models:
            continue
        code = _barred(endpoint, switch, request)
        for model in models:
            limit = endpoint.context_tokens(model)
            room = None if limit is None else limit - tokens
            if code is None and room is not None and room < min(LEAST_ANSWER, request.max_tokens):
                reason = f"the request has about {tokens} tokens, and it takes {limit}"
                passed_over.append(Tried(endpoint.settings.name, model, RefusalCode.CONTEXT_TOO_LONG, reason))
            elif code is not None:
                passed_over.append(Tried(endpoint.settings.name, model, code, SENTENCES[code]))
            else:
                candidates.append(Choice(endpoint, model, room))
    return Choices(tuple(candidates), tuple(passed_over))


def _ordered(
    endpoints: Mapping[str, Endpoint], rule: Rule | None, switches: Mapping[UUID, ProviderSwitch]
) -> list[Endpoint]:
    places = {name: place for place, name in enumerate(rule.providers)} if rule is not None else {}

    def order(endpoint: Endpoint) -> tuple[bool, int, bool, float]:
        switched = switches.get(endpoint.id, UNCHANGED).priority
        priority = endpoint.settings.priority if switched is None else switched
        busy = endpoint.in_flight >= endpoint.settings.at_once
        return endpoint.ailing, places.get(endpoint.settings.name, priority), busy, endpoint.latency_ms or 0.0

    return sorted((each for name, each in endpoints.items() if rule is None or name in places), key=order)


def _models(endpoint: Endpoint, rule: Rule | None, switch: ProviderSwitch, wanted: str | None) -> Iterator[str]:
    """The models of a provider that may answer: the one that is asked for, or the primary one and the fallback."""
    if wanted is not None:
        if endpoint.serves(wanted) or switch.model == wanted:
            yield wanted
        return
    by_rule = None if rule is None else rule.models.get(endpoint.settings.name)
    primary = by_rule or switch.model or endpoint.settings.model
    yield primary
    fallback = endpoint.settings.fallback_model
    if fallback is not None and fallback != primary:
        yield fallback


def _barred(endpoint: Endpoint, switch: ProviderSwitch, request: Completion) -> RefusalCode | None:
    if not (endpoint.settings.enabled if switch.enabled is None else switch.enabled):
        return RefusalCode.SWITCHED_OFF
    if not endpoint.settings.stays and request.pseudonyms is None:
        return RefusalCode.WITHHELD
    return None

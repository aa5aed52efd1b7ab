"""How the providers are, for people: what the router knows, beside what each says of itself when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

from domain.inference import (
    CircuitState,
    Provider,
    ProviderModel,
    ProviderState,
    ProviderStatus,
    ProviderSwitch,
    RefusalCode,
    Sighting,
    Sightings,
    together,
)
from gpu.inference.choosing import UNCHANGED
from gpu.inference.endpoints import Endpoint
from gpu.inference.failures import SENTENCES
from gpu.inference.probing import Found
from gpu.inference.router import Router

Held = Callable[[str], Awaitable[int]]
"""How many requests run at a provider, of every process."""


async def _only_ours(_name: str) -> int:
    return 0


class Alone:
    """The port `Sightings` of a process that knows of no other."""

    async def tell(self, seen: Sequence[Sighting]) -> None:
        """Tell nobody."""

    async def others(self) -> Sequence[Sighting]:
        """Hear of nothing."""
        return ()


class Overview:
    """The providers as this process and the others see them."""

    def __init__(self, router: Router, held: Held = _only_ours, sightings: Sightings | None = None) -> None:
        """Show what `router` has, with what others tell by `sightings`."""
        self._router: Final = router
        self._held: Final = held
        self._sightings: Final = sightings or Alone()
        self.configured: Final[Sequence[Provider]] = tuple(each.provider for each in router.settings.providers)

    async def states(self, tenant_id: UUID) -> Sequence[ProviderState]:
        """Return how they are for a tenant, in the order in which they are asked."""
        switches, others = await asyncio.gather(self._router.switches.of(tenant_id), self._sightings.others())
        endpoints = list(self._router.endpoints.values())
        states = await asyncio.gather(
            *(self._state(each, switches.get(each.id, UNCHANGED), others) for each in endpoints)
        )
        return sorted(states, key=lambda each: each.priority)

    async def state(self, tenant_id: UUID, provider_id: UUID) -> ProviderState | None:
        """Return how one of them is."""
        for endpoint in self._router.endpoints.values():
            if endpoint.id == provider_id:
                switches, others = await asyncio.gather(self._router.switches.of(tenant_id), self._sightings.others())
                return await self._state(endpoint, switches.get(provider_id, UNCHANGED), others)
        return None

    async def _state(self, endpoint: Endpoint, switch: ProviderSwitch, others: Sequence[Sighting]) -> ProviderState:
        found, held = await asyncio.gather(endpoint.look(), self._held(endpoint.settings.name))
        settings, seen = endpoint.settings, together(endpoint.sighting, others)
        failing = found.status is ProviderStatus.HEALTHY and seen.circuit is not CircuitState.CLOSED
        reason = SENTENCES[RefusalCode.CIRCUIT_OPEN] if failing else found.reason
        return ProviderState(
            provider=settings.provider,
            status=ProviderStatus.DEGRADED if failing else found.status,
            reason=reason or None,
            models=_models(endpoint, found),
            queue_depth=seen.waiting + (found.waiting or 0),
            in_flight=max(seen.in_flight, held),
            latency_ms=seen.latency_ms,
            error_rate=seen.error_rate,
            circuit=seen.circuit,
            last_probe_at=found.at,
            enabled=settings.enabled if switch.enabled is None else switch.enabled,
            priority=settings.priority if switch.priority is None else switch.priority,
            model=switch.model or settings.model,
            on_premise=settings.stays,
        )


def _models(endpoint: Endpoint, found: Found) -> tuple[ProviderModel, ...]:
    """What it says that it serves, and what it is configured with although it does not say so."""
    said = {each.name: ProviderModel(each.name, each.context_length, each.loaded) for each in found.models}
    settings = endpoint.settings
    for name in (settings.model, settings.fallback_model, *settings.models):
        if name is not None and name not in said:
            said[name] = ProviderModel(name, settings.context_tokens, None)
    return tuple(said.values())

"""Providers as operators see and switch them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.errors import Invalid, NotFound
from domain.inference.kinds import CircuitState, ProviderKind, ProviderStatus
from domain.inference.models import ProviderSwitch
from domain.values import UNSET, Unset, given

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_PRIORITY: Final = 1000
LONGEST_MODEL: Final = 200


@dataclass(frozen=True, slots=True)
class ProviderModel:
    """A model that a provider serves; None is that nobody says."""

    name: str
    context_length: int | None
    loaded: bool | None


@dataclass(frozen=True, slots=True)
class Provider:
    """What the settings file says of a provider, as far as anybody but the router has to know."""

    id: UUID
    name: str
    kind: ProviderKind


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider as it is now, seen from this process, with what the tenant has switched."""

    provider: Provider
    status: ProviderStatus
    reason: str | None
    models: tuple[ProviderModel, ...]
    queue_depth: int
    in_flight: int
    latency_ms: float | None
    error_rate: float | None
    circuit: CircuitState
    last_probe_at: datetime | None
    enabled: bool
    priority: int
    model: str
    on_premise: bool


class Providers(Protocol):
    """The providers that are configured."""

    @property
    def configured(self) -> Sequence[Provider]:
        """All of them, in the order of the settings file."""

    async def states(self, tenant_id: UUID) -> Sequence[ProviderState]:
        """Return how they are for a tenant, in the order in which they are asked."""

    async def state(self, tenant_id: UUID, provider_id: UUID) -> ProviderState | None:
        """Return how one of them is; None for one that is not configured any more."""


@dataclass(frozen=True, slots=True)
class InferenceProviderUpdate:
    """What is to be switched of a provider: what is left out stays, and null gives back what the file says."""

    provider_id: UUID
    enabled: bool | Unset | None = UNSET
    priority: int | Unset | None = UNSET
    model: str | Unset | None = UNSET


def switched(before: ProviderSwitch, command: InferenceProviderUpdate) -> ProviderSwitch:
    """Return a switch as a command wants it; raises Invalid."""
    after = replace(
        before,
        enabled=given(command.enabled, before.enabled),
        priority=given(command.priority, before.priority),
        model=given(command.model, before.model),
    )
    if after.priority is not None and not 0 <= after.priority <= MOST_PRIORITY:
        raise Invalid(f"A priority is 0 to {MOST_PRIORITY}; the smallest is asked first.", field="priority")
    if after.model is not None and not (after.model.strip() == after.model and 1 <= len(after.model) <= LONGEST_MODEL):
        raise Invalid(f"A model's name has 1 to {LONGEST_MODEL} characters and no space around it.", field="model")
    return after


FIELDS: Final = ("enabled", "priority", "model")


async def update_provider(unit: Unit, command: InferenceProviderUpdate, provider: Provider) -> UUID:
    """Switch a provider for the tenant: every process follows with its next request. Raises Invalid."""
    before = await unit.inference.switch_for_update(provider)
    after = switched(before, command)
    fields = tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))
    if fields:
        await unit.inference.save_switch(provider.id, after, unit.now)
        unit.record(
            Change(
                action=AuditAction.UPDATE,
                event="InferenceProviderUpdated",
                noun="inference_providers",
                id=provider.id,
                fields=fields,
            )
        )
    return provider.id


def configured_one(providers: Providers, wanted: UUID) -> Provider:
    """Return a configured provider; raises NotFound."""
    for provider in providers.configured:
        if provider.id == wanted:
            return provider
    raise NotFound(field="providerId")

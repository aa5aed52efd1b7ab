"""The edge of inference: how providers are, how they are switched, and what is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain import inference
from domain.access import Permission
from domain.inference import InferenceProviderUpdate, InferenceSubmit, ProviderState
from domain.unit import Unit
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.JOB_READ)
async def inference_providers(context: Context) -> Sequence[ProviderState]:
    """Return how every provider is."""
    return await context.providers.states(context.caller.tenant_id)


@allow(Permission.JOB_READ)
async def inference_provider(context: Context, provider_id: UUID) -> ProviderState | None:
    """Return how one provider is, if it is still configured."""
    return await context.providers.state(context.caller.tenant_id, provider_id)


@allow(Permission.SETTINGS_WRITE)
async def inference_provider_update(context: Context, command: InferenceProviderUpdate) -> UUID:
    """Switch a provider. Only one that is configured can be."""
    provider = inference.configured_one(context.providers, command.provider_id)

    async def update(unit: Unit, command: InferenceProviderUpdate) -> UUID:
        return await inference.update_provider(unit, command, provider)

    return await perform(context, update, command)


@allow(Permission.JOB_WRITE)
async def inference_submit(context: Context, command: InferenceSubmit, idempotency_key: str | None) -> UUID:
    """Ask models for something."""
    return await perform(context, inference.submit, command, idempotency_key)

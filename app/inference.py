"""Which language models this process may ask: the settings file, the environment, and what was found out before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.failures import CannotContinue
from app.settings import Settings
from db.engine import ReadPool
from db.inference.store import SqlSwitches
from domain.inference import Provider
from domain.jobs import SlotKind, Slots
from gpu.inference.capabilities import Memory
from gpu.inference.probing import Found, examined
from gpu.inference.router import Router
from gpu.inference.settings import InferenceSettings, ProviderSettings, SettingsWrong, configured
from gpu.inference.wire import Wire


def inference_settings(settings: Settings) -> InferenceSettings:
    """Return the providers that are configured; raises CannotContinue naming every fault."""
    try:
        return configured(settings.inference_settings, os.environ)
    except SettingsWrong as wrong:
        raise CannotContinue(f"The language models are not configured as they have to be.\n{wrong}") from None


def configured_providers(settings: Settings) -> list[Provider]:
    """Return the providers as everybody but the router knows them; raises CannotContinue."""
    return [each.provider for each in inference_settings(settings).providers]


async def declare_places(slots: Slots, found: InferenceSettings) -> None:
    """Say how many requests each provider serves at once: jobs of all processes share these places."""
    for provider in found.providers:
        await slots.declare(SlotKind.LLM, provider.name, provider.at_once)


async def examine_providers(found: InferenceSettings) -> list[tuple[ProviderSettings, Found]]:
    """Ask each provider how it is, all at the same time."""
    wires = [(provider, Wire(provider)) for provider in found.providers]
    try:
        states = await asyncio.gather(*(examined(wire, provider) for provider, wire in wires))
    finally:
        await asyncio.gather(*(wire.close() for _, wire in wires))
    return [(provider, state) for (provider, _), state in zip(wires, states, strict=True)]


@asynccontextmanager
async def routing(settings: Settings, pool: ReadPool) -> AsyncIterator[Router]:
    """Open the way to the language models, and close their connections afterwards. Raises CannotContinue."""
    found = inference_settings(settings)
    router = Router(found, SqlSwitches(pool), Memory(settings.data_dir / "inference-capabilities.json"))
    try:
        yield router
    finally:
        await router.close()

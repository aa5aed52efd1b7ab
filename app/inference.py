"""Which language models this process may ask: the settings file, the environment, and what was found out before."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import asyncpg
import structlog

from app.beside import beside
from app.failures import CannotContinue
from app.settings import Settings
from db.engine import ReadPool
from db.inference.store import SqlSwitches
from domain.errors import Unavailable
from domain.inference import CircuitState, Paces, Provider, Sightings
from domain.jobs import SlotKind, Slots
from gpu.inference.capabilities import Memory
from gpu.inference.probing import Found, examined
from gpu.inference.router import Router
from gpu.inference.settings import InferenceSettings, ProviderSettings, SettingsWrong, configured
from gpu.inference.wire import Wire

TELL_SECONDS: Final = 5.0
"""How often a process tells the others what it sees of the providers; of a circuit that opens or closes at once."""
LOOK_SECONDS: Final = 0.5

T = TypeVar("T", bound=Sightings)

log = structlog.get_logger()


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
async def routing(settings: Settings, pool: ReadPool, paces: Paces | None = None) -> AsyncIterator[Router]:
    """Open the way to the language models, and close their connections afterwards. Raises CannotContinue.

    `paces` are the limits that all processes keep together; without them this one keeps its own.
    """
    found = inference_settings(settings)
    memory = Memory(settings.data_dir / "inference-capabilities.json")
    router = Router(found, SqlSwitches(pool), memory, paces=paces)
    try:
        yield router
    finally:
        await router.close()


@asynccontextmanager
async def telling(router: Router, sightings: T) -> AsyncIterator[T]:
    """Let the other processes hear what this one sees of the providers, for as long as something else is done."""
    async with beside(tell_regularly(router, sightings)):
        yield sightings


async def tell_regularly(router: Router, sightings: Sightings) -> None:
    """Tell what this process sees of the providers until cancelled, and then that it sees nothing any more."""
    told: Mapping[str, CircuitState] = {}
    next_at, silent = 0.0, True
    try:
        while True:
            seen = [each for each in router.sightings() if not each.quiet]
            circuits = {each.provider: each.circuit for each in seen}
            if circuits != told or (seen and time.monotonic() >= next_at):
                told, next_at, silent = circuits, time.monotonic() + TELL_SECONDS, not seen
                await _told(sightings.tell(seen))
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        if not silent:
            await _told(sightings.tell([]))


async def _told(telling: Awaitable[None]) -> None:
    """Wait until it is told. What the database does not take is told anew, and is nobody's failure."""
    try:
        await telling
    except (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("sightings_not_told", error=type(error).__name__)

"""Which language models this process may ask: the settings file, the environment, and what was found out before."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.failures import CannotContinue
from app.settings import Settings
from db.engine import ReadPool
from db.inference.store import SqlSwitches
from gpu.inference.capabilities import Memory
from gpu.inference.router import Router
from gpu.inference.settings import InferenceSettings, SettingsWrong, configured


def inference_settings(settings: Settings) -> InferenceSettings:
    """Return the providers that are configured; raises CannotContinue naming every fault."""
    try:
        return configured(settings.inference_settings, os.environ)
    except SettingsWrong as wrong:
        raise CannotContinue(f"The language models are not configured as they have to be.\n{wrong}") from None


@asynccontextmanager
async def routing(settings: Settings, pool: ReadPool) -> AsyncIterator[Router]:
    """Open the way to the language models, and close their connections afterwards. Raises CannotContinue."""
    found = inference_settings(settings)
    router = Router(found, SqlSwitches(pool), Memory(settings.data_dir / "inference-capabilities.json"))
    try:
        yield router
    finally:
        await router.close()

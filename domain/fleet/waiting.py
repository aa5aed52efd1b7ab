"""Why work waits: said in a sentence to whoever asks, so that nobody takes a closed door for a broken one."""

from __future__ import annotations

from typing import Final

from domain.fleet.modes import WorkerKind, is_served, served
from domain.fleet.settling import Situation

WORK: Final = {WorkerKind.LLM: "language models", WorkerKind.COMFYUI: "renders"}


def waits_for(found: Situation, kind: WorkerKind) -> str | None:
    """Return why no work of a kind can begin: all its slots are closed. None where some are open, or it has none."""
    here = [each for each in found.resources if each.kind is kind and each.id in found.serving]
    if not here or any(found.serving[each.id].open for each in here):
        return None
    wanted = served(found.mode.mode, found.resources)
    if any(is_served(each, wanted) for each in here):
        return f"The machines are changing over to {found.mode.mode.name}: work for {WORK[kind]} begins when they have."
    return f"The mode is {found.mode.mode.name}: work for {WORK[kind]} waits until it is another."

"""Which handler runs which jobs. Every part that does work for models or machines adds its handlers here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.settings import Settings
from domain.assets import UploadPorts
from domain.jobs import JobHandler, Slots, Work
from domain.unit import Units

Handlers: TypeAlias = Mapping[Work, JobHandler]


@dataclass(frozen=True, slots=True)
class Parts:
    """What handlers are made of."""

    settings: Settings
    uploads: UploadPorts
    slots: Slots
    units: Units


def handlers(_parts: Parts) -> Handlers:
    """Return the handlers of this release."""
    return {}

"""Which handler runs which jobs. Every part that does work for models or machines adds its handlers here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from domain.jobs import JobHandler, Work

Handlers: TypeAlias = Mapping[Work, JobHandler]


def handlers() -> Handlers:
    """Return the handlers of this release."""
    return {}

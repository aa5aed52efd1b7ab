"""Global ids: `lead_0192…` is the row of that uuid among the leads, and can be no other type's."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from domain.errors import NotFound
from graph.registry import REGISTRY, Declared

_SHAPE: Final = re.compile(r"([a-z]+)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def parsed(global_id: str) -> tuple[Declared, UUID] | None:
    """Return the noun and the uuid of a global id, or None for anything else."""
    match = _SHAPE.fullmatch(global_id)
    if match is None or match[1] not in REGISTRY.by_prefix:
        return None
    return REGISTRY.by_prefix[match[1]], UUID(match[2])


def expected(global_id: str, noun: str, field: str) -> UUID:
    """Return the uuid of a global id that must be one of `noun`; raises NotFound, as a missing row would."""
    found = parsed(global_id)
    if found is None or found[0].name != noun:
        raise NotFound(field=field)
    return found[1]


def pointer(global_id: str, field: str) -> str:
    """Return `noun:uuid` for a global id of whatever noun; raises NotFound."""
    found = parsed(global_id)
    if found is None:
        raise NotFound(field=field)
    return f"{found[0].name}:{found[1]}"


def printed(noun: str, row_id: UUID) -> str:
    """Return the global id of a row."""
    return f"{REGISTRY.nouns[noun].prefix}_{row_id}"

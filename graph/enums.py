"""Domain enums as GraphQL enums: every member described, and printed by its name."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

import strawberry

from graph.registry import REGISTRY

E = TypeVar("E", bound=Enum)


def described(enum: type[E], description: str, **members: str) -> type[E]:
    """Register an enum; every member must be described, and nothing else."""
    names = [member.name for member in enum]
    if set(names) != set(members):
        raise ValueError(f"{enum.__name__}: describe exactly {names}, not {sorted(members)}.")
    strawberry.enum(enum, description=description)
    definition = enum.__strawberry_definition__  # type: ignore[attr-defined]  # set by Strawberry
    for value in definition.values:
        value.description = members[value.name]
    REGISTRY.add_type(enum)
    return enum

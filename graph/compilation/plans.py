"""What a plan is on this side of the read engine: parts, and how a request's variables become what they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.access import Permission
from domain.answers import Given, GlobalId, Plan
from domain.reading import Page
from graph.subscriptions.declaration import Stream

Arguments = Callable[[Mapping[str, Any]], dict[str, Any]]
"""The arguments of one field, by Python name, from the coerced variables of a request."""


KEPT: Final = 32
"""How many plans of one operation are kept."""

ANONYMOUS: Final = "Anonymous callers are answered by resolvers."


LACKS_PERMISSION: Final = "The caller's role lacks a permission; resolvers say which."


class Uncompiled(Exception):
    """The resolver path must run this document. The message says why, in words for `velocity explain`."""


class LacksPermission(Uncompiled):
    """The caller's role lacks a permission; resolvers say which."""

    def __init__(self, permission: Permission) -> None:
        """Name the permission."""
        super().__init__(LACKS_PERMISSION)
        self.permission = permission


class Sampled(Uncompiled):
    """The subscription is to samples, which no statement answers."""

    def __init__(self, permission: Permission) -> None:
        """Name the permission that it takes."""
        super().__init__("Samples are watched; no event tells of them.")
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Followed:
    """What a subscription follows: the events of a stream, narrowed by the field's arguments."""

    stream: Stream
    arguments: Arguments
    position: str | None
    """The variable that says where to begin and nothing else."""


@dataclass(slots=True)
class Compiled:
    """One plan of a document, and how a request's variables become what the plan is given."""

    plan: Plan
    permissions: tuple[Permission, ...]
    pages: list[Callable[[Mapping[str, Any]], Page]]
    arguments: list[Callable[[Mapping[str, Any]], Mapping[str, object]]]
    ids: list[Callable[[Mapping[str, Any]], Sequence[GlobalId | None]]]
    followed: Followed | None = None
    """What a subscription follows; None for a query."""

    def given(self, variables: Mapping[str, Any]) -> Given:
        """Evaluate what one request gives; raises DomainError where an argument is refused."""
        return Given(
            [page(variables) for page in self.pages],
            [arguments(variables) for arguments in self.arguments],
            [each(variables) for each in self.ids],
        )


@dataclass(slots=True)
class Compilation:
    """The plans of one operation, one for each set of values of the variables in `@skip` and `@include`.

    Every such variable doubles how many sets there are, so only the plans that were made last are kept.
    """

    switches: tuple[str, ...]
    plans: dict[tuple[object, ...], Compiled | Uncompiled] = field(default_factory=dict)

    def keep(self, key: tuple[object, ...], plan: Compiled | Uncompiled) -> None:
        """Keep a plan for a set of values."""
        self.plans[key] = plan
        if len(self.plans) > KEPT:
            del self.plans[next(iter(self.plans))]

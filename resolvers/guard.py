"""Every public resolver says who may call it: `@allow`, `@signed_in` or `@public`; a test finds one that does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from domain.access import Permission
from resolvers.context import Context

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Context)

Resolver = Callable[Concatenate[C, P], Awaitable[R]]


def allow(permission: Permission) -> Callable[[Resolver[C, P, R]], Resolver[C, P, R]]:
    """Refuse callers whose role lacks `permission`; raises Unauthenticated or NotAllowed."""

    def decorate(resolver: Resolver[C, P, R]) -> Resolver[C, P, R]:
        @wraps(resolver)
        async def guarded(context: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
            context.require(permission)
            return await resolver(context, *args, **kwargs)

        guarded.__dict__["guard"] = permission.name
        return guarded

    return decorate


def signed_in(resolver: Resolver[C, P, R]) -> Resolver[C, P, R]:
    """Refuse anonymous callers; raises Unauthenticated."""

    @wraps(resolver)
    async def guarded(context: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        _ = context.caller
        return await resolver(context, *args, **kwargs)

    guarded.__dict__["guard"] = "SIGNED_IN"
    return guarded


def public(resolver: Resolver[C, P, R]) -> Resolver[C, P, R]:
    """Let anybody call: only for what happens before there is a session."""
    resolver.__dict__["guard"] = "PUBLIC"
    return resolver

"""How a mutation field is declared: one input, one resolver, a union of its payload and the problems."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation

from graph.context import Info
from graph.registry import Names

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")


def mutation(description: str) -> Callable[[Callable[Concatenate[S, Info, P], Awaitable[R]]], Any]:
    """Declare a mutation. What was read before it in the same request is forgotten: it may have changed."""

    def decorate(resolver: Callable[Concatenate[S, Info, P], Awaitable[R]]) -> Any:
        @wraps(resolver)
        async def forgetting(self: S, info: Info, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return await resolver(self, info, *args, **kwargs)
            finally:
                info.context.loaders.forget()

        field = strawberry.mutation(forgetting, description=description)
        names = Names(sys.modules[resolver.__module__].__dict__)
        for argument in field.arguments:
            argument.description = "What to do."
            argument.type_annotation = StrawberryAnnotation(argument.type_annotation.raw_annotation, namespace=names)
        return field

    return decorate

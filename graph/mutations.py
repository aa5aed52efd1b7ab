"""How a mutation field is declared: one input, one resolver, a union of its payload and the problems."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, Union, get_args

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.utils.str_converters import to_camel_case

from graph.context import Info
from graph.problems import Problem, Problems
from graph.registry import Names

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")


def mutation(
    description: str, *problems: type[Problem]
) -> Callable[[Callable[Concatenate[S, Info, P], Awaitable[R]]], Any]:
    """Declare a mutation by a resolver that returns its payload; it answers that, or a problem in its place.

    `problems` are its own, beside those that every mutation may answer. What was read before it in the same request is
    forgotten: it may have changed.
    """

    def decorate(resolver: Callable[Concatenate[S, Info, P], Awaitable[R]]) -> Any:
        @wraps(resolver)
        async def forgetting(self: S, info: Info, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return await resolver(self, info, *args, **kwargs)
            finally:
                info.context.loaders.forget()

        names = Names(sys.modules[resolver.__module__].__dict__)
        payload = names[resolver.__annotations__["return"]]
        answer = _union(to_camel_case(resolver.__name__), payload, *problems)
        field = strawberry.mutation(forgetting, description=description, graphql_type=answer)
        for argument in field.arguments:
            argument.description = "What to do."
            argument.type_annotation = StrawberryAnnotation(argument.type_annotation.raw_annotation, namespace=names)
        return field

    return decorate


def _union(name: str, payload: type, *problems: type[Problem]) -> Any:
    """Make the type that a mutation answers."""
    return Annotated[
        Union[(payload, *get_args(Problems), *problems)],
        strawberry.union(f"{name[0].upper()}{name[1:]}Result", description=f"What {name} answers."),
    ]

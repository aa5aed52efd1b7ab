"""How a field is declared that a function answers, because no row holds it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation

from graph.context import Info
from graph.registry import Names

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")

DESCRIPTIONS = {"id": "A global id.", "ids": "Global ids, at most 100."}


def field(
    description: str, **arguments: str
) -> Callable[[Callable[Concatenate[S, Info, P], Awaitable[R]]], Callable[Concatenate[S, Info, P], Awaitable[R]]]:
    """Declare a field by its resolver; `arguments` describes each argument."""

    def decorate(resolver: Callable[Concatenate[S, Info, P], Awaitable[R]]) -> Any:
        made = strawberry.field(resolver, description=description)
        names = Names(sys.modules[resolver.__module__].__dict__)
        for argument in made.arguments:
            argument.description = {**DESCRIPTIONS, **arguments}[argument.python_name]
            argument.type_annotation = StrawberryAnnotation(argument.type_annotation.raw_annotation, namespace=names)
        return made

    return decorate

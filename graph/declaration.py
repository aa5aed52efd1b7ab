"""How a noun is declared: once, here, for the schema, for the resolver path and for whatever compiles it.

A field is a `column` (a leaf or a value that its row holds), a `link` (to one row), `links` (to a few rows), a
`connection` (to a page of rows) or a `reference` (to a row of one of several nouns). `db` maps each name to columns and
SQL; start-up compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar, cast, dataclass_transform, get_args

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info

from domain.access import Permission
from domain.reading import FieldKind
from graph.enums import described
from graph.registry import REGISTRY, Declared, Names, order_members

T = TypeVar("T")

ORDER_FIELDS: Final = "What a list can be sorted by."


@strawberry.interface(description="Anything with a global id: `node(id:)` finds it again.")
class Node:
    """The Relay interface."""

    id: strawberry.ID = strawberry.field(description="Global and opaque; its type is part of it.")


REGISTRY.add_type(Node)


class OrderDirection(Enum):
    """Which end of an order comes first."""

    ASC = "ASC"
    DESC = "DESC"


described(OrderDirection, "Which end of an order comes first.", ASC="Smallest first.", DESC="Largest first.")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a declared field."""

    name: str
    type: object
    description: str
    default: object = strawberry.UNSET


@dataclass(frozen=True, slots=True)
class Specification:
    """What was declared about a field, beside its type."""

    kind: FieldKind
    arguments: tuple[Argument, ...] = ()
    permission: Permission | None = None
    inherits: tuple[str, ...] = ()
    of_caller: bool = False


class DeclaredField(StrawberryField):
    """A field that is answered from its row, by loaders, and never by a function of its own."""

    specification: Specification

    @property
    def is_basic_field(self) -> bool:
        """Tell Strawberry to resolve this through `get_result`."""
        return False

    @property
    def is_async(self) -> bool:
        """A column is in its row already; the rest is loaded."""
        return self.specification.kind is not FieldKind.COLUMN

    def __copy__(self) -> DeclaredField:
        """Keep the specification: Strawberry copies the fields of generic types."""
        copied = super().__copy__()
        copied.specification = self.specification
        return copied

    @property
    def arguments(self) -> list[StrawberryArgument]:
        """The declared arguments; a connection's depend on its target and are made when the schema is."""
        if self._arguments is None:
            self._arguments = [_argument(argument) for argument in self._declared_arguments()]
        return self._arguments

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value

    def _declared_arguments(self) -> tuple[Argument, ...]:
        if self.specification.kind is not FieldKind.CONNECTION:
            return self.specification.arguments
        inherited = self.specification.inherits
        return tuple(each for each in connection_arguments(self.target()) if each.name not in inherited)

    def target(self) -> Declared:
        """Return the noun that a link or a connection leads to."""
        return REGISTRY.by_type[self.target_class()]

    def target_class(self) -> type:
        """Return the class that a link or a connection leads to: a noun, or one kind of it."""
        [target] = [each for each in classes(annotation_of(self)) if each in REGISTRY.by_type]
        return target

    def get_result(self, source: Any, info: Info[Any, Any] | None, args: list[Any], kwargs: Any) -> Any:
        """Answer from the row, or through the context's loaders. The signature is Strawberry's."""
        if info is None:
            raise TypeError("Strawberry passes `info` to fields that are not basic.")
        return info.context.loaders.resolve(self, source, info, kwargs)


def annotation_of(field: StrawberryField) -> object:
    """Return the evaluated type of a field as it was written."""
    if field.type_annotation is None:
        raise TypeError(f"{field.python_name} has no type.")
    return field.type_annotation.annotation


def classes(annotation: object) -> list[type]:
    """Return the classes that a type annotation names."""
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [each for argument in get_args(annotation) for each in classes(argument)]


def _argument(argument: Argument) -> StrawberryArgument:
    annotation = StrawberryAnnotation(argument.type, namespace=Names(sys.modules[__name__].__dict__))
    return StrawberryArgument(
        python_name=argument.name + "_" if argument.name == "from" else argument.name,
        graphql_name=None if argument.name != "from" else "from",
        type_annotation=annotation,
        description=argument.description,
        default=argument.default,
    )


def connection_arguments(target: Declared) -> tuple[Argument, ...]:
    """Return the Relay arguments, and the filter and order that a noun has."""
    arguments = [
        Argument("first", int | None, "How many from the start: 0 to 100, 20 if neither this nor `last` is given."),
        Argument("after", str | None, "A cursor: only what comes after it."),
        Argument("last", int | None, "How many from the end: 0 to 100."),
        Argument("before", str | None, "A cursor: only what comes before it."),
    ]
    if target.filter is not None:
        arguments.append(Argument("filter", target.filter | None, "Only what fits all of these."))
    if target.order is not None:
        arguments.append(Argument("order_by", target.order | None, "Sorted by this; the id breaks ties."))
    return tuple(arguments)


def _declared(description: str, specification: Specification) -> Any:
    field = DeclaredField(description=description)
    field.specification = specification
    return field


def column(description: str, *arguments: Argument) -> Any:
    """Declare a leaf or a value of the row; with arguments, one answer per set of arguments."""
    specification = Specification(FieldKind.COLUMN, arguments)
    if arguments:
        return _declared(description, specification)
    return StrawberryField(description=description, metadata={"specification": specification})


def link(description: str) -> Any:
    """Declare a link to one row of another noun."""
    return _declared(description, Specification(FieldKind.LINK))


def links(description: str) -> Any:
    """Declare a list of rows in their own order, whole: for what is never more than a page of 100."""
    return _declared(description, Specification(FieldKind.LIST))


def reference(description: str) -> Any:
    """Declare a link to one row of any of several nouns."""
    return _declared(description, Specification(FieldKind.REFERENCE))


def connection(description: str, permission: Permission | None = None, inherits: tuple[str, ...] = ()) -> Any:
    """Declare a page of rows. At the root it needs a permission.

    Inside a root value, `inherits` names the arguments that it takes from there instead of having them itself.
    """
    return _declared(description, Specification(FieldKind.CONNECTION, permission=permission, inherits=inherits))


def by_id(description: str, permission: Permission) -> Any:
    """Declare a root field that finds one row by its global id, or null."""
    argument = Argument("id", strawberry.ID, "A global id; null is answered for another type's.")
    return _declared(description, Specification(FieldKind.LINK, (argument,), permission))


def of_caller(description: str) -> Any:
    """Declare a root field that answers the row whose id the caller bears; null for an anonymous one."""
    return _declared(description, Specification(FieldKind.LINK, of_caller=True))


def root_value(description: str, permission: Permission | None, *arguments: Argument) -> Any:
    """Declare a root field that computes a value, such as the pipeline; without a permission for all who signed in."""
    return _declared(description, Specification(FieldKind.VALUE, arguments, permission))


@dataclass_transform(field_specifiers=(column, link, links, connection, reference))
def noun(
    name: str,
    *,
    prefix: str,
    description: str,
    filter: type | None = None,
    orders: Mapping[str, str] | None = None,
    interface: bool = False,
) -> Callable[[type[T]], type[T]]:
    """Declare a noun: rows of the source `name`, whose global ids begin with `prefix`."""

    def decorate(cls: type[T]) -> type[T]:
        made = strawberry.interface(cls, description=description) if interface else strawberry.type(
            cls, description=description
        )  # fmt: skip
        declared = Declared(name, made, prefix, filter=filter)
        if orders:
            _declare_order(declared, made.__name__, orders)
        REGISTRY.add_noun(declared)
        _name_types(made)
        return made

    return decorate


def interface(description: str) -> Callable[[type[T]], type[T]]:
    """Declare an interface that several nouns implement, such as Actor."""

    def decorate(cls: type[T]) -> type[T]:
        made = strawberry.interface(cls, description=description)
        REGISTRY.add_type(made)
        _name_types(made)
        return made

    return decorate


@dataclass_transform(field_specifiers=(column, link, links, connection, reference))
def kind(of: type, member: Enum, *, description: str) -> Callable[[type[T]], type[T]]:
    """Declare one kind of an interface noun, or of an interface value; the row's column `kind` names it."""

    def decorate(cls: type[T]) -> type[T]:
        made = strawberry.type(cls, description=description)
        declared = REGISTRY.by_type[of]
        declared.kinds[member.name] = made
        REGISTRY.add_type(made, declared)
        _name_types(made)
        return made

    return decorate


@dataclass_transform(field_specifiers=(column, link, links, connection, reference))
def value(name: str, *, description: str, interface: bool = False) -> Callable[[type[T]], type[T]]:
    """Declare an object without an id: it is part of its row. An interface has its kinds declared by `kind`."""

    def decorate(cls: type[T]) -> type[T]:
        made = strawberry.interface(cls, description=description) if interface else strawberry.type(
            cls, description=description
        )  # fmt: skip
        REGISTRY.add_value(Declared(name, made))
        _name_types(made)
        return made

    return decorate


@dataclass_transform(field_specifiers=(column, link, links, connection, reference))
def payload(description: str) -> Callable[[type[T]], type[T]]:
    """Declare what a mutation answers; its links are followed after the unit has committed."""

    def decorate(cls: type[T]) -> type[T]:
        made = strawberry.type(cls, description=description)
        REGISTRY.add_type(made)
        _name_types(made)
        return made

    return decorate


def root(cls: type[T]) -> type[T]:
    """Declare part of a root type: its fields are merged into Query, Mutation or Subscription."""
    made = strawberry.type(cls)
    _name_types(made)
    return made


def paid(cls: type[T], /, **entries: object) -> T:
    """Make a payload: `lead=<uuid>` is the key of its link `lead`, a list the keys of a list, all else plain."""
    instance = object.__new__(cls)
    kinds = {field.python_name: field for field in fields_of(cls)}
    for name, entry in entries.items():
        linked = isinstance(kinds[name], DeclaredField)
        plain = not linked or entry is None or isinstance(entry, list)
        instance.__dict__[f"_{name}" if linked else name] = entry if plain else str(entry)
    return instance


def fields_of(cls: type) -> list[StrawberryField]:
    """Return the fields of a declared class."""
    return cast("list[StrawberryField]", cls.__strawberry_definition__.fields)  # type: ignore[attr-defined]  # set by Strawberry


def specification_of(field: StrawberryField) -> Specification | None:
    """Return what was declared about a field, or None for one that a function answers."""
    if isinstance(field, DeclaredField):
        return field.specification
    return cast("Specification | None", field.metadata.get("specification"))


def _name_types(cls: type) -> None:
    names = Names(sys.modules[cls.__module__].__dict__)
    for field in fields_of(cls):
        if field.type_annotation is not None and field.origin is cls:
            field.type_annotation = StrawberryAnnotation(field.type_annotation.raw_annotation, namespace=names)


def _declare_order(declared: Declared, type_name: str, orders: Mapping[str, str]) -> None:
    members = Enum(f"{type_name}OrderField", order_members(orders))  # type: ignore[misc]  # made from the declaration
    described(members, ORDER_FIELDS, **orders)
    namespace = {
        "__annotations__": {"field": members, "direction": OrderDirection},
        "__module__": __name__,
        "__doc__": f"How a list of {declared.name} is sorted.",
        "field": strawberry.field(description="What to sort by."),
        "direction": strawberry.field(description="Which end comes first."),
    }
    order = type(f"{type_name}Order", (), namespace)
    made: type = strawberry.input(order, description=f"How a list of {declared.name.replace('_', ' ')} is sorted.")
    declared.order = made
    declared.orders = tuple(orders)
    REGISTRY.add_type(made)

"""Variables and arguments of a request. The common kinds take a short way; graphql-core does the rest, and says no.

LeadBoard's variables are two numbers and two strings: checking those here costs a tenth of coercing them in general.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLField,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    Undefined,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_non_null_type,
    visit,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import Visitor
from strawberry.types.arguments import convert_arguments

from graph.compilation.plans import Arguments
from graph.declaration import DeclaredField
from graph.schema import Schema

LARGEST_INT: Final = 2**31


def _int(value: object) -> bool:
    return type(value) is int and -LARGEST_INT <= value < LARGEST_INT


def _text(value: object) -> bool:
    return type(value) is str


def _boolean(value: object) -> bool:
    return type(value) is bool


PLAIN: Final[dict[str, Callable[[object], bool]]] = {"Int": _int, "String": _text, "ID": _text, "Boolean": _boolean}
"""The scalars whose plain values mean themselves."""


class Coercion:
    """How an operation's variables are coerced where all of them are plain; graphql-core coerces the others."""

    def __init__(self, operation: OperationDefinitionNode) -> None:
        """Look at the operation's variables once."""
        self._definitions = [
            (
                node.variable.name.value,
                _plain(node.type),
                isinstance(node.type, NonNullTypeNode),
                node.default_value is not None,
            )
            for node in operation.variable_definitions or ()
        ]

    def plain(self, variables: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the coerced variables, or None where one of them is not plain."""
        coerced: dict[str, Any] = {}
        for name, fits, required, defaulted in self._definitions:
            value = variables.get(name)
            if value is None:
                if required or (defaulted and name not in variables):
                    return None
                if name in variables:
                    coerced[name] = None
                continue
            if fits is None or not fits(value):
                return None
            coerced[name] = value
        return coerced


def _plain(node: object) -> Callable[[object], bool] | None:
    if isinstance(node, NonNullTypeNode):
        node = node.type
    return PLAIN.get(node.name.value) if isinstance(node, NamedTypeNode) else None


def evaluator(schema: Schema, declared: DeclaredField, field: GraphQLField, node: FieldNode) -> Arguments:
    """Return how a field's arguments follow from variables; what is literal is evaluated now."""

    def convert(variables: Mapping[str, Any]) -> dict[str, Any]:
        coerced = get_argument_values(field, node, VariableValues({}, dict(variables)))
        registry = schema.schema_converter.scalar_registry
        return convert_arguments(coerced, declared.arguments, scalar_registry=registry, config=schema.config)

    depends = [argument for argument in node.arguments or () if has_variables(argument)]
    if not depends:
        constant = convert({})
        return lambda _variables: constant
    names = {schema.config.name_converter.from_argument(each): each.python_name for each in declared.arguments}
    short = []
    for argument in depends:
        target = field.args[argument.name.value]
        if not isinstance(argument.value, VariableNode) or target.default_value is not Undefined:
            return convert
        type_ = get_nullable_type(target.type)
        plain = type_ is get_named_type(type_) and type_.name in PLAIN
        short.append((names[argument.name.value], argument.value.name.value, plain, is_non_null_type(target.type)))
    literal = FieldNode(name=node.name, arguments=tuple(each for each in node.arguments or () if each not in depends))
    return _short(short, _literals(schema, declared, field, literal), convert)


def _short(short: list[tuple[str, str, bool, bool]], constant: dict[str, Any], convert: Arguments) -> Arguments:
    def evaluate(variables: Mapping[str, Any]) -> dict[str, Any]:
        found = constant.copy()
        for name, variable, plain, required in short:
            value = variables.get(variable)
            if value is None and not required:
                continue
            if value is None or not plain:
                return convert(variables)
            found[name] = value
        return found

    return evaluate


def _literals(schema: Schema, declared: DeclaredField, field: GraphQLField, node: FieldNode) -> dict[str, Any]:
    given = {argument.name.value for argument in node.arguments or ()}
    narrowed = GraphQLField(field.type, args={name: each for name, each in field.args.items() if name in given})
    coerced = get_argument_values(narrowed, node)
    registry = schema.schema_converter.scalar_registry
    return convert_arguments(coerced, declared.arguments, scalar_registry=registry, config=schema.config)


def raw_evaluator(field: GraphQLField, node: FieldNode) -> Arguments:
    """Return how a value's arguments follow from variables, as graphql-core coerces them."""

    def coerce(variables: Mapping[str, Any]) -> dict[str, Any]:
        return get_argument_values(field, node, VariableValues({}, dict(variables)))

    if has_variable_arguments(node):
        return coerce
    constant = coerce({})
    return lambda _variables: constant


def has_variable_arguments(node: FieldNode) -> bool:
    """Whether an argument of a field depends on a variable."""
    return any(has_variables(argument) for argument in node.arguments or ())


def has_variables(node: Any) -> bool:
    """Whether anything in a node depends on a variable."""
    found = _Variables()
    visit(node, found)
    return bool(found.names)


def uses(node: Any, name: str) -> int:
    """Return how often a variable stands in a node, its declaration counted."""
    found = _Variables()
    visit(node, found)
    return found.names[name]


class _Variables(Visitor):
    """Counts the variables that anything depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()

    def enter_variable(self, node: VariableNode, *_args: object) -> None:
        self.names[node.name.value] += 1

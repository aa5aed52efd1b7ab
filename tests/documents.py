"""Random valid query documents over the whole schema, with variables: what was used least comes next."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from tests.demo import NOW

DEEPEST = 5
MOST_FIELDS = 4


@dataclass(slots=True)
class Samples:
    """Values that mean something on the seeded data: global ids by prefix, cursors and words."""

    ids: dict[str, list[str]]
    cursors: list[str] = field(default_factory=lambda: ["bm9uc2Vuc2U="])
    words: tuple[str, ...] = ("a", "Sharma", "98", "Mumbai", "%", "_")


@dataclass(slots=True)
class Document:
    """A document with its variables, and whether an argument is meant to be refused."""

    text: str
    variables: dict[str, Any]


class Generator:
    """Makes documents; `used` counts every field, argument and enum value that went into one."""

    def __init__(self, schema: GraphQLSchema, random: Random, samples: Samples) -> None:
        """Draw from `random`."""
        self._schema = schema
        self._random = random
        self._samples = samples
        self.used: Counter[str] = Counter()
        self._variables: dict[str, tuple[str, Any]] = {}
        self._fragments: list[str] = []
        self._aliases = 0

    def document(self) -> Document:
        """Make one document."""
        self._variables, self._fragments, self._aliases = {}, [], 0
        query = self._schema.query_type
        assert query is not None
        chosen = self._least_used(query.name, list(query.fields), self._random.choice((1, 1, 2, 3)))
        fields = [self._field(query, name, DEEPEST) for name in chosen]
        if self._random.random() < 0.1:
            fields.append("__typename")
        declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in self._variables.items())
        head = f"query Random({declared})" if declared else "query Random"
        text = "\n".join([f"{head} {{ {' '.join(fields)} }}", *self._fragments])
        values = {name: value for name, (_, value) in self._variables.items() if value is not ...}
        return Document(text, values)

    def _least_used(self, type_name: str, names: list[str], count: int) -> list[str]:
        self._random.shuffle(names)
        ranked = sorted(names, key=lambda name: self.used[f"{type_name}.{name}"])
        picked = ranked[:1] + self._random.sample(names, min(count, len(names)))
        return list(dict.fromkeys(picked))[:count]

    def _field(self, parent: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int) -> str:
        declared = parent.fields[name]
        self.used[f"{parent.name}.{name}"] += 1
        self._aliases += 1
        alias = f"a{self._aliases}: " if declared.args or self._random.random() < 0.2 else ""
        arguments = self._arguments(parent, name, declared)
        inside = self._selection(get_named_type(declared.type), depth - 1)
        return f"{alias}{name}{arguments}{self._directive()}{inside}"

    def _directive(self) -> str:
        if self._random.random() > 0.04:
            return ""
        kind = self._random.choice(("include", "skip"))
        return f" @{kind}(if: {self._variable('Boolean!', self._random.random() < 0.5)})"

    def _selection(self, type_: object, depth: int) -> str:
        if is_leaf_type(type_):
            return ""
        if isinstance(type_, GraphQLUnionType) or is_abstract_type(type_):
            return f" {{ {self._abstract(type_, depth)} }}"
        assert isinstance(type_, GraphQLObjectType)
        return f" {{ {self._object(type_, depth)} }}"

    def _object(self, type_: GraphQLObjectType, depth: int) -> str:
        leaves = [name for name, each in type_.fields.items() if is_leaf_type(get_named_type(each.type))]
        names = list(type_.fields) if depth > 0 or type_.name.endswith(("Connection", "Edge")) else leaves
        if not names:
            return "__typename"
        count = self._random.randint(1, MOST_FIELDS)
        fields = [self._field(type_, name, depth) for name in self._least_used(type_.name, names, count)]
        if self._random.random() < 0.15:
            fields.append(self._random.choice(("__typename", "t: __typename")))
        if self._random.random() < 0.1:
            name = f"F{len(self._fragments)}x{self._aliases}"
            self._fragments.append(f"fragment {name} on {type_.name} {{ {' '.join(fields)} }}")
            return f"...{name}"
        return " ".join(fields)

    def _abstract(self, type_: Any, depth: int) -> str:
        parts = ["__typename"]
        if isinstance(type_, GraphQLInterfaceType):
            leaves = [name for name, each in type_.fields.items() if is_leaf_type(get_named_type(each.type))]
            names = list(type_.fields) if depth > 0 else leaves
            parts += [self._field(type_, name, depth) for name in self._least_used(type_.name, names, 2)]
        possible = list(self._schema.get_possible_types(type_))
        for each in self._random.sample(possible, min(2, len(possible))):
            parts.append(f"... on {each.name} {{ {self._object(each, min(depth, 1))} }}")
        return " ".join(parts)

    def _arguments(self, parent: Any, name: str, declared: GraphQLField) -> str:
        given = []
        paging = self._random.choice(
            (("first",), ("first",), ("last",), (), (), ("first", "after"), ("last", "before"))
        )
        for argument_name, argument in declared.args.items():
            required = isinstance(argument.type, GraphQLNonNull) and argument.default_value is None
            if argument_name in {"first", "after", "last", "before"} and not isinstance(argument.type, GraphQLNonNull):
                wanted = argument_name in paging or self._random.random() < 0.03
            else:
                wanted = required or isinstance(argument.type, GraphQLNonNull) or self._random.random() < 0.4
            if wanted:
                self.used[f"{parent.name}.{name}({argument_name})"] += 1
                given.append(f"{argument_name}: {self._argument(argument_name, argument, declared)}")
        return f"({', '.join(given)})" if given else ""

    def _argument(self, name: str, argument: GraphQLArgument, declared: GraphQLField) -> str:
        value = self._value(name, argument.type, declared)
        if self._random.random() < 0.5:
            return self._variable(str(argument.type), value)
        return literal(value, argument.type)

    def _variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self._variables)}"
        self._variables[name] = (type_, value)
        return f"${name}"

    def _value(self, name: str, type_: Any, declared: GraphQLField | None) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._value(name, type_.of_type, declared)
        if isinstance(type_, GraphQLList):
            return [self._value(name, type_.of_type, declared) for _ in range(self._random.randint(0, 3))]
        if isinstance(type_, GraphQLEnumType):
            chosen = min(type_.values, key=lambda value: (self.used[f"{type_.name}={value}"], self._random.random()))
            self.used[f"{type_.name}={chosen}"] += 1
            return chosen
        if isinstance(type_, GraphQLInputObjectType):
            return self._input(type_)
        assert isinstance(type_, GraphQLScalarType)
        return self._scalar(name, type_.name, declared)

    def _input(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        given = {}
        for name, each in type_.fields.items():
            if isinstance(each.type, GraphQLNonNull) or self._random.random() < 0.3:
                self.used[f"{type_.name}.{name}"] += 1
                given[name] = self._value(name, each.type, None)
        return given

    def _scalar(self, name: str, type_: str, declared: GraphQLField | None) -> Any:
        random = self._random
        made: Any
        match type_:
            case "Int":
                made = random.choice((0, 1, 2, 3, 5, 20)) if random.random() < 0.97 else random.choice((-1, 101))
            case "Boolean":
                made = random.random() < 0.5
            case "DateTime":
                made = (NOW - timedelta(days=random.randint(0, 500) if name != "to" else -1)).isoformat()
            case "ID":
                made = self._id(name, declared)
            case _:
                pools = {"after": self._samples.cursors, "before": self._samples.cursors, "currency": ["INR", "AED"]}
                made = random.choice(pools.get(name, list(self._samples.words)))
        return made

    def _id(self, name: str, declared: GraphQLField | None) -> str:
        pool = [each for every in self._samples.ids.values() for each in every]
        if declared is not None and name == "id":
            prefix = get_named_type(declared.type).name.lower()
            pool = self._samples.ids.get(prefix, pool) if self._random.random() < 0.8 else pool
        if name.endswith(("Id", "Ids")):
            prefix = {"assignee": "user", "assigneeIds": "user"}.get(name, name.removesuffix("Ids").removesuffix("Id"))
            pool = self._samples.ids.get({"assignee": "user"}.get(prefix, prefix), pool)
        return self._random.choice(pool)


def literal(value: Any, type_: Any) -> str:
    """Write a value as a GraphQL literal of a type."""
    named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(named, GraphQLList):
        return f"[{', '.join(literal(each, named.of_type) for each in value)}]"
    if isinstance(named, GraphQLEnumType):
        return str(value)
    if isinstance(named, GraphQLInputObjectType):
        fields = ", ".join(f"{name}: {literal(each, named.fields[name].type)}" for name, each in value.items())
        return f"{{{fields}}}"
    return json.dumps(value, ensure_ascii=False)


def reachable(schema: GraphQLSchema) -> set[str]:
    """Return every field, argument and enum value that a query can reach, as `Generator.used` names them."""
    found: set[str] = set()
    seen: set[str] = set()
    assert schema.query_type is not None
    pending: list[Any] = [schema.query_type]
    while pending:
        type_ = get_named_type(pending.pop())
        if type_.name in seen:
            continue
        seen.add(type_.name)
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            for name, each in type_.fields.items():
                found.add(f"{type_.name}.{name}")
                found |= {f"{type_.name}.{name}({argument})" for argument in each.args}
                pending += [each.type, *(argument.type for argument in each.args.values())]
        if is_abstract_type(type_):
            pending += schema.get_possible_types(type_)
        if isinstance(type_, GraphQLInputObjectType):
            found |= {f"{type_.name}.{name}" for name in type_.fields}
            pending += [each.type for each in type_.fields.values()]
        if isinstance(type_, GraphQLEnumType) and type_.name in _inputs(schema):
            found |= {f"{type_.name}={value}" for value in type_.values}
    return found


def _inputs(schema: GraphQLSchema) -> set[str]:
    """Return the enums that a query can take as input."""
    found: set[str] = set()
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and type_.name not in {"Mutation", "Subscription"}:
            for each in type_.fields.values():
                found |= {get_named_type(argument.type).name for argument in each.args.values()}
        if isinstance(type_, GraphQLInputObjectType) and type_.name.endswith(("Filter", "Order")):
            found |= {get_named_type(each.type).name for each in type_.fields.values()}
    return found

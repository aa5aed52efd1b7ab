"""Random valid query documents over the whole schema, with variables: what was used least comes next."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from graphql import (
    ArgumentNode,
    EnumValueNode,
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
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    visit,
)

from tests.demo import NOW

_CURSOR = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
DEEPEST = 5
MOST_FIELDS = 4
BY_FUNCTION = {
    *("CanvasRevision.componentData", "Query.fleet", "Query.inferenceProviders"),
    *(
        f"InferenceProvider.{name}"
        for name in (
            *("circuit", "enabled", "errorRate", "inFlight", "lastProbeAt", "latencyMs", "model", "models"),
            *("onPremise", "priority", "queueDepth", "reason", "status"),
        )
    ),
}
"""Fields that no statement answers: one execution is all there is to compare."""
PAGING = {"first", "after", "last", "before"}
PAGES = (
    *(("first",), ("first",), ("last",), (), ("after",)),
    *(("first", "after"), ("last", "before"), ("first", "after", "before")),
)


FORGED = "bm9uc2Vuc2U="
MOST_CURSORS = 20
SURELY = 4
"""How often everything is used before chance decides."""
WRONG = 0.01
"""How often a size or a cursor is one that must be refused."""

ListKey = tuple[str, str | None]
"""Where a cursor is valid: a connection's type, and the order that was asked for; None is the default order."""


@dataclass(slots=True)
class Samples:
    """Values that mean something on the seeded data: global ids by prefix, cursors that were answered, words."""

    ids: dict[str, list[str]]
    cursors: dict[ListKey, list[str]] = field(default_factory=dict)
    words: tuple[str, ...] = ("a", "Sharma", "98", "Mumbai", "%", "_")


@dataclass(slots=True)
class Document:
    """A document with its variables, and what is known of it."""

    text: str
    variables: dict[str, Any]
    roots: tuple[str, ...] = ()
    uses: frozenset[str] = frozenset()
    """Every field, argument and enum value in it that is not skipped."""
    lists: dict[str, ListKey] = field(default_factory=dict)
    """Its connections, by their response keys."""


class Generator:
    """Makes documents; `used` counts every field, argument and enum value that went into one."""

    def __init__(self, schema: GraphQLSchema, random: Random, samples: Samples) -> None:
        """Draw from `random`."""
        self._schema = schema
        self._random = random
        self._samples = samples
        self.used: Counter[str] = Counter()
        self._begin()

    def _begin(self) -> None:
        self._variables: dict[str, tuple[str, Any]] = {}
        self._fragments: list[str] = []
        self._lists: dict[str, ListKey] = {}
        self._uses: set[str] = set()
        self._aliases = 0
        self._abstract_depth = 0

    def document(self) -> Document:
        """Make one document."""
        self._begin()
        query = self._schema.query_type
        assert query is not None
        names = [name for name in query.fields if f"{query.name}.{name}" not in BY_FUNCTION]
        chosen = self._least_used(query.name, names, self._random.choice((1, 1, 2, 3)))
        fields = [self._field(query, name, DEEPEST) for name in chosen]
        if self._random.random() < 0.1:
            fields.append("__typename")
        declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in self._variables.items())
        head = f"query Random({declared})" if declared else "query Random"
        text = "\n".join([f"{head} {{ {' '.join(fields)} }}", *self._fragments])
        values = {name: value for name, (_, value) in self._variables.items() if value is not ...}
        return Document(text, values, tuple(chosen), frozenset(self._uses), self._lists)

    def forget(self, names: Iterable[str]) -> None:
        """Take what stood in a document that was of no use for unused."""
        for name in names:
            self.used[name] = 0

    def keep_cursors(self, document: Document, answer: Any) -> None:
        """Remember the cursors that a document was answered with, so that later documents go on from them."""
        self._keep_cursors(document.lists, answer, None)

    def _keep_cursors(self, lists: dict[str, ListKey], answer: Any, within: ListKey | None) -> None:
        if isinstance(answer, list):
            for each in answer:
                self._keep_cursors(lists, each, within)
        elif isinstance(answer, dict):
            for name, value in answer.items():
                if within is not None and isinstance(value, str) and _CURSOR.fullmatch(value):
                    kept = self._samples.cursors.setdefault(within, [])
                    kept.append(value)
                    del kept[:-MOST_CURSORS]
                else:
                    self._keep_cursors(lists, value, lists.get(name, within))

    def _use(self, name: str) -> None:
        self.used[name] += 1
        self._uses.add(name)

    def _least_used(self, type_name: str, names: list[str], count: int) -> list[str]:
        self._random.shuffle(names)
        ranked = sorted(names, key=lambda name: self.used[f"{type_name}.{name}"])
        picked = ranked[:1] + self._random.sample(names, min(count, len(names)))
        return list(dict.fromkeys(picked))[:count]

    def _field(self, parent: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int) -> str:
        declared = parent.fields[name]
        outer, self._uses = self._uses, set()
        self._use(f"{parent.name}.{name}")
        self._aliases += 1
        # Within fragments on several types, equal names may have types that do not go together.
        aliased = declared.args or self._abstract_depth or self._random.random() < 0.2
        key = f"a{self._aliases}" if aliased else name
        arguments = self._arguments(parent, name, declared, key)
        inside = self._selection(get_named_type(declared.type), depth - 1)
        directive, included = self._directive()
        self._uses = outer | self._uses if included else outer
        return f"{key}: {name}{arguments}{directive}{inside}" if aliased else f"{name}{arguments}{directive}{inside}"

    def _directive(self) -> tuple[str, bool]:
        if self._random.random() > 0.04:
            return "", True
        kind, value = self._random.choice(("include", "skip")), self._random.random() < 0.5
        return f" @{kind}(if: {self._variable('Boolean!', value)})", value is (kind == "include")

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
        names = [name for name in names if f"{type_.name}.{name}" not in BY_FUNCTION]
        if not names:
            return "__typename"
        count = self._random.randint(1, MOST_FIELDS)
        fields = [self._field(type_, name, depth) for name in self._least_used(type_.name, names, count)]
        if type_.name.endswith("Connection") and (type_.name, None) not in self._samples.cursors:
            fields.append("go: pageInfo { endCursor }")
        if self._random.random() < 0.15:
            fields.append(self._random.choice(("__typename", "t: __typename")))
        if self._random.random() < 0.1:
            name = f"F{len(self._fragments)}x{self._aliases}"
            self._fragments.append(f"fragment {name} on {type_.name} {{ {' '.join(fields)} }}")
            return f"...{name}"
        return " ".join(fields)

    def _abstract(self, type_: Any, depth: int) -> str:
        parts = ["__typename"]
        self._abstract_depth += 1
        if isinstance(type_, GraphQLInterfaceType):
            leaves = [name for name, each in type_.fields.items() if is_leaf_type(get_named_type(each.type))]
            names = list(type_.fields) if depth > 0 else leaves
            parts += [self._field(type_, name, depth) for name in self._least_used(type_.name, names, 2)]
        # Some types lead somewhere only from `node`, so what is below them is asked for there.
        below = min(depth, 3 if depth >= DEEPEST - 1 and self._abstract_depth == 1 else 1)
        possible = {each.name: each for each in self._schema.get_possible_types(type_)}
        for name in self._least_used("on", list(possible), 2):
            self.used[f"on.{name}"] += 1
            parts.append(f"... on {name} {{ {self._object(possible[name], below)} }}")
        self._abstract_depth -= 1
        return " ".join(parts)

    def _arguments(self, parent: Any, name: str, declared: GraphQLField, key: str) -> str:
        values: dict[str, Any] = {}
        for argument_name, argument in declared.args.items():
            if argument_name not in PAGING and self._wanted(f"{parent.name}.{name}({argument_name})", argument.type):
                values[argument_name] = self._value(argument_name, argument.type, declared)
        if declared.args.keys() >= PAGING:
            order = values.get("orderBy")
            self._lists[key] = (get_named_type(declared.type).name, order and order["field"])
            values |= self._page(self._lists[key], f"{parent.name}.{name}")
        elif "first" in declared.args:
            values["first"] = self._size()
        given = []
        for argument_name, value in values.items():
            self._use(f"{parent.name}.{name}({argument_name})")
            given.append(f"{argument_name}: {self._argument(declared.args[argument_name], value)}")
        return f"({', '.join(given)})" if given else ""

    def _wanted(self, name: str, type_: Any) -> bool:
        """Whether an argument or an input field is given: always where it must be, or has hardly been given before."""
        return isinstance(type_, GraphQLNonNull) or self.used[name] < SURELY or self._random.random() < 0.35

    def _page(self, key: ListKey, field_name: str) -> dict[str, Any]:
        """Draw where a page of a list begins and ends: by cursors of that list, rarely by a wrong one."""
        random = self._random
        rare = [names for names in PAGES if any(self.used[f"{field_name}({name})"] < SURELY for name in names)]
        names = list(random.choice(rare or PAGES))
        if random.random() < WRONG:
            names = ["first", "last"]
        cursors = self._samples.cursors.get(key, [])
        if random.random() < WRONG:
            cursors = [FORGED, *(each[-1] for each in self._samples.cursors.values())]
        found: dict[str, Any] = {}
        for name in names:
            if name in {"first", "last"}:
                found[name] = self._size()
            elif cursors:
                found[name] = random.choice(cursors)
        return found

    def _size(self) -> int:
        return self._random.choice((0, 1, 2, 3, 5, 20) if self._random.random() > WRONG else (-1, 101))

    def _argument(self, argument: GraphQLArgument, value: Any) -> str:
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
            self._use(f"{type_.name}={chosen}")
            return chosen
        if isinstance(type_, GraphQLInputObjectType):
            return self._input(type_)
        assert isinstance(type_, GraphQLScalarType)
        return self._scalar(name, type_.name, declared)

    def _input(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        given = {}
        for name, each in type_.fields.items():
            if self._wanted(f"{type_.name}.{name}", each.type):
                self._use(f"{type_.name}.{name}")
                given[name] = self._value(name, each.type, None)
        return given

    def _scalar(self, name: str, type_: str, declared: GraphQLField | None) -> Any:
        random = self._random
        made: Any
        match type_:
            case "Int":
                made = random.choice((1, 2, 3, 5, 20)) if random.random() > WRONG else -1
            case "Boolean":
                made = random.random() < 0.5
            case "DateTime":
                made = (NOW - timedelta(days=random.randint(0, 500) if name != "to" else -1)).isoformat()
            case "ID":
                made = self._id(name, declared)
            case _:
                made = random.choice(("INR", "AED") if name == "currency" else self._samples.words)
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


def uses_in(schema: GraphQLSchema, text: str) -> frozenset[str]:
    """Return every field, argument and literal enum value of a document written by hand."""
    found: set[str] = set()
    info = TypeInfo(schema)

    class Uses(Visitor):
        def enter_field(self, *_args: object) -> None:
            parent, declared = info.get_parent_type(), info.get_field_def()
            assert parent is not None
            assert declared is not None
            name = next((name for name, each in getattr(parent, "fields", {}).items() if each is declared), "")
            self.within = f"{parent.name}.{name}"
            found.add(self.within)

        def enter_argument(self, node: ArgumentNode, *_args: object) -> None:
            found.add(f"{self.within}({node.name.value})")

        def enter_enum_value(self, node: EnumValueNode, *_args: object) -> None:
            type_ = get_named_type(info.get_input_type())
            assert type_ is not None
            found.add(f"{type_.name}={node.value}")

    visit(parse(text), TypeInfoVisitor(info, Uses()))
    return frozenset(found)


def reachable(schema: GraphQLSchema) -> set[str]:
    """Return every field, argument and enum value that a query can ask for, named as `Document.uses` names them."""
    found: set[str] = set()
    seen: set[str] = set()
    pending: list[Any] = [schema.query_type]
    while pending:
        type_ = get_named_type(pending.pop())
        if type_.name in seen:
            continue
        seen.add(type_.name)
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            for name, each in type_.fields.items():
                if f"{type_.name}.{name}" in BY_FUNCTION:
                    continue
                found.add(f"{type_.name}.{name}")
                found |= {f"{type_.name}.{name}({argument})" for argument in each.args}
                for argument in each.args.values():
                    found |= _enum_values(argument.type)
                pending += [each.type, *(argument.type for argument in each.args.values())]
        if is_abstract_type(type_):
            pending += schema.get_possible_types(type_)
        if isinstance(type_, GraphQLInputObjectType):
            found |= {f"{type_.name}.{name}" for name in type_.fields}
            for each in type_.fields.values():
                found |= _enum_values(each.type)
                pending.append(each.type)
    return found


def _enum_values(type_: Any) -> set[str]:
    """Return the values of an enum that is given, not answered."""
    named = get_named_type(type_)
    return {f"{named.name}={value}" for value in named.values} if isinstance(named, GraphQLEnumType) else set()

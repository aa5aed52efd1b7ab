"""A plan as one statement whose text is the answer: LATERAL joins and `concat`, one query level per link or page.

Every expression that goes into a `concat` here is text and never NULL. A link is a lateral join that ends in `limit 1`,
which keeps the planner at descending an index for it; a page is a lateral aggregate, which always answers one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from db.reading import conditions, printing, statements
from db.reading.pages import PageWriter
from db.reading.pieces import Pieces, literal
from db.reading.source import Catalogue, Choice, Column, Entry, Link, Predicate, Reference, Source, Value
from db.reading.statements import Range
from db.reading.template import FRAMES, SEQUENCES, Scope, Slot, TemplateWriter
from db.reading.writer import Alias
from domain.answers import AnyOf, ById, ByIds, Leaf, Listed, Many, Nested, One, Part, Plan, Shape, TypeName
from domain.reading import Selected

NULL: Final = literal("null")
FRAMED: Final = (
    "select {tenant} as tenant_id, f.* from rows from (json_to_recordset({frames}) as (sequence bigint, kind text,"
    " subject_noun text, subject_id uuid, person_id uuid, payload json)) with ordinality"
    " as f (sequence, kind, subject_noun, subject_id, person_id, payload, place)"
)


@dataclass(frozen=True, slots=True)
class Extents:
    """The shape of a request's arguments: pages and their filters' names, arguments by value, nouns of ids."""

    pages: Sequence[tuple[Range, tuple[str, ...]]]
    arguments: Sequence[Mapping[str, object]]
    nouns: Sequence[tuple[str | None, ...]]


class Compiler:
    """Writes one statement."""

    def __init__(self, w: TemplateWriter, catalogue: Catalogue, extents: Extents) -> None:
        """Write with `w` for one shape of arguments."""
        self.w = w
        self.catalogue = catalogue
        self.extents = extents

    def document(self, plan: Plan) -> str:
        """Write the statement of a whole plan; it answers one row with the bytes of the JSON object."""
        scope = Scope()
        pieces = Pieces().text("{")
        for number, part in enumerate(plan.parts):
            with self.w.within(part.key):
                pieces.text(f'{"," if number else ""}"{part.key}":').sql(self._root(part, plan.type_name, scope))
        printed = pieces.text("}")
        return f"select convert_to({printed}, 'UTF8') as answer from (select) root{scope}"

    def events(self, plan: Plan, *, framed: bool = False) -> str:
        """Write the statement of what a subscription answers: one row for each event that the caller may see.

        Frames have no rows: they come with the request.
        """
        [part] = plan.parts
        if not isinstance(part, Nested):
            raise TypeError(f"{part} is no event.")
        if self.catalogue.events is None:
            raise TypeError("The catalogue names no table of events.")
        w, value, scope = self.w, self.catalogue.values[part.name], Scope()
        t = w.alias(self.catalogue.events)
        printed = Pieces().text(f'{{"{part.key}":').sql(self._fields(value, t, part, {}, scope)).text("}")
        links = [self._seen(value.fields[name], t) for name in plan.required]
        if framed:
            rows = FRAMED.format(tenant=w.tenant, frames=w.bind(FRAMES, "json"))
            return (
                f"select {t.name}.place, convert_to({printed}, 'UTF8') as answer from ({rows}) {t.name}{scope}"
                f" where {' and '.join(links)} order by {t.name}.place"
            )
        seen = [f"{t.tenant_id} = {w.tenant}", f"{t.sequence} = any({w.bind(SEQUENCES, 'bigint[]')})", *links]
        return (
            f"select {t.sequence}, convert_to({printed}, 'UTF8') as answer from events {t.name}{scope}"
            f" where {' and '.join(seen)} order by {t.sequence}"
        )

    def _seen(self, link: object, t: Alias) -> str:
        if not isinstance(link, Link):
            raise TypeError(f"{link} is no link.")
        source = self.catalogue.sources[link.target]
        r = self.w.alias(source.table)
        where = conditions.visible(self.w, source, r, f"{r.id} = {printing.link_expression(self.w, link, t)}")
        return f"exists (select from {source.table.name} {r.name} where {where})"

    def _root(self, part: Part, type_name: str, scope: Scope) -> str:
        match part:
            case TypeName():
                return literal(f'"{type_name}"')
            case Listed():
                return scope.join(self.w, self._page(part, None, None))
            case ById():
                return self._by_id(part, scope)
            case ByIds():
                return self._by_ids(part)
            case Nested():
                value = self.catalogue.values[part.name]
                return self.value(value, self.w.alias(), part, {}, scope)
            case Leaf():
                value = self.catalogue.values[part.name]
                selected = Selected(part.name, (), (Selected("value"),))
                return self._leaf_value(value, selected)
            case _:
                raise TypeError(f"{part} is no root field.")

    def _leaf_value(self, value: Value, selected: Selected) -> str:
        """Write a value that clients see as a leaf: its one field `value`."""
        v, column = self.w.alias(), value.fields["value"]
        if value.rows is None or not isinstance(column, Column):
            raise TypeError(f"{selected.name} is no computed leaf.")
        rows = value.rows(self.w, v, dict(selected.arguments))
        return f"coalesce((select {printing.leaf(self.w, column, v)} from ({rows}) {v.name}), 'null')"

    def _by_id(self, part: ById, scope: Scope) -> str:
        w, source = self.w, self.catalogue.sources[part.shape.noun]
        wanted = w.viewer if part.id is None else w.bind(Slot(f"id {part.id}"), "uuid")
        if source.forwards is None:
            return self._nullable(scope.join(w, self._row(source, part.shape, wanted)))
        keys = f"(select {statements.heirs(w, source, f'(select {wanted} as key) k')}) k"
        return self._nullable(scope.join(w, self._row(source, part.shape, "k.key", before=f"{keys} join ")))

    def _by_ids(self, part: ByIds) -> str:
        w = self.w
        keys, nouns = w.bind(Slot(f"keys {part.ids}"), "uuid[]"), w.bind(Slot(f"nouns {part.ids}"), "text[]")
        rows = f"unnest({keys}, {nouns}) with ordinality k(key, noun, i)"
        scope, found = Scope(), []
        for noun in sorted({noun for noun in self.extents.nouns[part.ids] if noun is not None}):
            source = self.catalogue.sources[noun]
            is_it = f"k.noun = '{noun}'"
            if source.forwards is not None:
                rows = f"(select k.i, k.noun, {statements.heirs(w, source, rows)}) k"
            found.append(scope.join(w, self._row(source, part.shapes[noun], "k.key", is_it)))
        printed = f"coalesce({', '.join([*found, NULL])})"
        opening, closing = ("[", "]") if part.many else ("", "")
        return f"(select concat('{opening}', string_agg({printed}, ',' order by k.i), '{closing}') from {rows}{scope})"

    def _row(self, source: Source, shape: Shape, wanted: str, *extra: str, before: str = "") -> str:
        """Write the subquery of one row by its id; `before` is a join that comes before its table."""
        t = self.w.alias(source.table)
        self.w.equate(wanted, t.id)
        where = conditions.visible(self.w, source, t, f"{t.id} = {wanted}", *extra)
        scope = Scope()
        printed = self.row(source, t, shape, scope)
        joined = f"{before}{source.table.name} {t.name}{' on true' if before else ''}"
        return f"select {printed} as j from {joined}{scope} where {where} limit 1"

    def row(self, source: Source, t: Alias, shape: Shape, scope: Scope) -> str:
        """Write a row of a noun; of an interface noun, by its kind where the kinds print differently."""
        for rule, column in source.proves.items():
            self.w.prove(rule, t.column(column))
        if shape.uniform:
            [parts, *_] = shape.parts.values()
            return self._object(source, t, parts, self._type_name(t, shape.type_names), scope)
        cases = []
        for kind, parts in shape.parts.items():
            name = literal(f'"{shape.type_names[kind]}"')
            cases.append(f"when '{kind}' then {self._object(source, t, parts, name, scope)}")
        return f"case {t.kind} {' '.join(cases)} else 'null' end"

    @staticmethod
    def _type_name(t: Alias, type_names: Mapping[str, str]) -> str:
        names = set(type_names.values())
        if len(names) == 1:
            return literal(f'"{names.pop()}"')
        cases = " ".join(f"when '{kind}' then '\"{name}\"'" for kind, name in type_names.items())
        return f"case {t.kind} {cases} end"

    def _object(self, source: Source, t: Alias, parts: Iterable[Part], type_name: str, scope: Scope) -> str:
        pieces = Pieces().text("{")
        for number, part in enumerate(parts):
            with self.w.within(part.key):
                pieces.text(f'{"," if number else ""}"{part.key}":').sql(self._part(source, t, part, type_name, scope))
        return str(pieces.text("}"))

    def _part(self, source: Source, t: Alias, part: Part, type_name: str, scope: Scope) -> str:
        match part:
            case TypeName():
                return type_name
            case Leaf(name="id"):
                return f"""concat('"{source.prefix}_', {t.id}, '"')"""
            case Leaf(name="restricted_fields"):
                for mask in source.restricted.values():
                    self._rule(mask, t, scope)
                return f"({printing.restricted(self.w, source, t)})::text"
            case Leaf():
                self._rule(source.fields[part.name].mask, t, scope)
                return printing.entry(self.w, source.fields[part.name], t, Selected(part.name))
            case Nested():
                return self._nested(source, t, part, scope)
            case One() | Many() | AnyOf() | Listed():
                return self.linked(source.links[part.name], t, part, scope)
            case _:
                raise TypeError(f"{part} is no field of a row.")

    def _rule(self, mask: Predicate | None, t: Alias, scope: Scope) -> None:
        """Decide a mask once per row, however many fields it covers; `offset 0` keeps PostgreSQL from copying it."""
        if mask is None or (mask, t.name) in self.w.decided:
            return
        allowed = mask(self.w, t)
        if allowed is not None:
            self.w.decided[mask, t.name] = scope.join(self.w, f"select ({allowed}) as j offset 0")

    def _nested(self, source: Source, t: Alias, part: Nested, scope: Scope) -> str:
        declared = source.fields[part.name]
        self._rule(declared.mask, t, scope)
        return printing.masked(self.w, declared.mask, t, self._printed(declared, t, part, {}, scope))

    def _printed(self, declared: Entry, t: Alias, part: Part, inherited: Mapping[str, object], scope: Scope) -> str:
        if isinstance(declared, Column):
            return printing.leaf(self.w, declared, t)
        if not isinstance(part, Nested):
            raise TypeError(f"{part} is no value.")
        if isinstance(declared, Choice):
            declared = declared.by({**inherited, **self._arguments(part)})
        return self.value(declared, t, part, inherited, scope)

    def _arguments(self, part: Nested) -> dict[str, object]:
        return {} if part.arguments is None else dict(self.extents.arguments[part.arguments])

    def value(self, value: Value, t: Alias, part: Nested, inherited: Mapping[str, object], scope: Scope) -> str:
        """Write a value: an object or a list, with the arguments of the values that it stands in."""
        arguments = {**inherited, **self._arguments(part)}
        if value.rows is None:
            printed = self._fields(value, t, part, arguments, scope)
            return printed if value.null is None else f"case when {value.null(t)} then 'null' else {printed} end"
        v, inner = self.w.alias(), Scope()
        rows = value.rows(self.w, t, arguments)
        printed = self._fields(value, v, part, arguments, inner)
        if value.many:
            ordered = f"(select {v.name}.*, row_number() over () as n from ({rows}) {v.name}) {v.name}"
            return f"(select concat('[', string_agg({printed}, ',' order by {v.name}.n), ']') from {ordered}{inner})"
        return f"coalesce((select {printed} from ({rows}) {v.name}{inner}), 'null')"

    def _fields(self, value: Value, t: Alias, part: Nested, arguments: Mapping[str, object], scope: Scope) -> str:
        if not part.kinds:
            return self._members(value, t, part, arguments, scope)
        kind, cases = value.fields["kind"], []
        if not isinstance(kind, Column):
            raise TypeError(f"{part.name} has no column that names its kind.")
        for name, (type_name, parts) in part.kinds.items():
            members = self._members(value, t, replace(part, type_name=type_name, parts=parts), arguments, scope)
            cases.append(f"when '{name}' then {members}")
        return f"case {kind.sql(self.w, t)} {' '.join(cases)} else 'null' end"

    def _members(self, value: Value, t: Alias, part: Nested, arguments: Mapping[str, object], scope: Scope) -> str:
        pieces = Pieces().text("{")
        for number, inner in enumerate(part.parts):
            with self.w.within(inner.key):
                pieces.text(f'{"," if number else ""}"{inner.key}":')
                pieces.sql(self._field(value, t, inner, part.type_name, arguments, scope))
        return str(pieces.text("}"))

    def _field(  # noqa: PLR0917 -- one more than usual: the level above is needed whole.
        self, value: Value, t: Alias, inner: Part, type_name: str, arguments: Mapping[str, object], scope: Scope
    ) -> str:
        if isinstance(inner, TypeName):
            return literal(f'"{type_name}"')
        if isinstance(inner, (ById, ByIds)):
            raise TypeError(f"{inner} is no field of a value.")
        declared = value.fields[inner.name]
        if isinstance(declared, Link):
            return self.linked(declared, t, inner, scope)
        return printing.masked(self.w, declared.mask, t, self._printed(declared, t, inner, arguments, scope))

    def linked(self, declared: Link | Reference, t: Alias, part: Part, scope: Scope) -> str:
        """Write what a link, a list, a reference or a page of a row answers."""
        if isinstance(declared, Reference):
            if not isinstance(part, AnyOf):
                raise TypeError(f"{part} is no reference.")
            return self._any_of(declared, t, part, scope)
        match part:
            case One():
                source = self.catalogue.sources[declared.target]
                key = printing.link_expression(self.w, declared, t)
                allowed = declared.mask(self.w, t) if declared.mask is not None else None
                extra = () if allowed is None else (allowed,)
                return self._nullable(scope.join(self.w, self._row(source, part.shape, key, *extra)))
            case Many():
                page = PageWriter(self, self.catalogue.sources[declared.target], declared, t)
                return scope.join(self.w, page.list(part.shape, declared.most))
            case Listed():
                return scope.join(self.w, self._page(part, declared, t))
            case _:
                raise TypeError(f"{part} is no link.")

    def _any_of(self, declared: Reference, t: Alias, part: AnyOf, scope: Scope) -> str:
        found = []
        for shape in part.shapes:
            if declared.nouns is not None and shape.noun not in declared.nouns:
                continue
            source = self.catalogue.sources[shape.noun]
            is_it = f"{t.column(declared.noun)} = '{shape.noun}'"
            found.append(scope.join(self.w, self._row(source, shape, t.column(declared.id), is_it)))
        return f"coalesce({', '.join([*found, NULL])})"

    def _page(self, part: Listed, link: Link | None, t: Alias | None) -> str:
        extent, filters = self.extents.pages[part.page]
        writer = PageWriter(self, self.catalogue.sources[part.noun], link, t)
        return writer.page(part, extent, filters)

    @staticmethod
    def _nullable(expression: str) -> str:
        return f"coalesce({expression}, {NULL})"

"""The port `Answers` over PostgreSQL: a plan's statements, kept by role and shape of arguments, filled and fetched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from db.reading import statements
from db.reading.compiler import Compiler, Extents
from db.reading.reads import Fetch, Keys
from db.reading.source import Catalogue
from db.reading.statements import Range
from db.reading.template import FRAMES, MEMBERS, SEQUENCES, VIEWER, Template, TemplateWriter
from domain.access import Caller
from domain.answers import Given, Listed, Plan, parts_below
from domain.events import Event
from domain.reading import Page

KEPT: Final = 4_000
"""How many statements are kept, of some 20 kB each: one for each plan, role and shape of its arguments."""


MOST_CALLERS: Final = 16
"""For so many callers is known how the same question was answered."""


class SqlAnswers:
    """Answers a plan with one statement."""

    def __init__(self, catalogue: Catalogue, pool: Fetch, keys: Keys, *, kept: int = KEPT) -> None:
        """Compile against `catalogue` and run through `pool`."""
        self._limit = kept
        # With each statement goes its plan, so that no other plan gets its identity meanwhile.
        self._kept: OrderedDict[Hashable, tuple[Plan, Template]] = OrderedDict()
        self._catalogue = catalogue
        self._pool = pool
        self.keys = keys
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    async def answer(self, caller: Caller, plan: Plan, given: Given) -> bytes:
        """Return the JSON text of `data`; raises Invalid for a page or an argument that cannot be answered."""
        sql, arguments = self._filled(caller, plan, given)
        [record] = await self._pool.fetch(caller.tenant_id, sql, *arguments)
        answer: bytes = record["answer"]
        return answer

    async def told(
        self, caller: Caller, plan: Plan, given: Given, sequences: Sequence[int]
    ) -> Sequence[tuple[int, bytes]]:
        """Return the number and the JSON text of `data` of each of these events that the caller may see, in order."""
        template, bound = self.prepared(caller, plan, given)
        records = await self._pool.fetch(
            caller.tenant_id, template.sql, *template.filled(bound | {SEQUENCES.name: sequences})
        )
        return [(record["sequence"], record["answer"]) for record in records]

    async def framed(
        self, caller: Caller, plan: Plan, given: Given, frames: Sequence[Event], position: int
    ) -> Sequence[tuple[int, bytes]]:
        """Return the place and the JSON text of `data` of each of these frames that the caller may see, in order."""
        template, bound = self.prepared(caller, plan, given, framed=True)
        rows = [
            {
                "sequence": position, "kind": frame.kind, "subject_noun": frame.subject_noun,
                "subject_id": frame.entry("subject_id"), "person_id": frame.entry("person_id"),
                "payload": frame.payload,
            }
            for frame in frames
        ]  # fmt: skip
        filled = template.filled(bound | {FRAMES.name: orjson.dumps(rows).decode()})
        records = await self._pool.fetch(caller.tenant_id, template.sql, *filled)
        return [(record["place"] - 1, record["answer"]) for record in records]

    def scope(self, caller: Caller, plan: Plan, given: Given) -> Hashable:
        """Return what the answers to a caller depend on: what the statement is written for and what fills it."""
        template, _ = self.prepared(caller, plan, given)
        viewer = caller.actor.id if VIEWER in template.values else None
        members = caller.members if MEMBERS in template.values else None
        return caller.tenant_id, caller.role, viewer, members

    def _filled(self, caller: Caller, plan: Plan, given: Given) -> tuple[str, Sequence[object]]:
        """Return the statement of a request and its arguments: as the time before, if it is the same in every way."""
        known = given.settled.get(caller.principal)
        if isinstance(known, _Filled) and known.caller is caller:
            found = self._kept.get(known.key)
            if found is not None and found[0] is plan:
                self.hits += 1
                self._kept.move_to_end(known.key)
                return found[1].sql, known.arguments
        template, bound = self.prepared(caller, plan, given)
        arguments = template.filled(bound)
        if len(given.settled) < MOST_CALLERS or known is not None:
            given.settled[caller.principal] = _Filled(caller, next(reversed(self._kept)), arguments)
        return template.sql, arguments

    def prepared(
        self, caller: Caller, plan: Plan, given: Given, *, framed: bool = False
    ) -> tuple[Template, dict[str, object]]:
        """Return the statement for a request, or one for frames, and what fills its slots."""
        bound: dict[str, object] = {
            "tenant": caller.tenant_id, "viewer": caller.actor.id, "members": caller.members,
            SEQUENCES.name: (),
        }  # fmt: skip
        extents, shape = self._extents(caller, plan, given, bound)
        key = (id(plan), caller.role, shape, framed)
        found = self._kept.get(key)
        if found is not None:
            self.hits += 1
            self._kept.move_to_end(key)
            return found[1], bound
        self.misses += 1
        w = TemplateWriter(caller, self.keys.asset, self.keys.event)
        compiler = Compiler(w, self._catalogue, extents)
        sql = compiler.events(plan, framed=framed) if plan.required else compiler.document(plan)
        template = Template(sql, tuple(w.values), tuple(w.reads))
        self._kept[key] = plan, template
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
            self.evictions += 1
        return template, bound

    def __len__(self) -> int:
        """How many statements are kept."""
        return len(self._kept)

    def _extents(self, caller: Caller, plan: Plan, given: Given, bound: dict[str, object]) -> tuple[Extents, Hashable]:
        pages, shape = [], []
        for number, page in enumerate(given.pages):
            paged = self._paged(caller, plan, number, page)
            pages.append((paged.range, paged.names))
            shape.append(paged.shape)
            bound.update(paged.bound)
        for number, ids in enumerate(given.ids):
            known = [each if each is not None else ("", None) for each in ids]
            bound[f"id {number}"] = known[0][1] if known else None
            bound[f"keys {number}"] = [row_id for _, row_id in known]
            bound[f"nouns {number}"] = [noun for noun, _ in known]
        ids_shape = tuple([tuple(sorted({each[0] for each in ids if each is not None})) for ids in given.ids])
        arguments = tuple([_frozen(each) for each in given.arguments])
        return Extents(pages, given.arguments, ids_shape), (tuple(shape), arguments, ids_shape)

    def _paged(self, caller: Caller, plan: Plan, number: int, page: Page) -> _Paged:
        """Return what a page comes to: without cursors, the same for everybody, and mostly as the time before."""
        known = plan.settled.get(number)
        if isinstance(known, _Paged) and known.page == page:
            return known
        source = self._catalogue.sources[self._nouns_of_pages(plan)[number]]
        extent = statements.page_range(source, page, self.keys.cursor, caller.tenant_id)
        paged = _Paged.of(page, extent, f"page {number}")
        if page.after is None and page.before is None:
            plan.settled[number] = paged
        return paged

    def _nouns_of_pages(self, plan: Plan) -> dict[int, str]:
        if plan.nouns is None:
            plan.nouns = {part.page: part.noun for part in parts_below(plan.parts) if isinstance(part, Listed)}
        return plan.nouns


@dataclass(frozen=True, slots=True)
class _Filled:
    """What a caller's request was answered with: the key of a kept statement, and its arguments."""

    caller: Caller
    key: Hashable
    arguments: Sequence[object]


@dataclass(frozen=True, slots=True)
class _Paged:
    """A page that was asked for: its range, the shape of its statement, and what fills its slots."""

    page: Page
    range: Range
    names: tuple[str, ...]
    shape: Hashable
    bound: Mapping[str, object]

    @classmethod
    def of(cls, page: Page, extent: Range, slot: str) -> _Paged:
        names = tuple(name for name, _ in page.filter)
        sort = extent.sort
        shape = (extent.backwards, sort.order, sort.descending, extent.after is None, extent.before is None, names)
        bound: dict[str, object] = {f"{slot} size": extent.size}
        for name, position in (("after", extent.after), ("before", extent.before)):
            if position is not None:
                bound |= {f"{slot} {name} value": position.value, f"{slot} {name} id": position.id}
        bound |= {f"{slot} filter {name}": value for name, value in page.filter}
        return cls(page, extent, names, shape, bound)


def _frozen(value: object) -> Hashable:
    if isinstance(value, dict):
        return tuple([(name, _frozen(value[name])) for name in sorted(value)])
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(each) for each in value)
    return value

"""How declared fields are answered on the resolver path: links and pages batched per operation by DataLoaders.

One loader stands for one link with one selection and one page, so rows that ask the same question share a statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import strawberry
from graphql import GraphQLNonNull
from strawberry.dataloader import DataLoader

from domain.errors import NotFound
from domain.reading import FieldKind, Order, Page, Request, Row, Selected, Slice, row_key
from graph import ids
from graph.connections import Connection, Edge, PageInfo
from graph.inputs import unpacked_filter
from graph.registry import REGISTRY, Declared
from graph.selection import ResolveInfo, Selections, raw

if TYPE_CHECKING:
    from graph.context import GraphContext, Info
    from graph.declaration import DeclaredField, Node

T = TypeVar("T")
F = TypeVar("F", bound="asyncio.Future[Any] | None")


class Loaders:
    """The DataLoaders of one operation."""

    def __init__(self, context: GraphContext) -> None:
        """Read with the rights of `context`."""
        self._context = context
        self._selections = Selections()
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}
        self._position: asyncio.Future[Row] | None = None
        self._running: set[asyncio.Future[Any]] = set()

    def cancel(self) -> None:
        """Stop what is still being read: the operation is over, and its fields no longer wait for it."""
        for running in list(self._running):
            running.cancel()

    def forget(self) -> None:
        """Drop what was read: a mutation has changed it."""
        self._loaders.clear()
        self._position = None

    def resolve(self, field: DeclaredField, source: object, info: Info, arguments: Mapping[str, Any]) -> Any:
        """Answer a declared field."""
        specification, node_info = field.specification, raw(info)
        if specification.permission is not None:
            self._context.require(specification.permission)
        match specification.kind:
            case FieldKind.COLUMN:
                return _entry(source, field.python_name, arguments)
            case FieldKind.CONNECTION:
                return self._connection(field, source, node_info, arguments)
            case FieldKind.LIST:
                return self._list(field, source, node_info)
            case FieldKind.VALUE:
                return self._value(field, node_info, arguments)
            case FieldKind.REFERENCE:
                return self._reference(field, source, node_info)
            case FieldKind.LINK:
                return self._link(field, source, node_info, arguments)
            case FieldKind.STREAM:
                raise TypeError("A subscription is followed, never resolved.")

    async def node(self, info: ResolveInfo, global_id: str) -> Node | None:
        """Answer the row behind any global id, or None."""
        found = ids.parsed(global_id)
        if found is None:
            return None
        noun, row_id = found
        return cast("Node | None", await self.row(noun, row_id, self._selections.of_noun(info, noun)))

    async def nodes(self, info: ResolveInfo, global_ids: Sequence[str]) -> list[Node | None]:
        """Answer the rows behind global ids, in their order."""
        return list(await asyncio.gather(*(self.node(info, global_id) for global_id in global_ids)))

    async def row(self, noun: Declared, row_id: UUID, fields: tuple[Selected, ...]) -> object | None:
        """Answer one row by id."""
        caller = self._context.caller
        request = Request(noun.name, fields)

        async def load(keys: list[UUID]) -> list[Row | None]:
            return await self._context.reads.by_ids(caller, request, keys)

        row = await self._load(("rows", request), load, row_id)
        return None if row is None else REGISTRY.materialise(noun, row)

    async def _link(
        self, field: DeclaredField, source: object, info: ResolveInfo, arguments: Mapping[str, Any]
    ) -> object | None:
        noun = field.target()
        if "id" in arguments:
            found = ids.parsed(arguments["id"])
            if found is None or found[0] is not noun:
                return None
            row = await self.row(noun, found[1], self._selections.of_noun(info, noun))
            # `call(id:)` answers one kind of an interface noun and no other.
            return row if isinstance(row, field.target_class()) else None
        if field.specification.of_caller:
            bearer = self._context.caller_or_none
            key = None if bearer is None else bearer.user_id
        else:
            key = _entry(source, f"_{field.python_name}", {})
        if key is None:
            return None
        row = await self.row(noun, UUID(str(key)), self._selections.of_noun(info, noun))
        paid = type(source) not in REGISTRY.by_type
        if row is None and paid and isinstance(info.return_type, GraphQLNonNull):
            # What a mutation answers, perhaps once more for its key, may be somebody else's by now.
            raise NotFound
        return row

    async def _reference(self, field: DeclaredField, source: object, info: ResolveInfo) -> object | None:
        key = _entry(source, f"_{field.python_name}", {})
        if key is None:
            return None
        name, _, row_id = str(key).partition(":")
        noun = REGISTRY.nouns.get(name)
        if noun is None:
            # History names rows of nouns that the schema does not show yet.
            return None
        return await self.row(noun, UUID(row_id), self._selections.of_noun(info, noun))

    async def _connection(
        self, field: DeclaredField, source: object, info: ResolveInfo, arguments: Mapping[str, Any]
    ) -> Connection[Any]:
        noun, caller = field.target(), self._context.caller
        selection = self._selections.of_connection(info, noun)
        inherited = _entry(source, "_arguments", {}) if field.specification.inherits else {}
        wanted = page_of({**_taken(inherited, field.specification.inherits), **given_arguments(arguments)})
        page = replace(wanted, rows=selection.rows, counted=selection.counted, cursors=selection.cursors)
        link = None if source is None else (_owner(source), field.python_name)
        key = "" if source is None else str(_entry(source, f"_{field.python_name}", {}))
        request = Request(noun.name, selection.fields, link, page)

        async def load(keys: list[str]) -> list[Slice]:
            return await self._context.reads.pages(caller, request, keys)

        return _connected(noun, await self._load(("pages", request), load, key))

    async def _list(self, field: DeclaredField, source: object, info: ResolveInfo) -> list[object]:
        noun, caller = field.target(), self._context.caller
        fields, paid = self._selections.of_noun(info, noun), _entry(source, f"_{field.python_name}", {})
        if isinstance(paid, list):
            # What a mutation answers names its rows.
            rows = await asyncio.gather(*(self.row(noun, row_id, fields) for row_id in paid))
            return [row for row in rows if row is not None]
        page = Page(whole=True)
        request = Request(noun.name, fields, (_owner(source), field.python_name), page)

        async def load(keys: list[str]) -> list[Slice]:
            return await self._context.reads.pages(caller, request, keys)

        answered = await self._load(("pages", request), load, str(paid))
        return [REGISTRY.materialise(noun, row) for row in answered.rows]

    async def _leaf(self, name: str) -> object:
        """Answer the tenant's position. It is read before anything else: what is newer will come as an event."""
        if self._position is None:
            read = self._context.reads.value(self._context.caller, name, {}, (Selected("value"),))
            self._position = self._started(read)
        row = await asyncio.shield(self._position)
        return row["value"]

    async def _after_position(self) -> None:
        """Wait for the position, if the operation selects it; every root field has begun by the next turn."""
        await asyncio.sleep(0)
        if self._position is not None:
            await asyncio.shield(self._position)

    async def _value(self, field: DeclaredField, info: ResolveInfo, arguments: Mapping[str, Any]) -> object:
        if field.python_name not in REGISTRY.values:
            return await self._leaf(field.python_name)
        await self._after_position()
        fields = self._selections.of_value(info)
        given = unpacked_arguments(given_arguments(arguments))
        declared = REGISTRY.values[field.python_name]
        row = await self._context.reads.value(self._context.caller, field.python_name, given, fields)
        return _with_arguments(REGISTRY.materialise(declared, row), given_arguments(arguments))

    async def _load(self, question: Hashable, load: Callable[[list[Any]], Awaitable[list[T]]], key: Hashable) -> T:
        async def in_turn(keys: list[Any]) -> list[T]:
            self._keep(asyncio.current_task())
            await self._after_position()
            return await load(keys)

        loader = self._loaders.get(question)
        if loader is None:
            loader = self._loaders[question] = DataLoader(load_fn=in_turn)
        # graphql-core cancels the siblings of a field that failed; other fields wait for the same future.
        result: T = await asyncio.shield(self._started(loader.load(key)))
        return result

    def _started(self, awaitable: Awaitable[T]) -> asyncio.Future[T]:
        return self._keep(asyncio.ensure_future(awaitable))

    def _keep(self, running: F) -> F:
        if running is not None:
            self._running.add(running)
            running.add_done_callback(self._running.discard)
        return running


def _entry(source: object, name: str, arguments: Mapping[str, Any]) -> Any:
    return source.__dict__[row_key(name, {key.rstrip("_"): value for key, value in arguments.items()})]


def _owner(source: object) -> str:
    return REGISTRY.by_type[type(source)].name


def given_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that were given and are not null, by their client's names."""
    return {
        key.rstrip("_"): value
        for key, value in arguments.items()
        if value is not None and value is not strawberry.UNSET
    }


def _taken(arguments: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: arguments[name] for name in names if name in arguments}


def unpacked_arguments(arguments: Mapping[str, Any]) -> dict[str, object]:
    """Return a value's arguments with their filter in domain terms; raises Invalid."""
    return {
        name: dict(unpacked_filter(value, name)) if name == "filter" else value for name, value in arguments.items()
    }


def _with_arguments(instance: object, arguments: Mapping[str, Any]) -> object:
    """Leave the root field's arguments where the connections below it find them, however deep they are."""
    instance.__dict__["_arguments"] = arguments
    for entry in list(instance.__dict__.values()):
        for inner in entry if isinstance(entry, list) else (entry,):
            if type(inner) in REGISTRY.by_type:
                _with_arguments(inner, arguments)
    return instance


def page_of(arguments: Mapping[str, Any]) -> Page:
    """Return the page that a connection's arguments ask for; raises Invalid for a filter that is refused."""
    order = arguments.get("order_by")
    chosen = None if order is None else Order(_name(order.field), _name(order.direction) == "DESC")
    given = arguments.get("filter")
    return Page(
        first=arguments.get("first"),
        after=arguments.get("after"),
        last=arguments.get("last"),
        before=arguments.get("before"),
        order=chosen,
        filter=unpacked_filter(given, "filter") if given is not None else (),
    )


def _name(member: Enum) -> str:
    return member.name


def _connected(noun: Declared, answered: Slice) -> Connection[Any]:
    cursors: list[Any] = answered.cursors or [None] * len(answered.rows)
    edges = [
        Edge(cursor=cursor, node=REGISTRY.materialise(noun, row))
        for cursor, row in zip(cursors, answered.rows, strict=True)
    ]
    info = PageInfo(
        has_next_page=answered.has_next,
        has_previous_page=answered.has_previous,
        start_cursor=answered.cursors[0] if answered.cursors else None,
        end_cursor=answered.cursors[-1] if answered.cursors else None,
    )
    return Connection(edges=edges, page_info=info, total_count=answered.total or 0)

"""Documents, parsed and validated once: what can be known before variables and a caller are is kept with the text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, OperationType, parse
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext

from domain.errors import Invalid

KEPT: Final = 1_000
"""How many documents are kept; the ones not used for longest go first."""

Check = Callable[[DocumentNode], Sequence[GraphQLError]]
"""Counts something in a document; answers an error for each limit that it breaks."""


@dataclass(slots=True)
class Prepared:
    """A document's text, what it parsed to, and what is wrong with it."""

    text: str
    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    operations: dict[str, OperationDefinitionNode]
    compilations: dict[str, Any] = field(default_factory=dict)
    """What was compiled of each operation, by its name."""
    coercions: dict[str, Any] = field(default_factory=dict)
    """How each operation's variables are coerced, by its name."""

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to run; raises Invalid where the name does not choose one."""
        if name is not None:
            if name not in self.operations:
                raise Invalid(f"The document has no operation named {name[:100]!r}.", field="operationName")
            return self.operations[name]
        if len(self.operations) != 1:
            raise Invalid("Name one of the document's operations.", field="operationName")
        return next(iter(self.operations.values()))


class Documents:
    """A bounded cache of prepared documents, keyed by their exact text."""

    def __init__(self, schema: strawberry.Schema, checks: Sequence[Check] = (), kept: int = KEPT) -> None:
        """Prepare documents for `schema`; `checks` run after parsing and before validation."""
        self._schema = schema
        self._checks = checks
        self._kept = kept
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    def __len__(self) -> int:
        """How many documents are kept now."""
        return len(self._prepared)

    def get(self, text: str) -> Prepared:
        """Return a document, prepared now or earlier. What does not validate is kept too: it may come again."""
        prepared = self._prepared.get(text)
        if prepared is not None:
            self.hits += 1
            self._prepared.move_to_end(text)
            return prepared
        self.misses += 1
        prepared = self._prepared[text] = self._prepare(text)
        if len(self._prepared) > self._kept:
            self._prepared.popitem(last=False)
            self.evictions += 1
        return prepared

    def _prepare(self, text: str) -> Prepared:
        try:
            document = parse(text)
        except GraphQLError as error:
            return Prepared(text, None, (error,), {})
        errors = tuple(error for check in self._checks for error in check(document))
        if not errors:
            errors = tuple(self._validated(document))
        operations = {
            node.name.value if node.name else "": node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        return Prepared(text, document, errors, operations)

    def _validated(self, document: DocumentNode) -> list[GraphQLError]:
        context = ExecutionContext(
            query=None, schema=self._schema, allowed_operations=list(OperationType)
        )  # fmt: skip
        return validate_document(self._schema._schema, document, tuple(context.validation_rules))  # noqa: SLF001 -- the graphql-core schema has no public name.


class UsePrepared(SchemaExtension):
    """Hands Strawberry the document that was prepared before, so that it neither parses nor validates again."""

    def on_operation(self) -> Iterator[None]:
        """Put the context's prepared document where Strawberry looks for a parsed and validated one."""
        prepared: Prepared | None = getattr(self.execution_context.context, "prepared", None)
        if prepared is not None:
            self.execution_context.graphql_document = prepared.document
            self.execution_context.pre_execution_errors = []
        yield None

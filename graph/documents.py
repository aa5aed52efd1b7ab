"""Documents, parsed and validated once: what can be known before variables and a caller are is kept with the text."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import strawberry
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import ExecutionContext

from domain.errors import DomainError, Invalid
from graph.cost import Cost, Estimate, Estimator
from graph.limits import check_nesting, too_nested
from graph.refusals import LimitExceeded
from graph.shares import Shares

MAX_NESTING_DEPTH: Final = 200
"""How deep graphql-core parses at all."""
KEPT: Final = 1_000
SHARE: Final = 100
"""How many documents are kept, and how many of those that one caller brought."""
TOO_MANY_TOKENS: Final = "Syntax Error: Document contains more than"
"""How graphql-core says that it stopped parsing."""
MOST_ERRORS: Final = 8
"""Validation stops here: a document with so many mistakes needs no longer list."""

KNOWN_AGAIN: Final = frozenset({bool, float, int, str, type(None)})
MOST_CHARACTERS: Final = 200
MOST_QUESTIONS: Final = 64
"""Of one document: a longer text, a list or an object hardly comes again."""

Check = Callable[[DocumentNode], Sequence[GraphQLError]]
"""Counts something in a document; answers an error for each limit that it breaks."""


@dataclass(slots=True)
class Question:
    """A query with its variables: what was found out about it, which is the same whoever asks."""

    cost: Cost | None = None
    """None until the variables were found to keep to the limits."""
    compiled: Any = None
    """The plan that answers it."""
    given: Any = None
    """What its variables give to the plan."""


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
    directs: dict[str, Any] = field(default_factory=dict)
    """How each mutation is answered without an executor, by its name; None where it cannot be."""
    estimates: dict[str, Estimate] = field(default_factory=dict)
    """What each operation costs, by its name."""
    questions: dict[Hashable, Question] = field(default_factory=dict)
    """What was asked last, by operation and variables."""
    syntax: bool = False
    """Whether it did not even parse."""
    sound: bool = True
    """Whether it parsed and keeps to the limits, whatever validation says of it."""
    validated: bool = False

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to run; raises Invalid where the name does not choose one."""
        if name is not None:
            if name not in self.operations:
                raise Invalid("The document has no operation of this name.", field="operationName")
            return self.operations[name]
        if len(self.operations) != 1:
            raise Invalid("Name one of the document's operations.", field="operationName")
        return next(iter(self.operations.values()))

    def question(self, name: str | None, variables: Mapping[str, Any]) -> Question:
        """Return what is known of a query with these variables: much is asked again and again, by the same screens."""
        key: list[object] = [name]
        for variable, value in variables.items():
            # Of equal values not all are alike: 1, 1.0 and true.
            kind = type(value)
            if kind not in KNOWN_AGAIN or (kind is str and len(value) > MOST_CHARACTERS):
                return Question()
            key += variable, kind, value
        known = self.questions.get(tuple(key))
        if known is None:
            known = self.questions[tuple(key)] = Question()
            if len(self.questions) > MOST_QUESTIONS:
                del self.questions[next(iter(self.questions))]
        return known


class Documents:
    """A bounded cache of prepared documents, keyed by their exact text, in which every caller has a share."""

    def __init__(
        self,
        schema: strawberry.Schema,
        checks: Sequence[Check] = (),
        *,
        tokens: int | None = None,
        nesting: int = MAX_NESTING_DEPTH,
        kept: int = KEPT,
        share: int = SHARE,
    ) -> None:
        """Prepare documents for `schema`; `checks` run after parsing at most `tokens` and `nesting` levels."""
        self._schema = schema
        self._core = schema._schema  # noqa: SLF001 -- the graphql-core schema has no public name.
        self._checks = checks
        self._tokens = tokens
        self._nesting = nesting
        self._prepared: Shares[str, Prepared] = Shares(kept, share)
        self._pinned: dict[str, Prepared | None] = {}
        context = ExecutionContext(query=None, schema=schema, allowed_operations=list(OperationType))
        self._rules = (*context.validation_rules, MaybeNullValidationRule, OneOfInputValidationRule)
        self.hits = 0
        self.misses = 0
        self.validations = 0

    def __len__(self) -> int:
        """How many documents are kept now, without the pinned ones."""
        return len(self._prepared)

    @property
    def evictions(self) -> int:
        """How many documents had to go."""
        return self._prepared.evictions

    def pin(self, text: str) -> None:
        """Keep a document for ever from its first use on: it is a registered one."""
        self._pinned.setdefault(text, None)

    def get(self, text: str, owner: Hashable = None) -> Prepared:
        """Return a document, prepared now or earlier. What does not validate is kept too: it may come again."""
        return self.validated(self.parsed(text, owner))

    def parsed(self, text: str, owner: Hashable = None) -> Prepared:
        """Return a document of which only the form was checked, now or earlier, and its limits."""
        prepared = self._pinned.get(text) or self._prepared.get(text)
        if prepared is not None:
            self.hits += 1
            return prepared
        self.misses += 1
        prepared = self._parse(text)
        if text in self._pinned:
            self._pinned[text] = prepared
        else:
            self._prepared.put(text, prepared, owner)
        return prepared

    def validated(self, prepared: Prepared) -> Prepared:
        """Return the document with what validation has to say of it; it is asked once."""
        if not prepared.validated and prepared.document is not None and not prepared.errors:
            self.validations += 1
            prepared.errors = tuple(validate(self._core, prepared.document, self._rules, max_errors=MOST_ERRORS))
        prepared.validated = True
        return prepared

    def estimate(self, prepared: Prepared, operation: OperationDefinitionNode) -> Estimate:
        """Return what an operation of a valid document costs, computed now or earlier."""
        name = operation.name.value if operation.name else ""
        estimate = prepared.estimates.get(name)
        if estimate is None:
            definitions = prepared.document.definitions if prepared.document is not None else ()
            fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
            estimate = prepared.estimates[name] = Estimator(self._core, fragments).operation(operation)
        return estimate

    def _parse(self, text: str) -> Prepared:
        try:
            check_nesting(text, self._tokens or len(text), self._nesting)
            document = parse(text, max_tokens=self._tokens)
            errors = tuple(error for check in self._checks for error in check(document))
        except GraphQLError as error:
            return Prepared(text, None, (self._worded(error),), {}, syntax=True, sound=False)
        except LimitExceeded as error:
            return Prepared(text, None, (_refused(error),), {}, sound=False)
        except RecursionError as error:
            # Fragments within fragments nest as well: whoever raises the limit on tokens lets in very long chains.
            refusal = too_nested(self._nesting + 1, self._nesting)
            return Prepared(text, None, (_refused(refusal, error),), {}, sound=False)
        operations = {
            node.name.value if node.name else "": node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        return Prepared(text, document, errors, operations, sound=not errors)

    def _worded(self, error: GraphQLError) -> GraphQLError:
        if self._tokens is None or not error.message.startswith(TOO_MANY_TOKENS):
            return error
        return _refused(LimitExceeded("tokens", "tokens or more", self._tokens + 1, self._tokens), error)


def _refused(refusal: DomainError, cause: Exception | None = None) -> GraphQLError:
    refusal.__cause__ = cause
    return GraphQLError(refusal.message, original_error=refusal)


class UsePrepared(SchemaExtension):
    """Hands Strawberry the document that was prepared before, so that it neither parses nor validates again."""

    def on_operation(self) -> Iterator[None]:
        """Put the context's prepared document where Strawberry looks for a parsed and validated one."""
        prepared: Prepared | None = getattr(self.execution_context.context, "prepared", None)
        if prepared is not None:
            self.execution_context.graphql_document = prepared.document
            self.execution_context.pre_execution_errors = []
        yield None

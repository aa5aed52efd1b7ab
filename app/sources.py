"""What fills the components of canvases: trusted documents, run within the limits of any other request."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from graphql import GraphQLError

from app.admission import limits_of
from app.settings import Settings
from db.access.operations import SqlRegistered
from db.engine import ReadPool
from db.unit import utc_now
from domain.access import Caller
from domain.answers import Answers
from graph.canvases.sources import TrustedSources
from graph.context import GraphContext
from graph.documents import Documents
from graph.execution import Execution
from graph.limits import document_check
from graph.persisted import Persisted, shipped
from graph.schema import Schema

log = structlog.get_logger()


def trusted_sources(
    settings: Settings, schema: Schema, answers: Answers, pool: ReadPool, context: Callable[[Caller], GraphContext]
) -> TrustedSources:
    """Return what runs the documents of components; `context` makes the context of one such run."""
    limits = limits_of(settings)
    documents = Documents(schema, [document_check(limits)], tokens=limits.tokens)
    execution = Execution(schema, documents, answers, _masked)
    return TrustedSources(execution, Persisted(shipped(), SqlRegistered(pool)), limits, context, utc_now)


def _masked(error_id: str, error: GraphQLError) -> None:
    log.error("error_masked", error_id=error_id, exc_info=error.original_error)

"""The front door of one system: documents, persisted operations, limits and budgets, as the settings have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from app.settings import Settings
from db.access.operations import SqlRegistered
from graph.admission import Admission
from graph.budgets import Budgets, Places
from graph.documents import Documents
from graph.execution import Execution
from graph.fleet import samples_of
from graph.http import EventStreams, GraphQLEndpoint, GraphQLSockets, HttpRules, Observer, Open, Profile
from graph.limits import Limits, document_check
from graph.persisted import Persisted, shipped
from graph.subscriptions.declaration import Sample
from graph.subscriptions.hub import Hub
from graph.subscriptions.lines import Rules
from graph.subscriptions.watching import Watches

if TYPE_CHECKING:
    from app.wiring import System


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """What serves `/graphql`, and what it is made of."""

    execution: Execution
    admission: Admission
    hub: Hub
    open: Open
    http: ASGIApp
    sockets: ASGIApp


def limits_of(settings: Settings) -> Limits:
    """Return what one request may ask."""
    return Limits(
        document_characters=settings.limit_document_characters,
        tokens=settings.limit_tokens,
        depth=settings.limit_depth,
        nesting=settings.limit_nesting,
        aliases=settings.limit_aliases,
        directives=settings.limit_directives,
        introspection_depth=settings.limit_introspection_depth,
        nodes=settings.limit_nodes,
        points=settings.limit_points,
        list_items=settings.limit_list_items,
        digits=settings.limit_digits,
        body_bytes=settings.limit_body_bytes,
        variable_bytes=settings.limit_variable_bytes,
        response_bytes=settings.limit_response_bytes,
        deadline_seconds=settings.operation_seconds,
        body_seconds=settings.body_seconds,
    )


def rules_of(settings: Settings) -> Rules:
    """Return what holds for connections that stay open."""
    return Rules(
        heartbeat_seconds=settings.heartbeat_seconds,
        init_seconds=settings.init_seconds,
        recheck_seconds=settings.recheck_seconds,
        connections_per_caller=settings.connections_per_caller,
        operations_per_socket=settings.operations_per_socket,
        subscriptions_per_caller=settings.subscriptions_per_caller,
        waiting_frames=settings.waiting_frames,
        waiting_bytes=settings.waiting_bytes,
    )


def front_door(system: System, observer: Observer) -> FrontDoor:
    """Make the front door of an open system."""
    settings, limits = system.settings, limits_of(system.settings)
    documents = Documents(system.schema, [document_check(limits)], tokens=limits.tokens, nesting=limits.nesting)
    execution = Execution(system.schema, documents, system.answers, observer.masked)
    persisted = Persisted(
        shipped(),
        SqlRegistered(system.pool),
        automatic=settings.automatic_persistence,
        only_registered=settings.only_persisted,
    )
    admission = Admission(
        execution,
        persisted,
        limits,
        Budgets(settings.rate_points, settings.rate_points_per_second),
        Places(settings.operations_at_once, settings.operations_at_once_per_caller),
    )
    rules = rules_of(settings)

    async def machines() -> list[Sample]:
        return samples_of(await system.fleet.view())

    hub = Hub(
        system.schema,
        execution.planner,
        system.answers,
        system.events,
        system.event_key,
        observer.masked,
        rules.subscriptions_per_caller,
        Watches(system.schema, system.context_for, machines, settings.fleet_seconds),
    )
    shared = Open(admission, execution, hub, system.context, rules)
    system.metrics.watch(shared, system.answers)
    http = HttpRules(Profile(settings.http_profile), texts_by_get=settings.texts_by_get)
    endpoint = GraphQLEndpoint(admission, execution, system.context, observer, http)
    return FrontDoor(
        execution,
        admission,
        hub,
        shared,
        EventStreams(endpoint, shared, texts_by_get=settings.texts_by_get),
        GraphQLSockets(shared),
    )

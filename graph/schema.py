"""The schema: the nouns' root fields merged into Query, Mutation and Subscription."""

from __future__ import annotations

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext

from domain.errors import Invalid
from graph import (
    access,
    assets,
    audit,
    canvases,
    cctv,
    fleet,
    inference,
    interactions,
    jobs,
    leads,
    notifications,
    opportunities,
    people,
    perception,
    properties,
    proposals,
    renders,
    tasks,
    threads,
    videos,
)
from graph.context import Info
from graph.converting import prepare
from graph.declaration import Node, root
from graph.declarations import complete
from graph.documents import UsePrepared
from graph.fields import field
from graph.problems import HANDLERS
from graph.registry import REGISTRY
from graph.scalars import SCALARS
from graph.selection import raw
from graph.unawaited import Executor

LARGEST_NODES = 100


@root
class NodeQuery:
    """The Relay roots."""

    @field("The row behind any global id, or null.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        """Answer one row."""
        return await info.context.loaders.node(raw(info), id)

    @field("The rows behind global ids, in their order; null where there is none.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """Answer several rows."""
        if len(ids) > LARGEST_NODES:
            raise Invalid(f"`ids` takes at most {LARGEST_NODES}; {len(ids)} were sent.", field="ids")
        return await info.context.loaders.nodes(raw(info), ids)


QUERIES = (
    NodeQuery,
    access.AccessQuery,
    audit.AuditQuery,
    people.PersonQuery,
    leads.LeadQuery,
    leads.PipelineQuery,
    leads.LeadDemographicsQuery,
    opportunities.OpportunityQuery,
    properties.PropertyQuery,
    proposals.ProposalQuery,
    interactions.InteractionQuery,
    jobs.JobQuery,
    inference.InferenceQuery,
    tasks.TaskQuery,
    perception.ScatterQuery,
    perception.ConsentQuery,
    perception.PerceptionSessionQuery,
    videos.VideoQuery,
    notifications.NotificationQuery,
    threads.ThreadQuery,
    canvases.CanvasQuery,
    canvases.MergeRequestQuery,
    cctv.CctvQuery,
    fleet.FleetQuery,
)
MUTATIONS = (
    access.AccessMutation,
    access.ApiKeyMutation,
    assets.AssetMutation,
    people.PersonMutation,
    people.PersonMergeMutation,
    leads.LeadMutation,
    leads.LeadTagMutation,
    opportunities.OpportunityMutation,
    properties.PropertyMutation,
    properties.PropertyMediaMutation,
    proposals.ProposalMutation,
    interactions.InteractionMutation,
    jobs.JobMutation,
    inference.InferenceMutation,
    renders.RenderMutation,
    tasks.TaskMutation,
    threads.ThreadMutation,
    perception.ConsentMutation,
    perception.PerceptionSessionMutation,
    videos.VideoMutation,
    notifications.NotificationMutation,
    canvases.CanvasMutation,
    canvases.MergeRequestMutation,
    cctv.CctvMutation,
    fleet.FleetMutation,
)
SUBSCRIPTIONS = (
    audit.AuditSubscription,
    threads.ThreadSubscription,
    canvases.CanvasSubscription,
    perception.PerceptionSubscription,
    notifications.NotificationSubscription,
    jobs.JobSubscription,
    fleet.FleetSubscription,
)


class Schema(strawberry.Schema):
    """Strawberry's schema; errors are reported where they are shaped for the client, not logged here as well."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave it to `graph.http`."""


def build() -> Schema:
    """Make the schema from everything that was declared."""
    complete()
    query, mutation = merge_types("Query", QUERIES), merge_types("Mutation", MUTATIONS)
    subscription = merge_types("Subscription", SUBSCRIPTIONS)
    schema = Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=[declared for declared in REGISTRY.types.values() if hasattr(declared, "__strawberry_definition__")],
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[UsePrepared],
        exception_handlers=(*canvases.HANDLERS, *HANDLERS),
        execution_context_class=Executor,
    )
    prepare(schema)
    return schema

"""The root fields of the plain peer, and its server: Strawberry's own ASGI application on uvicorn."""

from __future__ import annotations

import json
import os
from uuid import UUID

import strawberry
import uvloop
from asyncpg import Pool, Record
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from bench.plain.connections import (
    Connection,
    Info,
    LeadFilter,
    LeadOrder,
    Money,
    PropertyFilter,
    PropertyOrder,
    given,
    page,
)
from bench.plain.interactions import KINDS
from bench.plain.people import CARD, LEAD, NAMED, Lead, Person, SystemActor, UserActor
from bench.plain.properties import Property, whole_property
from bench.plain.rows import Rows, made
from bench.serving import pool_of, serve


@strawberry.type
class PipelineStage:
    stage: str
    lead_count: int
    budget_totals: list[Money]

    @strawberry.field
    async def leads(self, info: Info, first: int) -> Connection[Lead]:
        found = await given(info).many("leads_of_stages", CARD, "stage", self.stage, first + 1)
        return page(found, first, ("CREATED_AT", "created_at"))


@strawberry.type
class Pipeline:
    stages: list[PipelineStage]


@strawberry.type
class PropertyConnection(Connection[Property]):
    total_count: int


# Arguments that are not used are there because the documents send them: there is one order, and no filter.
@strawberry.type
class Query:
    @strawberry.field
    async def leads(
        self,
        info: Info,
        first: int,
        after: str | None = None,  # noqa: ARG002
        filter: LeadFilter | None = None,  # noqa: ARG002
        order_by: LeadOrder | None = None,  # noqa: ARG002
    ) -> Connection[Lead]:
        found = [LEAD(row) for row in await given(info).fetch("leads", first + 1)]
        return page(found, first, ("CREATED_AT", "created_at"))

    @strawberry.field
    async def person(self, info: Info, id: strawberry.ID) -> Person | None:
        selected = {field.name for root in info.selected_fields for field in root.selections if hasattr(field, "name")}
        if selected <= {"id", "fullName"}:
            return next((NAMED(row) for row in await given(info).fetch("name_of_person", UUID(id))), None)
        return next((made(Person)(row) for row in await given(info).fetch("person", UUID(id))), None)

    @strawberry.field
    async def event_cursor(self, info: Info) -> str:
        [row] = await given(info).fetch("event_cursor")
        return str(row["event_sequence"])

    @strawberry.field
    async def pipeline(self, info: Info, filter: LeadFilter | None = None) -> Pipeline:  # noqa: ARG002
        return Pipeline(
            stages=[
                PipelineStage(
                    stage=row["stage"],
                    lead_count=row["lead_count"],
                    budget_totals=[Money(**each) for each in json.loads(row["budget_totals"])],
                )
                for row in await given(info).fetch("pipeline_stages")
            ]
        )

    @strawberry.field
    async def properties(
        self,
        info: Info,
        first: int,
        after: str | None = None,  # noqa: ARG002
        filter: PropertyFilter | None = None,  # noqa: ARG002
        order_by: PropertyOrder | None = None,  # noqa: ARG002
    ) -> PropertyConnection:
        found = [whole_property(row) for row in await given(info).fetch("properties", first + 1)]
        [counted] = await given(info).fetch("count_of_properties")
        shown = page(found, first, ("CREATED_AT", "created_at"))
        return PropertyConnection(edges=shown.edges, page_info=shown.page_info, total_count=counted["total"])


class Plain(GraphQL[Rows, None]):
    """Strawberry's application, with the loaders of each request for a context."""

    pool: Pool[Record]

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Rows:  # noqa: ARG002
        return Rows(self.pool)


async def main() -> None:
    schema = strawberry.Schema(
        Query,
        types=[*KINDS.values(), UserActor, SystemActor],
        # Without these two, every request would be parsed and validated again.
        extensions=[ParserCache, ValidationCache],
    )
    app = Plain(schema, graphql_ide=None)
    app.pool = await pool_of(os.environ["DSN"])
    await serve(app)


if __name__ == "__main__":
    uvloop.run(main())

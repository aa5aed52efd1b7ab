"""The demo's boards open full for those whose rows they have, and with their own for everybody else."""

from typing import Any

import pytest

from app.commands.access_token import caller_of
from app.demo.team import MERIDIAN, SAFFRON, TenantPlan
from app.wiring import System
from db.canvases.chain import broken_revisions
from domain.access import Role
from tests.api import Api
from tests.factories.access import Tenant

BOARDS = """
{ canvases(first: 9) { edges { node { title head {
  id message components { key data { state rows columns { name } } }
} } } } }
"""
WITH_ROWS = {"leads", "qd", "sources", "tasks", "stages"}


async def board(demo_system: System, plan: TenantPlan, role: Role) -> tuple[dict[str, Any], Api]:
    """The head of a tenant's board as the demo user of a role sees it."""
    caller = await caller_of(demo_system, plan.email(role))
    api = Api(demo_system, Tenant(caller.tenant_id, users={role: caller.as_user()}))
    edges = (await api.data(BOARDS, caller=caller))["canvases"]["edges"]
    [found] = [edge["node"] for edge in edges if edge["node"]["title"] == "Sales floor"]
    return found["head"], api


@pytest.mark.parametrize("plan", [SAFFRON, MERIDIAN], ids=lambda plan: plan.slug)
@pytest.mark.parametrize("role", [Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN], ids=lambda role: role.name)
async def test_a_board_opens_with_its_rows(demo_system: System, plan: TenantPlan, role: Role) -> None:
    head, _ = await board(demo_system, plan, role)
    data = {each["key"]: each["data"] for each in head["components"] if each["data"] is not None}

    assert head["message"] == "What the floor has today"
    assert {key: each["state"] for key, each in data.items()} == dict.fromkeys(WITH_ROWS, "READY")
    assert all(each["rows"] for each in data.values())
    # What the components show is there.
    names = {key: {column["name"] for column in each["columns"]} for key, each in data.items()}
    assert {"stage", "personFullName", "budget"} <= names["stages"]
    assert {"key", "count"} <= names["sources"]
    assert "personLatestQdScore" in names["qd"]


async def test_a_junior_reads_their_own_rows_of_it(demo_system: System) -> None:
    head, api = await board(demo_system, SAFFRON, Role.JUNIOR_BROKER)
    states = {each["key"]: each["data"]["state"] for each in head["components"] if each["data"] is not None}
    caller = await caller_of(demo_system, SAFFRON.email(Role.JUNIOR_BROKER))
    answer = await api.data("CanvasData", caller=caller, revisionId=head["id"], keys=sorted(WITH_ROWS))
    rerun = {each["key"]: each["data"] for each in answer["canvasRevision"]["componentData"]}

    assert states == dict.fromkeys(WITH_ROWS, "RERUN")
    assert {key: each["state"] for key, each in rerun.items()} == dict.fromkeys(WITH_ROWS, "READY")
    assert rerun["leads"]["rows"]


async def test_its_history_verifies_and_its_merge_request_still_waits(demo_system: System) -> None:
    assert [each async for each in broken_revisions(demo_system.database.owner)] == []
    _, api = await board(demo_system, SAFFRON, Role.SALES_DIRECTOR)
    caller = await caller_of(demo_system, SAFFRON.email(Role.SALES_DIRECTOR))
    reviews = "reviews { edges { node { decision } } }"
    document = f"{{ mergeRequests {{ edges {{ node {{ title status conflicts {{ path }} {reviews} }} }} }} }}"
    edges = (await api.data(document, caller=caller))["mergeRequests"]["edges"]
    [edge] = [each for each in edges if each["node"]["title"] == "Start earlier"]

    assert (edge["node"]["status"], [each["path"] for each in edge["node"]["conflicts"]]) == (
        "OPEN", ["visualization.markdown"]
    )  # fmt: skip
    assert [each["node"]["decision"] for each in edge["node"]["reviews"]["edges"]] == ["REQUEST_CHANGES"]

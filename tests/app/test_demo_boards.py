"""The demo's boards open full for those whose rows they have, and with their own for everybody else."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.database import Database
from app.demo.team import MERIDIAN, SAFFRON, TenantPlan
from app.issuing import caller_of
from app.seeding import load_demo
from app.settings import Settings
from app.wiring import System, system
from db.canvases.chain import broken_revisions
from db.migrations import migrate
from db.server import temporary_server
from domain.access import Role
from tests.api import Api
from tests.factories.access import Tenant

BOARDS = """
{ canvases(first: 9) { edges { node { title forkedFrom { id } head {
  id message components { key data { state rows columns { name } } }
} } } } }
"""
WITH_ROWS = {"leads", "qd", "sources", "tasks", "stages"}


@pytest.fixture(scope="module")
async def loaded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system with the demo as `velocity seed` leaves it."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("demo"))
    with temporary_server() as server:
        await migrate(server.addresses.owner)
        found = Database(server.addresses.app, server.addresses.owner, embedded=True)
        await load_demo(settings, found, 0.05)
        async with system(settings, found) as opened:
            yield opened


async def board(loaded: System, plan: TenantPlan, role: Role) -> tuple[dict[str, Any], Api]:
    """The head of a tenant's board as the demo user of a role sees it."""
    caller = await caller_of(loaded, plan.email(role))
    api = Api(loaded, Tenant(caller.tenant_id, users={role: caller.as_user()}))
    edges = (await api.data(BOARDS, caller=caller))["canvases"]["edges"]
    [found] = [edge["node"] for edge in edges if edge["node"]["forkedFrom"] is None]
    assert found["title"] == "Sales floor"
    return found["head"], api


@pytest.mark.parametrize("plan", [SAFFRON, MERIDIAN], ids=lambda plan: plan.slug)
@pytest.mark.parametrize("role", [Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN], ids=lambda role: role.name)
async def test_a_board_opens_with_its_rows(loaded: System, plan: TenantPlan, role: Role) -> None:
    head, _ = await board(loaded, plan, role)
    data = {each["key"]: each["data"] for each in head["components"] if each["data"] is not None}

    assert head["message"] == "What the floor has today"
    assert {key: each["state"] for key, each in data.items()} == dict.fromkeys(WITH_ROWS, "READY")
    assert all(each["rows"] for each in data.values())
    # What the components show is there.
    names = {key: {column["name"] for column in each["columns"]} for key, each in data.items()}
    assert {"stage", "personFullName", "budget"} <= names["stages"]
    assert {"key", "count"} <= names["sources"]
    assert "personLatestQdScore" in names["qd"]


async def test_a_junior_reads_their_own_rows_of_it(loaded: System) -> None:
    head, api = await board(loaded, SAFFRON, Role.JUNIOR_BROKER)
    states = {each["key"]: each["data"]["state"] for each in head["components"] if each["data"] is not None}
    caller = await caller_of(loaded, SAFFRON.email(Role.JUNIOR_BROKER))
    answer = await api.data("CanvasData", caller=caller, revisionId=head["id"], keys=sorted(WITH_ROWS))
    rerun = {each["key"]: each["data"] for each in answer["canvasRevision"]["componentData"]}

    assert states == dict.fromkeys(WITH_ROWS, "RERUN")
    assert {key: each["state"] for key, each in rerun.items()} == dict.fromkeys(WITH_ROWS, "READY")
    assert rerun["leads"]["rows"]


async def test_its_history_verifies_and_its_merge_request_still_waits(loaded: System) -> None:
    assert [each async for each in broken_revisions(loaded.database.owner)] == []
    _, api = await board(loaded, SAFFRON, Role.SALES_DIRECTOR)
    caller = await caller_of(loaded, SAFFRON.email(Role.SALES_DIRECTOR))
    document = (
        "{ mergeRequests { edges { node { status conflicts { path } reviews { edges { node { decision } } } } } } }"
    )
    [edge] = (await api.data(document, caller=caller))["mergeRequests"]["edges"]

    assert (edge["node"]["status"], [each["path"] for each in edge["node"]["conflicts"]]) == (
        "OPEN", ["visualization.markdown"]
    )  # fmt: skip
    assert [each["node"]["decision"] for each in edge["node"]["reviews"]["edges"]] == ["REQUEST_CHANGES"]

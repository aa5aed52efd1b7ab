"""`velocity explain` tells the statement, the plan and the indexes of a document, or why there is no statement."""

import json

import pytest

from app.explain import explain
from app.failures import CannotContinue
from app.settings import Settings
from app.wiring import System
from db.server import Addresses
from tests.api import operation
from tests.demo import SIGN_INS, Demo

DIRECTOR, JUNIOR = "director@saffron.example", "junior@saffron.example"


@pytest.fixture
def settings(system: System, database: Addresses) -> Settings:
    return system.settings.model_copy(update={"database_url": database.app, "database_owner_url": database.owner})


async def test_a_client_operation_is_explained(settings: Settings, demo_tenant: Demo) -> None:
    assert DIRECTOR in SIGN_INS.values()
    told = await explain(settings, operation("LeadBoard"), "LeadBoard", json.dumps({"first": 20}), DIRECTOR)

    statement, plan, indexes = (told.index(part) for part in ("-- The statement\n", "-- The plan\n", "-- Indexes\n"))
    assert statement < plan < indexes
    assert "select convert_to(concat('{\"leads\":'" in told[statement:plan]
    assert "actual time=" in told[plan:indexes]
    assert "ix_leads_tenant_id_created_at_id\n" in told[indexes:]
    assert "\n-- Planned in " in told[indexes:]
    assert told.endswith(" ms")


@pytest.mark.parametrize(
    ("text", "variables", "email", "told"),
    [
        ("{ __schema { queryType { name } } }", "{}", DIRECTOR, "run this document: __schema is answered by graphql"),
        (operation("AuditTrail"), '{"first": 1}', JUNIOR, "run this document: The caller's role lacks a permission"),
        ("{ leads(first: 101) { totalCount } }", "{}", DIRECTOR, "refuse this request: `first` is from 0 to 100"),
        ('{ leads(after: "x") { totalCount } }', "{}", DIRECTOR, "refuse this request: This cursor is not one of"),
    ],
)  # fmt: skip
async def test_why_there_is_no_statement(
    text: str, variables: str, email: str, told: str, settings: Settings, demo_tenant: Demo
) -> None:
    assert (await explain(settings, text, None, variables, email)).startswith(f"Resolvers {told}")


@pytest.mark.parametrize(
    ("text", "variables", "refusal"),
    [
        ("{ leads { edges } }", "{}", "must have a selection of subfields"),
        ("{ viewer { id } }", "{", "The variables are no JSON"),
        ("{ viewer { id } }", "[]", "The variables are a JSON object."),
    ],
)
async def test_what_cannot_be_explained(text: str, variables: str, refusal: str, settings: Settings) -> None:
    with pytest.raises(CannotContinue, match=refusal):
        await explain(settings, text, None, variables, DIRECTOR)

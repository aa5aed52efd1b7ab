"""The proof at start-up: what the schema declares and `db` does not keep is named."""

import re
import subprocess
import sys

import pytest

from db.sources import CATALOGUE, disagreements
from domain.reading import Declaration, FieldDeclaration, FieldKind
from graph.declarations import declarations
from graph.schema import build
from tests.installation import ROOT

COLUMN, LINK, CONNECTION = FieldKind.COLUMN, FieldKind.LINK, FieldKind.CONNECTION


def test_the_schema_and_the_sources_agree() -> None:
    build()
    assert disagreements(CATALOGUE, declarations()) == []


def test_every_table_that_a_statement_names_is_known_without_alembic() -> None:
    text = "".join(path.read_text() for path in (ROOT / "db").rglob("*.py"))
    named = set(re.findall(r'\balias\("([a-z_]+)"\)', text))
    assert {"tenant_heads", "leads"} < named
    # A process of its own: here, the migrations have imported everything.
    script = (
        "import sys, app.serve; from db.tables import metadata;"
        "assert 'alembic' not in sys.modules; print(*metadata.tables)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert named - set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (FieldDeclaration("colour", COLUMN, nullable=True), "leads.colour: no column has this name."),
        (
            FieldDeclaration("budget", COLUMN, nullable=False),
            "leads.budget: not null in graph, but null or masked in db.",
        ),
        (FieldDeclaration("owner", LINK, nullable=True, target="users"), "leads.owner: no link has this name."),
        (
            FieldDeclaration("person", LINK, nullable=False, target="users"),
            "leads.person: leads to 'users' in graph, to 'people' in db.",
        ),
        (
            FieldDeclaration("assignee", LINK, nullable=False, target="users"),
            "leads.assignee: not null in graph, but its key may be null.",
        ),
        (
            FieldDeclaration("person", CONNECTION, nullable=False, target="people"),
            "leads.person: a connection or a list needs a remote column.",
        ),
    ],
)
def test_a_broken_promise_is_named(field: FieldDeclaration, found: str) -> None:
    declared = Declaration("leads", "lead", (field,))
    assert disagreements(CATALOGUE, [declared]) == [found]


def test_missing_filters_orders_sources_and_prefixes_are_named() -> None:
    leads = Declaration("leads", "lead", (), filters=("mood",), orders=("MOOD",))
    boats = Declaration("boats", "boat", ())
    wrong = Declaration("leads", "led", ())
    assert disagreements(CATALOGUE, [leads, boats, wrong]) == [
        "leads: no filter 'mood' in db.",
        "leads: no order 'MOOD' in db.",
        "boats: no source has this name.",
        "leads: the prefix is 'led' in graph, 'lead' in db.",
    ]


def test_what_is_wrong_inside_a_value_is_named() -> None:
    money = Declaration("money", None, (FieldDeclaration("amount", COLUMN, nullable=False),))
    cents = Declaration("cents", None, (FieldDeclaration("cents", COLUMN, nullable=False),))
    leads = Declaration(
        "leads",
        "lead",
        (
            FieldDeclaration("budget", COLUMN, nullable=True, target="money"),
            FieldDeclaration("budget", COLUMN, nullable=True, target="cents"),
        ),
    )

    assert disagreements(CATALOGUE, [money, cents, leads]) == ["cents.cents: no column has this name."]


def test_what_is_wrong_with_a_free_standing_value_is_named() -> None:
    stage = Declaration(
        "pipeline_stage",
        None,
        (
            FieldDeclaration("stage", COLUMN, nullable=False),
            FieldDeclaration("mood", COLUMN, nullable=True),
            FieldDeclaration("leads", CONNECTION, nullable=False, target="people"),
        ),
    )
    band = Declaration("budget_band", None, (FieldDeclaration("min", COLUMN, nullable=False),))
    spread = Declaration(
        "lead_demographics", None, (FieldDeclaration("by_budget_band", COLUMN, nullable=False, target="budget_band"),)
    )

    assert disagreements(CATALOGUE, [stage, band, spread]) == [
        "pipeline_stage.mood: no column has this name.",
        "pipeline_stage.leads: leads to 'people' in graph, to 'leads' in db.",
        "budget_band.min: not null in graph, but null or masked in db.",
    ]

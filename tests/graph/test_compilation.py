"""What compiles and what does not, by its reason; and what compiling keeps is bounded, whatever clients ask for."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import strawberry
from graphql import GraphQLArgument, GraphQLField, GraphQLObjectType, GraphQLString

from db.reading.answers import SqlAnswers
from db.reading.compiler import Compiler, Extents
from db.reading.fields import enum, value
from db.reading.source import Catalogue
from db.reading.statements import page_range
from db.reading.template import TemplateWriter
from db.sources import CATALOGUE
from domain.access import Caller, Role
from domain.answers import AnyOf, ById, Entry, Leaf, Listed, Many, Nested, One, Part, Plan, Shape
from domain.reading import Page
from graph.compilation import ANONYMOUS, Uncompiled, plans
from graph.documents import MOST_QUESTIONS, Documents
from graph.execution import REFUSED, Execution, GraphRequest
from graph.schema import build
from tests.api import Api, operation, unmasked

ROOT = Path(__file__).parents[2]
SWITCHED = """query Switched($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!, $e: Boolean!, $f: Boolean!) {
  viewer { id role @include(if: $a) fullName @include(if: $b) email @include(if: $c)
    a: id @skip(if: $d) b: id @skip(if: $e) c: id @skip(if: $f) }
}"""
PAGED = "query Paged($first: Int, $last: Int) { leads(first: $first, last: $last) { totalCount } }"


def execution(api: Api, answers: SqlAnswers) -> Execution:
    """Make an execution that keeps nothing of earlier ones."""
    return Execution(api.system.schema, Documents(api.system.schema), answers, unmasked)


async def test_plans_of_one_operation_are_bounded_and_each_is_right(api: Api) -> None:
    running = execution(api, api.system.answers)
    caller = api.tenant.caller(Role.ADMIN)
    for values in product((True, False), repeat=6):
        variables = dict(zip("abcdef", values, strict=True))
        answer = await running.execute(GraphRequest(SWITCHED, None, variables), api.context(caller))
        assert answer.compiled
        selected = (values[0], values[1], values[2], not values[3], not values[4], not values[5])
        assert answer.body.count(b":") == 3 + sum(selected), (variables, answer.body)
    [compilation] = running.documents.get(SWITCHED).compilations.values()
    assert len(compilation.plans) == plans.KEPT == 32


async def test_statements_are_bounded_and_those_used_last_stay(api: Api) -> None:
    system = api.system
    answers = SqlAnswers(CATALOGUE, system.pool, system.answers.keys, kept=2)
    running = execution(api, answers)

    async def ask(role: Role, **variables: int) -> None:
        context = api.context(api.tenant.caller(role))
        answer = await running.execute(GraphRequest(PAGED, None, variables), context)
        assert answer.compiled, answer.body

    await ask(Role.ADMIN, first=1)
    await ask(Role.ADMIN, first=7)
    assert (len(answers), answers.hits, answers.misses, answers.evictions) == (1, 1, 1, 0)
    await ask(Role.ADMIN, last=1)
    await ask(Role.ADMIN, first=2)
    await ask(Role.JUNIOR_BROKER, first=1)
    assert (len(answers), answers.hits, answers.misses, answers.evictions) == (2, 2, 3, 1)
    await ask(Role.ADMIN, first=3)
    assert answers.hits == 3, "the one used last stayed"
    await ask(Role.ADMIN, last=3)
    assert (len(answers), answers.hits, answers.misses, answers.evictions) == (2, 3, 4, 2)


async def test_what_is_known_of_a_question_is_nobodys_right_to_its_answer(api: Api) -> None:
    """The same question is planned once, and each caller is looked at."""
    text, name = "{ apiKeys(first: 1) { totalCount } }", "{ viewer { role } }"
    allowed, refused = Role.ADMIN, Role.JUNIOR_BROKER
    for role in (allowed, refused, allowed):
        answer = await api.run(text, role=role)
        assert ("errors" in answer and bool(answer["errors"])) is (role is refused)
        assert await api.data(name, role=role) == {"viewer": {"role": role.value}}


def test_questions_with_equal_variables_of_other_types_are_others(api: Api) -> None:
    prepared = Documents(api.system.schema).get(PAGED)
    one, same, true, real, none, without = (
        prepared.question(None, variables)
        for variables in ({"first": 1}, {"first": 1}, {"first": True}, {"first": 1.0}, {"first": None}, {})
    )
    assert one is same
    assert len({id(each) for each in (one, true, real, none, without)}) == 5
    assert prepared.question("Paged", {"first": 1}) is not one


def test_questions_of_one_document_are_bounded(api: Api) -> None:
    prepared = Documents(api.system.schema).get(PAGED)
    first = prepared.question(None, {"first": 0})
    for number in range(1, MOST_QUESTIONS):
        prepared.question(None, {"first": number})
    assert prepared.question(None, {"first": 0}) is first
    prepared.question(None, {"first": MOST_QUESTIONS})
    prepared.question(None, {"first": {"large": 1}})
    prepared.question(None, {"first": "x" * 1_000})
    assert len(prepared.questions) == MOST_QUESTIONS
    assert prepared.question(None, {"first": 0}) is not first, "the one asked longest ago went"


REASONS: dict[str, tuple[str, dict[str, object]]] = {
    "Mutations do not compile.": (operation("ApiKeyRevoke"), {"apiKeyId": "api_key_none"}),
    "__schema is answered by graphql-core.": ("{ __schema { queryType { name } } }", {}),
    "The caller's role lacks a permission; resolvers say which.": ("{ apiKeys(first: 1) { totalCount } }", {}),
    "Variables do not fit their types; resolvers say how.": (PAGED, {"first": "two"}),
    "Too many ids; resolvers say how many are allowed.": (
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": ["lead_none"] * 101},
    ),
}


def planned(running: Execution, text: str, variables: dict[str, object], caller: Caller) -> None:
    """Plan a document and evaluate what it gives, without running it."""
    prepared = running.documents.get(text)
    assert not prepared.errors
    only = prepared.operation(None)
    coerced = running.planner.coerced(prepared, only, variables)
    running.planner.compiled(prepared, only, coerced, caller).given(coerced)


@pytest.mark.parametrize("reason", REASONS)
async def test_each_reason_is_given(reason: str, api: Api) -> None:
    text, variables = REASONS[reason]
    with pytest.raises(Uncompiled) as found:
        planned(execution(api, api.system.answers), text, variables, api.tenant.caller(Role.JUNIOR_BROKER))
    assert str(found.value) == reason


async def test_a_refused_argument_is_worded_by_resolvers(api: Api) -> None:
    running = execution(api, api.system.answers)
    request = GraphRequest("{ leads(first: 101) { totalCount } }", None, {})
    answer = await running.execute(request, api.context(api.tenant.caller(Role.ADMIN)))
    assert (answer.reason, dict(running.fallbacks)) == (REFUSED, {REFUSED: 1})
    assert b"`first` is from 0 to 100; 101 was asked for." in answer.body


async def test_anonymous_callers_are_answered_by_resolvers(api: Api) -> None:
    running = execution(api, api.system.answers)
    answer = await running.execute(GraphRequest("{ viewer { id } }", None, {}), api.context(None))
    assert (answer.body, answer.reason) == (b'{"data":{"viewer":null}}', ANONYMOUS)


async def test_a_function_or_a_leaf_with_arguments_does_not_compile(api: Api) -> None:
    """The schema has none of these at present, so this one is given some."""
    schema = build()
    types = schema._schema.type_map
    query, lead = types["Query"], types["Lead"]
    assert isinstance(query, GraphQLObjectType)
    assert isinstance(lead, GraphQLObjectType)
    function = {"strawberry-definition": strawberry.field(resolver=lambda: "now")}
    query.fields["now"] = GraphQLField(GraphQLString, extensions=function)
    lead.fields["source"].extensions = function
    lead.fields["stage"].args = {"in": GraphQLArgument(GraphQLString)}
    running = Execution(schema, Documents(schema), api.system.answers, unmasked)
    found = {}
    for text in ("{ now }", "{ leads { edges { node { source } } } }", "{ leads { edges { node { stage } } } }"):
        with pytest.raises(Uncompiled) as uncompiled:
            planned(running, text, {}, api.tenant.caller(Role.ADMIN))
        found[text] = str(uncompiled.value)
    assert list(found.values()) == [
        "Query.now is answered by a function.",
        "Lead.source is answered by a function.",
        "stage is a leaf with arguments.",
    ]


def reasons_in_code() -> Iterator[str]:
    """Return what every Uncompiled that is raised says, with a * for what differs from document to document."""
    yield REFUSED
    yield plans.LACKS_PERMISSION
    for path in sorted((ROOT / "graph").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Uncompiled"):
                continue
            [said] = node.args
            if isinstance(said, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in said.values)
            elif isinstance(said, ast.Constant):
                yield str(said.value)
            else:
                assert isinstance(said, ast.Name)
                yield getattr(plans, said.id)


def reasons_in_documentation() -> list[str]:
    """Return the second column of the table in docs/compiled-reads.md."""
    table = re.findall(r"^\|([^|]*)\|([^|]*)\|[^|]*\|$", (ROOT / "docs/compiled-reads.md").read_text(), re.MULTILINE)
    return [re.sub(r"\*[^*]+\*", "*", reason.strip()) for _, reason in table[2:]]


def test_every_reason_is_in_the_documentation_and_no_other() -> None:
    documented = reasons_in_documentation()
    assert sorted(documented) == sorted(set(reasons_in_code()))
    assert len(documented) == 10


async def test_what_directives_say_outright_needs_one_plan(api: Api) -> None:
    running = execution(api, api.system.answers)
    text = "{ viewer { id @include(if: true) email @skip(if: true) } }"
    answer = await running.execute(GraphRequest(text, None, {}), api.context(api.tenant.caller(Role.ADMIN)))
    assert answer.compiled
    [compilation] = running.documents.get(text).compilations.values()
    assert (compilation.switches, list(compilation.plans)) == ((), [()])


LEADS = Shape("leads", {"": "Lead"}, {"": (Leaf("id", "id"),)})


def below(part: Part, noun: str = "leads") -> ById:
    """Select a part of a row."""
    return ById("row", 0, Shape(noun, {"": "Row"}, {"": (part,)}))


@pytest.mark.parametrize(
    ("part", "refusal"),
    [
        (Many("x", "leads", LEADS), "is no root field."),
        (Leaf("x", "still"), "still is no computed leaf."),
        (below(ById("x", 0, LEADS)), "is no field of a row."),
        (below(AnyOf("x", "person", ())), "is no link."),
        (below(One("x", "actor", LEADS), "audit_entries"), "is no reference."),
        (Nested("x", "still", "Still", None, (ById("x", 0, LEADS),)), "is no field of a value."),
        (Nested("x", "still", "Still", None, (Leaf("x", "inner"),)), "is no value."),
        (Listed("x", "leads", "leads", 0, (Entry("x", "sum"),), {}), "A connection has no sum."),
        (Listed("x", "leads", "leads", 0, (Entry("x", "edges", (Entry("x", "sum"),)),), {}), "An edge has no sum."),
        (
            Listed("x", "leads", "leads", 0, (Entry("x", "page_info", (Entry("x", "sum"),)),), {}),
            "The page information has no sum.",
        ),
    ],
)
def test_a_plan_that_no_statement_can_answer_is_refused(part: Part, refusal: str, api: Api) -> None:
    caller, catalogue = api.tenant.caller(Role.ADMIN), Catalogue()
    catalogue.add(*CATALOGUE.sources.values())
    catalogue.values["still"] = value({"value": enum("stage"), "inner": value({"value": enum("stage")})})
    everything = page_range(CATALOGUE.sources["leads"], Page(), api.system.answers.keys.cursor, caller.tenant_id)
    compiler = Compiler(TemplateWriter(caller), catalogue, Extents([(everything, ())], [], []))
    with pytest.raises(TypeError, match=re.escape(refusal)):
        compiler.document(Plan((part,), "Query"))

"""What compiling keeps is bounded, whatever clients ask for."""

from itertools import product

from db.reading.answers import SqlAnswers
from db.sources import CATALOGUE
from domain.access import Role
from graph.compilation import plans
from graph.documents import Documents
from graph.execution import Execution, GraphRequest
from tests.api import Api

SWITCHED = """query Switched($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!, $e: Boolean!, $f: Boolean!) {
  viewer { id role @include(if: $a) fullName @include(if: $b) email @include(if: $c)
    a: id @skip(if: $d) b: id @skip(if: $e) c: id @skip(if: $f) }
}"""
PAGED = "query Paged($first: Int, $last: Int) { leads(first: $first, last: $last) { totalCount } }"


def execution(api: Api, answers: SqlAnswers) -> Execution:
    """Make an execution that keeps nothing of earlier ones."""
    return Execution(api.system.schema, Documents(api.system.schema), answers, _fail)


def _fail(_error_id: str, error: Exception) -> None:
    raise error


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

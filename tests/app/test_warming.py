"""Trusted documents are planned at start: a request for one writes no new statement."""

from app.admission import front_door
from app.asgi import Observer
from app.warming import warm
from domain.access import Role
from graph.context import GraphContext
from graph.execution import GraphRequest
from graph.persisted.manifests import shipped
from tests.api import operation
from tests.demo import Demo


async def test_a_warmed_document_finds_its_statement(demo_tenant: Demo) -> None:
    system = demo_tenant.api.system
    door = front_door(system, Observer(system))
    texts = [each.text for each in shipped()]
    assert await warm(system, door.execution, texts) > 4 * 20
    before = system.answers.misses
    context: GraphContext = demo_tenant.api.context(demo_tenant.caller(Role.JUNIOR_BROKER))
    request = GraphRequest(operation("LeadBoard"), None, {"first": 5})
    answer = await door.execution.execute(request, context)
    assert answer.compiled
    assert system.answers.misses == before

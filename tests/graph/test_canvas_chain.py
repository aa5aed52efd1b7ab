"""Every revision is verified against its rows: whatever is changed in them is found."""

from asyncpg import Connection, Record

from app.wiring import System
from db.canvases.chain import broken_revisions
from tests.api import Api
from tests.factories.access import Tenant
from tests.graph.test_canvases import advanced, created, edit, forked, leads, words

CHANGED = "It was changed after it was made, or one before it was."
OTHER_ROWS = "The rows beside it are not those that it was made with."
OTHERS = "Its components are not those that it was made with."


async def broken(system: System, tenant: Tenant) -> list[tuple[str, str]]:
    return [
        (f"canvasrevision_{each.revision_id}", each.reason)
        async for each in broken_revisions(system.database.owner, tenant.id)
    ]


async def test_revisions_verify_until_a_row_is_changed(
    api: Api, system: System, tenant: Tenant, superuser_connection: "Connection[Record]"
) -> None:
    canvas, first = await created(api)
    second = await advanced(api, canvas, words("a"), words("b"), leads("c"))
    third = await advanced(api, canvas, edit("a", "Other."), {"remove": {"key": "b"}})
    fork = await forked(api, canvas)
    document = "query ($id: ID!) { canvas(id: $id) { head { id } } }"
    copy = (await api.data(document, id=fork))["canvas"]["head"]["id"]
    assert await broken(system, tenant) == []
    await superuser_connection.execute("set session_replication_role = replica")

    async def tamper(sql: str) -> list[tuple[str, str]]:
        transaction = superuser_connection.transaction()
        await transaction.start()
        await superuser_connection.execute(sql, tenant.id)
        await transaction.commit()
        return await broken(system, tenant)

    flipped = "update canvas_data set truncated = not truncated where tenant_id = $1"
    assert sorted(await tamper(flipped)) == sorted([(second, OTHER_ROWS), (copy, OTHER_ROWS)])
    # Rows are erased, and the history stays whole.
    gone = "set rows = null, salt = null, erased_at = now() where tenant_id = $1"
    assert await tamper(f"update canvas_data {gone}") == []
    of_b = "update canvas_components set title = 'X' where tenant_id = $1 and key = 'b'"
    assert await tamper(of_b) == [(second, OTHERS)]
    restored = "update canvas_components set title = null where tenant_id = $1 and key = 'b'"
    assert await tamper(restored) == []
    message = "update canvas_revisions set message = 'Y' where tenant_id = $1 and number = 3"
    assert await tamper(message) == [(third, CHANGED)]
    hashed = "update canvas_revisions set hash = decode(repeat('00', 32), 'hex') where tenant_id = $1 and number = 3"
    assert await tamper(hashed) == [(third, CHANGED), (copy, CHANGED)]
    assert first not in {revision for revision, _ in await broken(system, tenant)}

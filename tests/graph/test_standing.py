"""Who follows is looked at again: sessions end, roles and teams change, and nothing is told that may not be."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest
from asyncpg import Connection, Record

from app.access.callers import CheckedCallers
from app.access.keys import CheckedKeys
from app.wiring import System
from db.access.keys import SqlApiKeyLookup
from db.unit import utc_now
from domain.access import Caller, Role
from graph.persisted import shipped
from tests.api import Api
from tests.factories import access, people
from tests.factories.access import Tenant
from tests.graph.streams import Served, cursor, served, signed_in, socket
from tests.graph.test_event_streams import posted
from tests.graph.test_protocol import token
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"
JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN
CHANGED = (4403, "Your rights have changed. Connect again.")


class Callers(CheckedCallers):
    """Trusts nothing that it read before, and answers when it is let."""

    def __init__(self, system: System) -> None:
        keys = CheckedKeys(SqlApiKeyLookup(system.pool, system.units._engine), recheck_seconds=0, clock=utc_now)
        ports = system.sign_in
        super().__init__(ports.tokens, ports.accounts, keys, recheck_seconds=0, clock=utc_now)
        self.may = asyncio.Event()
        self.may.set()
        self.asked = 0

    async def caller_for(self, token: str) -> Caller:
        self.asked += 1
        await self.may.wait()
        return await super().caller_for(token)


@pytest.fixture
def callers(system: System) -> Callers:
    return Callers(system)


@pytest.fixture
def attentive(system: System, callers: Callers) -> System:
    """The system, but every look at a caller is a new one."""
    return replace(system, sign_in=replace(system.sign_in, callers=callers))


async def test_a_session_that_ends_here_ends_at_once(live: Served, system: System, tenant: Tenant) -> None:
    """Nobody waits until the caller would be looked at anyway."""
    signed = await live.api.bearer(DIRECTOR)
    session = system.sign_in.tokens.verify(signed["authorization"].removeprefix("Bearer ")).session_id
    async with signed_in(live.http, signed) as client, live.client(DIRECTOR) as other:
        for each in (client, other):
            await each.subscribe("CrmActivity", after=await cursor(live))
        await live.until_joined(2)
        async with system.units.write(tenant.caller(DIRECTOR)) as unit:
            await unit.access.end_session(session, unit.now, reused=False)
        system.sign_in.callers.forget(session)
        person = await live.person(name="Not to be told")
        assert await client.closed() == (4401, "The access token is not valid. Sign in again.")
        # Another session of the same user goes on.
        assert (await other.data("crmActivity"))["entry"]["subject"]["id"] == person


async def test_another_role_is_told_nothing_as_the_one_before(
    attentive: System, tenant: Tenant, owner_connection: Owner
) -> None:
    async with served(attentive, tenant, recheck_seconds=0) as live, live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=await cursor(live))
        person = await live.person()
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == person
        await owner_connection.execute("UPDATE users SET role = 'JUNIOR_BROKER' WHERE id = $1", tenant.users[DIRECTOR])
        await live.api.data("PersonCreate", role=ADMIN, input={"fullName": "Not to be told"})
        assert await client.closed() == CHANGED


async def test_a_smaller_team_is_told_nothing_of_those_who_left(
    attentive: System, tenant: Tenant, owner_connection: Owner
) -> None:
    _person, lead = await people.client_and_lead(owner_connection, tenant)
    async with served(attentive, tenant, recheck_seconds=0) as live, live.client(SENIOR) as client:
        await client.subscribe("CrmActivity", after=await cursor(live))
        await live.api.data("LeadMove", role=ADMIN, leadId=f"lead_{lead}", toStage="CONTACTED")
        assert (await client.data("crmActivity"))["entry"]["kind"] == "LEAD_ADVANCED"
        await owner_connection.execute(
            "DELETE FROM team_members WHERE tenant_id = $1 AND user_id = $2", tenant.id, tenant.users[JUNIOR]
        )
        await live.api.data("LeadMove", role=ADMIN, leadId=f"lead_{lead}", toStage="QUALIFIED")
        assert await client.closed() == CHANGED


async def test_a_suspended_user_is_told_nothing(attentive: System, tenant: Tenant, owner_connection: Owner) -> None:
    async with served(attentive, tenant, recheck_seconds=0) as live, live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=await cursor(live))
        await live.until_joined(1)
        await owner_connection.execute("UPDATE users SET status = 'SUSPENDED' WHERE id = $1", tenant.users[DIRECTOR])
        await live.api.data("PersonCreate", role=ADMIN, input={"fullName": "Not to be told"})
        assert (await client.closed())[0] == 4401


async def test_an_idle_socket_is_looked_at_with_each_heartbeat(
    attentive: System, tenant: Tenant, owner_connection: Owner
) -> None:
    async with (
        served(attentive, tenant, recheck_seconds=0, heartbeat_seconds=0.05) as live,
        live.client(DIRECTOR) as client,
    ):
        await owner_connection.execute("UPDATE users SET role = 'ADMIN' WHERE id = $1", tenant.users[DIRECTOR])
        assert await client.closed() == CHANGED


async def test_a_heartbeat_never_overtakes_what_is_held(attentive: System, callers: Callers, tenant: Tenant) -> None:
    """A client that resumed from its position would miss what waits for the look at it."""
    async with (
        served(attentive, tenant, recheck_seconds=0, heartbeat_seconds=0.05) as live,
        live.client(DIRECTOR) as client,
    ):
        start = await cursor(live)
        await client.subscribe("CrmActivity", after=start)
        with_cursor, without = f'{{"type":"ping","payload":{{"cursor":"{start}","ids":["1"]}}}}', '{"type":"ping"}'
        async with asyncio.timeout(PATIENCE):
            # Before it follows anything a socket is pinged without a cursor.
            while await client.opened.recv() != with_cursor:
                pass
            callers.may.clear()
            await live.person()
            beaten: list[str] = []
            while without not in beaten:
                beaten.append(str(await client.opened.recv()))
            assert beaten.count(with_cursor) == len(beaten) - 1
        callers.may.set()
        assert (await client.data("crmActivity"))["cursor"] == await cursor(live)


async def test_a_slow_look_at_the_caller_is_no_late_initialisation(
    attentive: System, system: System, callers: Callers, tenant: Tenant
) -> None:
    headers = await Api(system, tenant).bearer(DIRECTOR)
    async with served(attentive, tenant, init_seconds=0.5) as live, socket(live.http) as client:
        callers.may.clear()
        await client.send({"type": "connection_init", "payload": headers})
        await live.until(lambda: callers.asked > 0)
        async with socket(live.http) as late:
            assert (await late.closed())[0] == 4408
        callers.may.set()
        assert await client.next() == {"type": "connection_ack"}


async def test_a_defect_closes_the_socket_and_is_masked(
    attentive: System, callers: Callers, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_token: str) -> Caller:
        raise ZeroDivisionError("a secret")

    async with served(attentive, tenant) as live, socket(live.http) as client:
        headers = await live.api.bearer(DIRECTOR)
        monkeypatch.setattr(callers, "caller_for", broken)
        await client.send({"type": "connection_init", "payload": headers})
        code, reason = await client.closed()
        assert (code, reason.rpartition(" ")[0]) == (1011, "Unexpected error.")


async def test_a_token_that_expires_closes_by_itself(live: Served, system: System, tenant: Tenant) -> None:
    async with signed_in(live.http, await token(system, tenant, timedelta(seconds=3))) as client:
        assert await client.closed() == (4403, "The access token has expired. Refresh it.")


FOLLOWS = "subscription { crmActivity { cursor } }"


async def test_a_key_follows_what_it_is_bound_to(live: Served, tenant: Tenant, owner_connection: Owner) -> None:
    [feed] = [each for each in shipped() if each.name == "CrmActivity"]
    bound = await access.operation(owner_connection, tenant, text=feed.text, name="Feed", kind="SUBSCRIPTION")
    await access.operation(owner_connection, tenant, text=FOLLOWS, name="Other", kind="SUBSCRIPTION")
    made = await live.api.data(
        "ApiKeyCreate", role=ADMIN,
        input={"displayName": "Wall", "role": "SALES_DIRECTOR", "operationIds": [f"operation_{bound}"]},
    )  # fmt: skip
    headers = {"authorization": f"Bearer {made['apiKeyCreate']['secret']}"}
    async with signed_in(live.http, headers) as client:
        for named in ({"query": FOLLOWS}, {"documentId": "Other"}):
            await client.send({"id": "1", "type": "subscribe", "payload": named})
            [error] = (await client.next())["payload"]
            async with posted(live, headers, **named) as events:
                _, told = await events.next()
            assert error["extensions"]["code"] == told["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
        await client.subscribe("CrmActivity", after=await cursor(live))
        person = await live.person()
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == person


async def test_where_only_registered_operations_are_allowed_only_they_are_followed(
    system: System, tenant: Tenant
) -> None:
    async with served(system, tenant, only_persisted=True) as live, live.client(DIRECTOR) as client:
        await client.subscribe(FOLLOWS)
        [error] = (await client.next())["payload"]
        headers = await live.api.bearer(DIRECTOR)
        async with posted(live, headers, query=FOLLOWS) as events:
            _, told = await events.next()
        assert error["extensions"]["code"] == told["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        await client.subscribe("CrmActivity", after=await cursor(live))
        person = await live.person()
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == person


async def test_to_follow_costs_points_as_every_operation_does(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, rate_points=20_000, rate_points_per_second=0.001) as live:
        admission, headers = live.door.admission, await live.api.bearer(DIRECTOR)
        principal = f"users:{tenant.users[DIRECTOR]}"
        left = admission._budgets.spend(principal, 0)
        async with live.client(DIRECTOR) as client, posted(live, headers, documentId="CrmActivity"):
            await client.subscribe("CrmActivity")
            await live.until(lambda: live.hub.subscriptions == 2)
        spent = left - admission._budgets.spend(principal, 0)
        assert spent > 0
        assert spent % 2 == 0

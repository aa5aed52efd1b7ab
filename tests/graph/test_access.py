"""Signing in, staying signed in and signing out; who sees what of the team."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.access.callers import CheckedCallers
from app.access.keys import CheckedKeys
from app.access.passwords import Argon2Passwords
from app.wiring import System
from db.access.accounts import SqlAccounts
from db.access.keys import SqlApiKeyLookup
from db.audit.chain import broken_links
from db.roles import set_tenant
from domain.access import Caller, Role, SignInRules, TokenExpired, TokenInvalid, issue_token, normalised_email
from tests.api import Answer, Api, operation
from tests.factories import access
from tests.factories.access import Tenant

PASSWORD = "correct horse battery"
REFUSED = {
    "__typename": "NotAllowedProblem",
    "code": "NOT_ALLOWED",
    "message": "The e-mail address or the password is wrong.",
}
ENDED = {
    "__typename": "NotAllowedProblem",
    "code": "NOT_ALLOWED",
    "message": "The session has ended. Sign in again.",
}


@pytest.fixture
async def email(owner_connection: "Connection[Record]", tenant: Tenant) -> str:
    """The address with which the senior signs in."""
    address = f"Senior.{tenant.id.hex}@Test.example"
    await access.password(owner_connection, tenant, tenant.users[Role.SENIOR_BROKER], email=address, secret=PASSWORD)
    return address


async def login(api: Api, email: str, password: str = PASSWORD) -> Answer:
    answer: Answer = (await api.data("Login", role=None, email=email, password=password))["login"]
    return answer


async def refresh(api: Api, token: str) -> Answer:
    answer: Answer = (await api.data("SessionRefresh", role=None, refreshToken=token))["sessionRefresh"]
    return answer


async def revoke(api: Api, token: str) -> Answer:
    answer: Answer = (await api.data("SessionRevoke", role=None, refreshToken=token))["sessionRevoke"]
    return answer


async def rows(app: "Connection[Record]", tenant: Tenant, sql: str) -> list[tuple[Any, ...]]:
    """What a statement answers within one tenant: row-level security binds this connection."""
    await set_tenant(app, tenant.id)
    return [tuple(row) for row in await app.fetch(sql)]


AUDIT = "select action, actor_id, subject_noun, subject_id, changed_fields from audit_entries order by sequence"


async def test_the_right_password_opens_a_session(
    api: Api, system: System, tenant: Tenant, email: str, app_connection: "Connection[Record]"
) -> None:
    before = datetime.now(UTC)
    answer = await login(api, email.upper())
    after = datetime.now(UTC)
    senior = tenant.users[Role.SENIOR_BROKER]
    assert answer["__typename"] == "LoginPayload"
    assert answer["viewer"] == {
        "id": f"user_{senior}",
        "fullName": "Senior_Broker",
        "role": "SENIOR_BROKER",
        "tenant": {"id": f"tenant_{tenant.id}", "name": "Test"},
    }
    expires = datetime.fromisoformat(answer["accessTokenExpiresAt"])
    # It says whole seconds.
    assert before - timedelta(seconds=1) < expires - timedelta(minutes=10) <= after
    caller = await system.callers.caller_for(answer["accessToken"])
    assert (caller.tenant_id, caller.user_id, caller.role) == (tenant.id, senior, Role.SENIOR_BROKER)
    assert sorted(caller.members) == sorted((senior, tenant.users[Role.JUNIOR_BROKER]))
    assert await rows(app_connection, tenant, AUDIT) == [("SIGN_IN", senior, "users", senior, [])]
    assert [link async for link in broken_links(system.database.owner, tenant.id)] == []
    [(seen,)] = await rows(app_connection, tenant, f"select last_seen_at from users where id = '{senior}'")
    assert before <= seen
    stored = await rows(app_connection, tenant, "select octet_length(token_hash) from refresh_tokens")
    assert stored == [(32,)]


async def test_a_refusal_does_not_tell_which_part_was_wrong(
    api: Api, tenant: Tenant, email: str, app_connection: "Connection[Record]"
) -> None:
    wrong = await login(api, email, "wrong")
    unknown = await login(api, f"nobody.{tenant.id.hex}@test.example")
    assert wrong == unknown == REFUSED
    await rows(app_connection, tenant, "update users set status = 'SUSPENDED' where role = 'SENIOR_BROKER'")
    assert await login(api, email) == REFUSED
    await rows(app_connection, tenant, "update users set status = 'INVITED' where role = 'SENIOR_BROKER'")
    assert await login(api, email) == REFUSED
    await rows(app_connection, tenant, "update sign_ins set password_hash = null")
    assert await login(api, email) == REFUSED
    assert await rows(app_connection, tenant, "select from sessions") == []
    assert await rows(app_connection, tenant, AUDIT) == []


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("a\0b@test.example", "x", "email"),
        ("a@test.example", "\ud800", "password"),
        ("a@test.example", "x" * 1001, "password"),
        ("a" * 255, "x", "email"),
    ],
)
async def test_credentials_that_cannot_be_are_refused_as_invalid(
    api: Api, email: str, password: str, field: str
) -> None:
    document = """mutation ($i: LoginInput!) { login(input: $i) { __typename ... on Problem { code field } } }"""
    answer = await api.data(document, role=None, i={"email": email, "password": password})
    assert answer["login"] == {"__typename": "InvalidProblem", "code": "INVALID", "field": field}


async def test_a_weak_hash_is_replaced_at_sign_in(
    system: System, tenant: Tenant, email: str, superuser_connection: "Connection[Record]"
) -> None:
    passwords = Argon2Passwords()
    api = Api(replace(system, sign_in=replace(system.sign_in, passwords=passwords)), tenant)
    await login(api, email)
    [row] = await superuser_connection.fetch("select password_hash from sign_ins where tenant_id = $1", tenant.id)
    assert row[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (await login(api, email))["__typename"] == "LoginPayload"
    passwords.close()


async def test_an_account_waits_after_five_failures_and_others_do_not(
    api: Api, system: System, tenant: Tenant, email: str, owner_connection: "Connection[Record]"
) -> None:
    other = f"junior.{tenant.id.hex}@test.example"
    await access.password(owner_connection, tenant, tenant.users[Role.JUNIOR_BROKER], email=other, secret=PASSWORD)
    started = datetime.now(UTC)
    for _ in range(5):
        assert await login(api, email, "wrong") == REFUSED
    for password in ("wrong", PASSWORD):
        answer = await login(api, email, password)
        assert answer["code"] == "NOT_ALLOWED"
        sentence, _, moment = answer["message"].partition("Try again at ")
        assert sentence == "Too many sign-ins have failed. "
        until = datetime.fromisoformat(moment.removesuffix("."))
        assert timedelta(minutes=15) <= until - started < timedelta(minutes=16)
    assert (await login(api, other))["__typename"] == "LoginPayload"
    # A throttled try is not counted: the wait is over when it was said to be.
    attempt = await system.sign_in.accounts.attempt(normalised_email(email), "elsewhere", timedelta(minutes=15))
    assert len(attempt.account_failures) == 5
    assert attempt.address_failures == ()


async def test_a_success_ends_the_accounts_row_of_failures(api: Api, email: str) -> None:
    for _ in range(2):
        for _ in range(4):
            assert await login(api, email, "wrong") == REFUSED
        assert (await login(api, email))["__typename"] == "LoginPayload"


async def test_an_address_waits_after_fifty_failures(api: Api, system: System, email: str) -> None:
    window = SignInRules().window
    for number in range(50):
        await system.sign_in.accounts.attempt(f"{number}.{email}", api.address, window)
    assert (await login(api, email))["message"].startswith("Too many sign-ins have failed. Try again at 20")
    api.address = f"another than {api.address}"
    assert (await login(api, email))["__typename"] == "LoginPayload"


async def test_of_many_tries_at_once_no_more_than_the_limit_are_let_through(api: Api, email: str) -> None:
    answers = await asyncio.gather(*(login(api, email, "wrong") for _ in range(12)))
    assert sum(answer == REFUSED for answer in answers) <= 5
    assert {answer["code"] for answer in answers} == {"NOT_ALLOWED"}


async def test_failures_older_than_the_window_are_forgotten(system: System, tenant: Tenant) -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    accounts = SqlAccounts(system.pool, system.units._engine, b"key", lambda: moment)
    window, email = timedelta(minutes=15), tenant.id.hex
    await accounts.attempt(email, email, window)
    moment += timedelta(minutes=15)
    assert len((await accounts.attempt(email, email, window)).account_failures) == 1
    moment += timedelta(minutes=15, microseconds=1)
    assert (await accounts.attempt(email, email, window)).account_failures == ()


async def test_attempts_say_nothing_about_whom_they_were_about(
    api: Api, email: str, superuser_connection: "Connection[Record]"
) -> None:
    await login(api, email, "wrong")
    rows = await superuser_connection.fetch("select sign_in_attempts::text as row from sign_in_attempts")
    assert rows
    assert not [row for row in rows if normalised_email(email) in row["row"] or api.address in row["row"]]


async def test_a_refresh_token_works_once_and_gives_the_next(api: Api, system: System, email: str) -> None:
    first = await login(api, email)
    second = await refresh(api, first["refreshToken"])
    assert second["__typename"] == "SessionRefreshPayload"
    assert second["refreshToken"] != first["refreshToken"]
    third = await refresh(api, second["refreshToken"])
    for answer in (first, second, third):
        assert (await system.callers.caller_for(answer["accessToken"])).role is Role.SENIOR_BROKER


async def test_a_token_used_twice_ends_the_whole_session(
    api: Api, system: System, tenant: Tenant, email: str, app_connection: "Connection[Record]"
) -> None:
    other = await login(api, email)
    first = await login(api, email)
    second = await refresh(api, first["refreshToken"])
    await system.callers.caller_for(second["accessToken"])
    assert await refresh(api, first["refreshToken"]) == ENDED
    assert await refresh(api, second["refreshToken"]) == ENDED
    for token in (first["accessToken"], second["accessToken"]):
        with pytest.raises(TokenInvalid):
            await system.callers.caller_for(token)
    senior = tenant.users[Role.SENIOR_BROKER]
    assert await rows(app_connection, tenant, AUDIT) == [
        ("SIGN_IN", senior, "users", senior, []),
        ("SIGN_IN", senior, "users", senior, []),
        ("SIGN_OUT", senior, "users", senior, ["refreshToken"]),
    ]
    ended = "select revoked_at = reuse_detected_at from sessions where revoked_at is not null"
    assert await rows(app_connection, tenant, ended) == [(True,)]
    assert (await refresh(api, other["refreshToken"]))["__typename"] == "SessionRefreshPayload"


async def test_of_two_refreshes_at_once_one_is_the_thiefs(api: Api, email: str) -> None:
    token = (await login(api, email))["refreshToken"]
    answers = await asyncio.gather(refresh(api, token), refresh(api, token))
    assert sorted(answer["__typename"] for answer in answers) == ["NotAllowedProblem", "SessionRefreshPayload"]
    [won] = [answer for answer in answers if "refreshToken" in answer]
    assert await refresh(api, won["refreshToken"]) == ENDED


async def test_an_old_or_unknown_token_does_not_refresh(
    api: Api, tenant: Tenant, email: str, app_connection: "Connection[Record]"
) -> None:
    token = (await login(api, email))["refreshToken"]
    assert await refresh(api, token + "x") == ENDED
    assert await refresh(api, "") == ENDED
    await rows(app_connection, tenant, "update refresh_tokens set expires_at = now() - interval '1 second'")
    assert await refresh(api, token) == ENDED
    await rows(app_connection, tenant, "update refresh_tokens set expires_at = now() + interval '1 minute'")
    await rows(app_connection, tenant, "update users set status = 'SUSPENDED'")
    assert await refresh(api, token) == ENDED


async def test_signing_out_ends_every_token_of_the_session(
    api: Api, system: System, tenant: Tenant, email: str, app_connection: "Connection[Record]"
) -> None:
    first = await login(api, email)
    second = await refresh(api, first["refreshToken"])
    await system.callers.caller_for(first["accessToken"])
    senior = tenant.users[Role.SENIOR_BROKER]
    assert await revoke(api, second["refreshToken"]) == {
        "__typename": "SessionRevokePayload",
        "viewer": {"id": f"user_{senior}"},
    }
    for token in (first["accessToken"], second["accessToken"]):
        with pytest.raises(TokenInvalid):
            await system.callers.caller_for(token)
    assert await refresh(api, second["refreshToken"]) == ENDED
    assert await revoke(api, second["refreshToken"]) == ENDED
    assert (await rows(app_connection, tenant, AUDIT))[1:] == [("SIGN_OUT", senior, "users", senior, [])]


async def test_a_caller_is_read_again_after_the_interval(
    api: Api,
    system: System,
    tenant: Tenant,
    email: str,
    app_connection: "Connection[Record]",
    write_engine: AsyncEngine,
) -> None:
    token = (await login(api, email))["accessToken"]
    seconds, moment = 0.0, datetime.now(UTC)
    lookup = SqlApiKeyLookup(system.pool, write_engine)
    keys = CheckedKeys(lookup, recheck_seconds=5, clock=lambda: moment)
    callers = CheckedCallers(
        system.sign_in.tokens, system.sign_in.accounts, keys,
        recheck_seconds=5, clock=lambda: moment, stopwatch=lambda: seconds,
    )  # fmt: skip
    asked = await asyncio.gather(*(callers.caller_for(token) for _ in range(20)))
    assert {caller.role for caller in asked} == {Role.SENIOR_BROKER}
    await rows(app_connection, tenant, "update users set role = 'JUNIOR_BROKER' where role = 'SENIOR_BROKER'")
    seconds = 4.9
    assert (await callers.caller_for(token)).role is Role.SENIOR_BROKER
    seconds = 5.0
    demoted = await callers.caller_for(token)
    assert (demoted.role, demoted.members) == (Role.JUNIOR_BROKER, (tenant.users[Role.SENIOR_BROKER],))
    await rows(app_connection, tenant, "update users set status = 'SUSPENDED'")
    callers.forget(demoted.session_id or UUID(int=0))
    with pytest.raises(TokenInvalid):
        await callers.caller_for(token)
    moment += timedelta(minutes=10)
    with pytest.raises(TokenExpired):
        await callers.caller_for(token)


async def test_a_token_that_names_another_tenant_than_its_session_is_nobodys(
    api: Api, system: System, tenant: Tenant, other_tenant: Tenant, email: str
) -> None:
    caller = await system.callers.caller_for((await login(api, email))["accessToken"])
    session = caller.session_id or UUID(int=0)
    now, hour = datetime.now(UTC), timedelta(hours=1)
    elsewhere = Caller(other_tenant.id, caller.user_id, Role.ADMIN, ())
    somebody = Caller(tenant.id, tenant.users[Role.ADMIN], Role.ADMIN, ())
    system.callers.forget(session)
    for wrong in (elsewhere, somebody):
        with pytest.raises(TokenInvalid):
            await system.callers.caller_for(system.sign_in.tokens.sign(wrong, session, now, hour))
    raised = Caller(tenant.id, caller.user_id, Role.ADMIN, ())
    system.callers.forget(session)
    found = await system.callers.caller_for(system.sign_in.tokens.sign(raised, session, now, hour))
    assert found.role is Role.SENIOR_BROKER


async def test_an_operator_gets_a_token_for_an_active_user(
    system: System, tenant: Tenant, email: str, app_connection: "Connection[Record]"
) -> None:
    token = await issue_token(system.sign_in, system.units, email, timedelta(hours=1))
    assert (await system.callers.caller_for(token)).user_id == tenant.users[Role.SENIOR_BROKER]
    assert len(await rows(app_connection, tenant, AUDIT)) == 1


async def test_viewer_says_who_is_calling(api: Api, tenant: Tenant) -> None:
    viewer = (await api.data("Viewer", role=Role.JUNIOR_BROKER))["viewer"]
    junior = tenant.users[Role.JUNIOR_BROKER]
    assert viewer == {
        "id": f"user_{junior}",
        "fullName": "Junior_Broker",
        "email": f"{junior.hex}@test.example",
        "role": "JUNIOR_BROKER",
        "permissions": [
            "PERSON_READ", "PERSON_WRITE", "LEAD_READ", "LEAD_WRITE", "OPPORTUNITY_WRITE", "PROPERTY_READ",
            "PERCEPTION_READ", "PERCEPTION_WRITE", "INTERACTION_WRITE", "TASK_WRITE", "THREAD_READ", "THREAD_WRITE",
            "CANVAS_READ", "CANVAS_WRITE", "JOB_READ", "JOB_WRITE", "TEAM_READ",
        ],
        "avatarUrl": None,
        "tenant": {"id": f"tenant_{tenant.id}", "name": "Test", "timeZone": "Asia/Kolkata", "currency": "INR"},
    }  # fmt: skip
    assert api.statements == 3
    assert await api.data("{ viewer { id } }", role=None) == {"viewer": None}


async def test_the_team_is_shown_to_those_above_it(api: Api, tenant: Tenant) -> None:
    shown = {}
    for role in Role:
        users = (await api.data("Team", role=role, first=10))["users"]
        shown[role] = [edge["node"]["id"].removeprefix("user_") for edge in users["edges"]]
        assert users["totalCount"] == len(shown[role])
        assert [edge["node"]["restrictedFields"] for edge in users["edges"]] == [[]] * len(shown[role])
        assert api.statements == 1
    by_name = [
        tenant.users[Role.ADMIN], tenant.users[Role.JUNIOR_BROKER], tenant.outsider,
        tenant.users[Role.SALES_DIRECTOR], tenant.users[Role.SENIOR_BROKER],
    ]  # fmt: skip
    assert shown[Role.ADMIN] == shown[Role.SALES_DIRECTOR] == [str(user) for user in by_name]
    assert shown[Role.SENIOR_BROKER] == [str(by_name[1]), str(by_name[4])]
    assert shown[Role.JUNIOR_BROKER] == [str(by_name[1])]


async def test_a_colleagues_details_are_masked(api: Api, tenant: Tenant) -> None:
    document = "query ($id: ID!) { node(id: $id) { ... on User { fullName email lastSeenAt restrictedFields } } }"
    outsider = f"user_{tenant.outsider}"
    for role in (Role.JUNIOR_BROKER, Role.SENIOR_BROKER):
        assert (await api.data(document, role=role, id=outsider))["node"] == {
            "fullName": "Outsider",
            "email": None,
            "lastSeenAt": None,
            "restrictedFields": ["email", "lastSeenAt"],
        }
    seen = (await api.data(document, role=Role.SALES_DIRECTOR, id=outsider))["node"]
    assert (seen["email"], seen["restrictedFields"]) == (f"{tenant.outsider.hex}@test.example", [])


async def test_a_session_over_http_from_sign_in_to_sign_out(http: httpx.AsyncClient, email: str) -> None:
    async def send(name: str, token: str | None = None, **variables: str) -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return await http.post("/graphql", json={"query": operation(name), "variables": variables}, headers=headers)

    signed_in = (await send("Login", email=email, password=PASSWORD)).json()["data"]["login"]
    token = signed_in["accessToken"]
    assert (await send("Viewer", token)).json()["data"]["viewer"]["id"] == signed_in["viewer"]["id"]
    refreshed = (await send("SessionRefresh", refreshToken=signed_in["refreshToken"])).json()["data"]["sessionRefresh"]
    left = await send("SessionRevoke", refreshed["accessToken"], refreshToken=refreshed["refreshToken"])
    assert left.json()["data"]["sessionRevoke"]["__typename"] == "SessionRevokePayload"
    for ended in (token, refreshed["accessToken"], "nonsense"):
        refused = await send("Viewer", ended)
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    anonymous = (await send("Viewer")).json()
    assert anonymous["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

"""API keys: made and shown once, worth what they are bound to, rotated with an overlap, and gone when revoked."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

import httpx
import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.access.keys import CheckedKeys
from app.wiring import System
from db.access.keys import SqlApiKeyLookup
from db.roles import set_tenant
from domain.access import ApiKeyRefused, Caller, Permission, Role, secret_hash
from tests.api import Answer, Api
from tests.factories import access, people, tasks
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

COUNT = "query Count { leads(first: 1) { totalCount } }"
OPEN = """mutation Open($input: LeadCreateInput!) {
  leadCreate(input: $input) { __typename ... on LeadCreatePayload { lead { id assignee { id } } } ... on Problem { code message field } }
}"""  # noqa: E501 -- the exact text is the document's id.


async def created(api: Api, owner: Owner, *texts: str, role: str = "ADMIN", **given: object) -> Answer:
    """Make a key that is bound to these documents; return the payload or the problem."""
    ids = [f"operation_{await access.operation(owner, api.tenant, text=text, name='Any')}" for text in texts]
    values = {"displayName": "Portal", "role": role, "operationIds": ids, **given}
    answer: Answer = (await api.data("ApiKeyCreate", input=values))["apiKeyCreate"]
    return answer


async def caller(api: Api, secret: str) -> Caller:
    return await api.system.callers.caller_for(secret)


async def sent(http: httpx.AsyncClient, secret: str, text: str, **variables: object) -> httpx.Response:
    body = {"query": text, "variables": variables}
    return await http.post("/graphql", json=body, headers={"authorization": f"Bearer {secret}"})


async def test_a_key_is_shown_once_and_stored_as_its_hash(api: Api, owner_connection: Owner, tenant: Tenant) -> None:
    expires = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    made = await created(api, owner_connection, COUNT, role="JUNIOR_BROKER", expiresAt=expires.isoformat())

    secret = made["secret"]
    assert (secret[:3], len(secret)) == ("vk_", 46)
    assert made["apiKey"]["prefix"] == secret[:11]
    assert [each["name"] for each in made["apiKey"]["operations"]] == ["Any"]
    [edge] = (await api.data("ApiKeys", first=5))["apiKeys"]["edges"]
    assert {name: edge["node"][name] for name in ("id", "displayName", "prefix", "role", "operations")} == {
        "id": made["apiKey"]["id"], "displayName": "Portal", "prefix": secret[:11], "role": "JUNIOR_BROKER",
        "operations": made["apiKey"]["operations"],
    }  # fmt: skip
    assert datetime.fromisoformat(edge["node"]["expiresAt"]) == expires
    assert (edge["node"]["lastUsedAt"], edge["node"]["revokedAt"]) == (None, None)
    await set_tenant(owner_connection, tenant.id)
    row = await owner_connection.fetchrow("SELECT * FROM api_keys WHERE tenant_id = $1", tenant.id)
    assert row is not None
    assert row["secret_hash"] == secret_hash(secret)
    assert row["created_by_id"] == tenant.users[Role.ADMIN]
    everything = await owner_connection.fetchval(
        "SELECT string_agg(t::text, '') FROM (SELECT a::text FROM audit_entries a"
        " UNION ALL SELECT e::text FROM events e"
        " UNION ALL SELECT i::text FROM idempotency_keys i UNION ALL SELECT k::text FROM api_keys k) t"
    )
    assert secret[11:] not in everything
    audit = await owner_connection.fetchrow(
        "SELECT action, subject_noun, changed_fields FROM audit_entries WHERE tenant_id = $1", tenant.id
    )
    assert tuple(audit or ()) == ("CREATE", "api_keys", ["displayName", "role", "operations", "expiresAt"])


async def test_a_request_sent_again_makes_no_second_key_and_shows_no_secret(
    api: Api, owner_connection: Owner, tenant: Tenant
) -> None:
    operation = f"operation_{await access.operation(owner_connection, tenant, text=COUNT, name='Count')}"
    given = {"displayName": "Portal", "role": "ADMIN", "operationIds": [operation], "idempotencyKey": "one"}
    first = (await api.data("ApiKeyCreate", input=given))["apiKeyCreate"]
    again = (await api.data("ApiKeyCreate", input=given))["apiKeyCreate"]

    assert first["__typename"] == "ApiKeyCreatePayload"
    assert again == {
        "__typename": "ConflictProblem", "code": "CONFLICT", "field": "idempotencyKey",
        "message": "The key was made before, and its secret was shown then. Rotate it for another.",
    }  # fmt: skip
    kept = await owner_connection.fetch("SELECT result::text FROM idempotency_keys WHERE tenant_id = $1", tenant.id)
    assert [row[0] for row in kept] == [f'"{first["apiKey"]["id"].removeprefix("apikey_")}"']


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"displayName": "  "}, ("INVALID", "A key has a name.", "displayName")),
        ({"operationIds": []}, ("INVALID", "A key is bound to 1 to 250 operations.", "operationIds")),
        ({"operationIds": [f"operation_{uuid4()}"]}, ("NOT_FOUND", "There is no such record.", "operationIds")),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, ("INVALID", "A key expires in the future.", "expiresAt")),
    ],
)
async def test_a_key_that_cannot_be_is_refused(
    api: Api, owner_connection: Owner, given: dict[str, Any], problem: tuple[str, str, str]
) -> None:
    refused = await created(api, owner_connection, COUNT, **given)
    assert (refused["code"], refused["message"], refused["field"]) == problem
    assert (await api.data("ApiKeys", first=1))["apiKeys"]["edges"] == []


async def test_documents_of_another_tenant_are_not_found(
    api: Api, owner_connection: Owner, other_tenant: Tenant
) -> None:
    foreign = await access.operation(owner_connection, other_tenant, text=COUNT, name="Count")
    refused = await created(api, owner_connection, operationIds=[f"operation_{foreign}"])
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", "operationIds")


async def test_a_key_sends_what_it_is_bound_to_over_the_socket_and_nothing_else(
    http: httpx.AsyncClient, api: Api, owner_connection: Owner, tenant: Tenant
) -> None:
    person = await people.person(owner_connection, tenant)
    await people.lead(owner_connection, tenant, person_id=person)
    secret = (await created(api, owner_connection, COUNT))["secret"]

    allowed = await sent(http, secret, COUNT)
    assert (allowed.status_code, allowed.json()["data"]) == (200, {"leads": {"totalCount": 1}})
    other = COUNT.replace("Count", "Other")
    await access.operation(owner_connection, tenant, text=other, name="Other")
    for text in ("{ __typename }", other, COUNT + " "):
        refused = await sent(http, secret, text)
        assert "data" not in refused.json() or refused.json()["data"] is None, text
        assert refused.json()["errors"][0]["message"] != "Unexpected error."
    wrong = await sent(http, secret[:-1] + ("A" if secret[-1] != "A" else "B"), COUNT)
    assert wrong.status_code == 401
    assert wrong.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_key_acts_by_its_own_name(api: Api, owner_connection: Owner, tenant: Tenant) -> None:
    person = await people.person(owner_connection, tenant)
    made = await created(api, owner_connection, OPEN)
    key = await caller(api, made["secret"])
    given = {"personId": f"person_{person}", "source": "PORTAL", "idempotencyKey": "one"}

    first = (await api.data(OPEN, caller=key, input=given))["leadCreate"]
    again = (await api.data(OPEN, caller=key, input=given))["leadCreate"]

    assert first["__typename"] == "LeadCreatePayload"
    assert first["lead"]["assignee"] is None
    assert again == first
    entry = await owner_connection.fetchrow(
        "SELECT actor_noun, actor_id FROM audit_entries WHERE tenant_id = $1 AND subject_noun = 'leads'", tenant.id
    )
    assert tuple(entry or ()) == ("api_keys", key.api_key_id)
    kept = await owner_connection.fetchval(
        "SELECT actor_id FROM idempotency_keys WHERE tenant_id = $1 AND key = 'one'", tenant.id
    )
    assert kept == key.api_key_id
    activity = "{ activity(first: 1) { edges { node { actor { __typename id displayName } } } } }"
    [edge] = (await api.data(activity))["activity"]["edges"]
    assert edge["node"]["actor"] == {"__typename": "ApiKey", "id": made["apiKey"]["id"], "displayName": "Portal"}


@pytest.mark.parametrize(
    ("role", "leads", "email"),
    [
        ("ADMIN", 1, "asha@test.example"),
        ("SALES_DIRECTOR", 1, "asha@test.example"),
        ("SENIOR_BROKER", 0, None),
        ("JUNIOR_BROKER", 0, None),
    ],
)
async def test_a_key_sees_what_its_role_sees_and_nothing_as_its_own(
    api: Api, owner_connection: Owner, tenant: Tenant, role: str, leads: int, email: str | None
) -> None:
    person = await people.person(owner_connection, tenant, primary_email="asha@test.example")
    junior = tenant.users[Role.JUNIOR_BROKER]
    await people.lead(owner_connection, tenant, person_id=person, assignee_id=junior)
    await tasks.task(owner_connection, tenant, assignee_id=junior, person_id=person)
    key = await caller(api, (await created(api, owner_connection, COUNT, role=role))["secret"])

    text = """query($id: ID!) { viewer { id } leads(first: 1) { totalCount } tasks(first: 1) { totalCount }
      person(id: $id) { fullName primaryEmail } }"""
    data = await api.data(text, caller=key, id=f"person_{person}")

    assert data == {
        "viewer": None, "leads": {"totalCount": leads}, "tasks": {"totalCount": leads},
        "person": {"fullName": "Asha Rao", "primaryEmail": email},
    }  # fmt: skip


async def test_a_key_reads_neither_team_nor_settings_nor_history(api: Api, owner_connection: Owner) -> None:
    key = await caller(api, (await created(api, owner_connection, COUNT))["secret"])

    assert [each for each in Permission if not key.may(each)] == [
        Permission.TEAM_READ, Permission.AUDIT_READ, Permission.FLEET_READ, Permission.FLEET_MODE_SET,
        Permission.SETTINGS_WRITE,
    ]  # fmt: skip
    for field in ("users", "auditEntries", "apiKeys", "persistedOperations"):
        answer = await api.run(f"{{ {field}(first: 1) {{ totalCount }} }}", caller=key)
        assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    refused = await api.data("ApiKeyRevoke", caller=key, apiKeyId=f"apikey_{key.api_key_id}")
    assert refused["apiKeyRevoke"]["code"] == "NOT_ALLOWED"


async def test_what_only_a_person_does_is_refused(api: Api, owner_connection: Owner) -> None:
    key = await caller(api, (await created(api, owner_connection, COUNT))["secret"])
    answer = await api.data("UploadCreate", caller=key, purpose="AVATAR", contentType="image/png", bytes=10)
    assert answer["uploadCreate"]["message"] == "Only a person can do this, not an API key."
    allowed = await api.data("UploadCreate", caller=key, purpose="PROPERTY_MEDIA", contentType="image/png", bytes=10)
    assert allowed["uploadCreate"]["upload"]["url"].startswith("/uploads/")


class Clock:
    """A moment and a stopwatch that a test sets."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.seconds = 0.0

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(system: System, write_engine: AsyncEngine, clock: Clock) -> CheckedKeys:
    """Another process's view of keys, at a moment that the test sets."""
    lookup = SqlApiKeyLookup(system.pool, write_engine)
    return CheckedKeys(lookup, recheck_seconds=5, clock=lambda: clock.now, stopwatch=lambda: clock.seconds)


async def rotated(api: Api, key_id: str, overlap: int | None) -> Answer:
    answer: Answer = (await api.data("ApiKeyRotate", apiKeyId=key_id, overlapSeconds=overlap))["apiKeyRotate"]
    return answer


async def test_a_rotated_secret_is_good_until_its_overlap_ends(
    api: Api, owner_connection: Owner, keys: CheckedKeys, clock: Clock
) -> None:
    made = await created(api, owner_connection, COUNT)
    key_id, first = made["apiKey"]["id"], made["secret"]
    again = await rotated(api, key_id, 60)
    second = again["secret"]

    assert (again["apiKey"]["id"], again["apiKey"]["prefix"]) == (key_id, second[:11])
    assert first != second
    assert (await keys.caller_for(first)).api_key_id == (await keys.caller_for(second)).api_key_id
    clock.pass_by(59)
    await keys.caller_for(first)
    # Within the interval in which it is trusted unread, too.
    clock.pass_by(3)
    with pytest.raises(ApiKeyRefused):
        await keys.caller_for(first)
    await keys.caller_for(second)


async def test_rotating_again_ends_the_oldest_secret_and_without_overlap_the_one_before(
    api: Api, owner_connection: Owner
) -> None:
    made = await created(api, owner_connection, COUNT)
    key_id, first = made["apiKey"]["id"], made["secret"]
    await caller(api, first)
    second = (await rotated(api, key_id, 3600))["secret"]
    third = (await rotated(api, key_id, None))["secret"]

    for ended in (first, second):
        with pytest.raises(ApiKeyRefused):
            await caller(api, ended)
    assert f"apikey_{(await caller(api, third)).api_key_id}" == key_id
    for overlap in (-1, 30 * 86_400 + 1):
        refused = await rotated(api, key_id, overlap)
        assert (refused["code"], refused["message"]) == ("INVALID", "An overlap is from 0 to 2592000 seconds.")


async def test_a_revoked_key_is_refused_here_at_once_and_elsewhere_after_the_interval(
    api: Api, owner_connection: Owner, keys: CheckedKeys, clock: Clock
) -> None:
    made = await created(api, owner_connection, COUNT)
    key_id, secret = made["apiKey"]["id"], made["secret"]
    await caller(api, secret)
    await keys.caller_for(secret)

    first = (await api.data("ApiKeyRevoke", apiKeyId=key_id))["apiKeyRevoke"]["apiKey"]
    again = (await api.data("ApiKeyRevoke", apiKeyId=key_id))["apiKeyRevoke"]["apiKey"]

    assert first["revokedAt"] is not None
    assert again == first
    with pytest.raises(ApiKeyRefused):
        await caller(api, secret)
    await keys.caller_for(secret)
    clock.pass_by(5)
    with pytest.raises(ApiKeyRefused):
        await keys.caller_for(secret)
    assert (await rotated(api, key_id, 0))["message"] == "The API key is revoked, and stays so."


async def test_a_key_ends_by_itself(api: Api, owner_connection: Owner, keys: CheckedKeys, clock: Clock) -> None:
    expires = clock.now + timedelta(seconds=60)
    secret = (await created(api, owner_connection, COUNT, expiresAt=expires.isoformat()))["secret"]
    await keys.caller_for(secret)
    clock.pass_by(58)
    await keys.caller_for(secret)
    clock.pass_by(2)
    with pytest.raises(ApiKeyRefused):
        await keys.caller_for(secret)


async def test_a_use_is_recorded_once_a_minute(
    api: Api, owner_connection: Owner, tenant: Tenant, keys: CheckedKeys, clock: Clock
) -> None:
    secret = (await created(api, owner_connection, COUNT))["secret"]
    started, recorded = clock.now, []
    for seconds in (0, 59, 1, 59, 1):
        clock.pass_by(seconds)
        await keys.caller_for(secret)
        used = await owner_connection.fetchval("SELECT last_used_at FROM api_keys WHERE tenant_id = $1", tenant.id)
        recorded.append((used - started).total_seconds())
    assert recorded == [0, 0, 60, 60, 120]


async def test_the_last_use_is_shown(api: Api, owner_connection: Owner, keys: CheckedKeys, clock: Clock) -> None:
    secret = (await created(api, owner_connection, COUNT))["secret"]
    await keys.caller_for(secret)
    [edge] = (await api.data("ApiKeys", first=1))["apiKeys"]["edges"]
    assert datetime.fromisoformat(edge["node"]["lastUsedAt"]) == clock.now

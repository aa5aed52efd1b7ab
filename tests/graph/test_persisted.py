"""Persisted operations: by id, by name, by Apollo's protocol; who may send what; manifests; what tenants register."""

import json
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from asyncpg import Connection, Record

from app.wiring import System
from db.access.operations import SqlRegistered, register
from domain.access import Caller, OperationNotBound, Role
from domain.access.operations import OperationKind, PersistedOperation, sha256_id
from domain.values import new_id
from graph.persisted import Asked, ManifestInvalid, Persisted, lookup, read_manifest, shipped, written_manifest
from graph.refusals import (
    DocumentNotFound,
    DocumentNotTrusted,
    MalformedParameters,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
    Refusal,
)
from tests.api import OPERATIONS, Api, operation
from tests.factories.access import Tenant
from tests.graph.test_http import served
from tests.graph.test_sockets import asked as told
from tests.graph.test_sockets import refused as refusal_in
from tests.graph.test_sockets import socket

APQ = "query Hello { __typename }"
HASH = sha256_id(APQ).removeprefix("sha256:")
OURS = "query Mine { viewer { id } }"


def by_hash(digest: str = HASH, query: str | None = None, version: Any = 1) -> Asked:
    return Asked(query, extensions={"persistedQuery": {"version": version, "sha256Hash": digest}})


def document(text: str, name: str = "Mine", alias: str | None = None) -> PersistedOperation:
    return PersistedOperation(sha256_id(text), name, OperationKind.QUERY, text, alias)


class Registry:
    """What tenants have registered, and how often it was read."""

    def __init__(self, *operations: PersistedOperation) -> None:
        self.operations = list(operations)
        self.reads = 0

    async def of(self, tenant_id: UUID) -> list[PersistedOperation]:  # noqa: ARG002 -- the port's signature.
        self.reads += 1
        return self.operations


def user() -> Caller:
    return Caller(new_id(), new_id(), Role.ADMIN, ())


def key(*document_ids: str) -> Caller:
    return Caller(new_id(), None, Role.ADMIN, (), api_key_id=new_id(), operations=frozenset(document_ids))


def test_what_ships_is_every_file_under_its_hash_and_its_name() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in OPERATIONS.glob("*.graphql")}
    assert {each.name: each.text for each in shipped()} == texts
    assert {each.document_id for each in shipped()} == {sha256_id(text) for text in texts.values()}
    kinds = {each.name: each.kind for each in shipped()}
    assert (kinds["LeadBoard"], kinds["LeadMove"]) == (OperationKind.QUERY, OperationKind.MUTATION)


def test_the_ids_of_the_specification() -> None:
    assert sha256_id("query($id:ID!){user(id:$id){name}}") == (
        "sha256:71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b"
    )


async def test_found_by_id_and_by_name_without_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    persisted = Persisted(shipped(), Registry())
    digest = sha256_id(operation("Viewer"))
    monkeypatch.setattr(lookup, "hashlib", None)
    for asked in (Asked(document_id=digest), Asked(document_id="Viewer"), by_hash(digest.removeprefix("sha256:"))):
        found = await persisted.find(asked, None)
        assert found.trusted is not None
        assert (found.text, found.trusted.name) == (operation("Viewer"), "Viewer")


async def test_an_unknown_id_is_no_document() -> None:
    persisted = Persisted(shipped(), Registry())
    for document_id in ("", "Nothing", f"sha256:{'0' * 64}", "md5:x", "__proto__"):
        with pytest.raises(DocumentNotFound):
            await persisted.find(Asked(document_id=document_id), user())


async def test_a_tenants_documents_are_read_when_they_are_asked_for_and_not_for_every_wrong_id() -> None:
    clock = [0.0]
    registry = Registry(document(OURS, alias="0123abc"))
    persisted = Persisted(shipped(), registry, stopwatch=lambda: clock[0])
    caller = user()
    for document_id in (sha256_id(OURS), "Mine", "0123abc", "Mine"):
        assert (await persisted.find(Asked(document_id=document_id), caller)).text == OURS
    assert registry.reads == 1

    registry.operations.append(document(APQ, "Later"))
    for _ in range(5):
        with pytest.raises(DocumentNotFound):
            await persisted.find(Asked(document_id="Later"), caller)
    assert registry.reads == 1
    clock[0] = 5.0
    assert (await persisted.find(Asked(document_id="Later"), caller)).text == APQ
    assert registry.reads == 2

    with pytest.raises(DocumentNotFound):
        await persisted.find(Asked(document_id="Mine"), None)


async def test_a_name_means_its_newest_document_and_older_ids_stay() -> None:
    older, newer = document(OURS), document(f"{OURS} ")
    persisted = Persisted((), Registry(older, newer))
    caller = user()
    assert (await persisted.find(Asked(document_id="Mine"), caller)).text == newer.text
    assert (await persisted.find(Asked(document_id=older.document_id), caller)).text == older.text


async def test_apollos_protocol() -> None:
    persisted = Persisted((), Registry())
    with pytest.raises(PersistedQueryNotFound) as missing:
        await persisted.find(by_hash(), None)
    assert (missing.value.message, missing.value.code) == ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")

    found = await persisted.find(by_hash(query=APQ), None)
    assert (found.text, found.remember) == (APQ, HASH)
    with pytest.raises(PersistedQueryNotFound):
        await persisted.find(by_hash(), None)
    persisted.remember(found, "a")
    assert (await persisted.find(by_hash(), user())).text == APQ
    assert (await persisted.find(by_hash(query=APQ), None)).remember is None
    assert (await persisted.find(Asked(document_id=f"sha256:{HASH}"), None)).text == APQ


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (by_hash(version=2, query=APQ), "Unsupported persisted query version"),
        (by_hash(version="1"), "Unsupported persisted query version"),
        (by_hash("0" * 64, APQ), "provided sha does not match query"),
        (by_hash(sha256_id(operation("Viewer"))[7:], APQ), "provided sha does not match query"),
        (
            Asked(APQ, extensions={"persistedQuery": 1}),
            "`extensions.persistedQuery` is no object with a `sha256Hash`.",
        ),
        (
            Asked(APQ, extensions={"persistedQuery": {"version": 1}}),
            "`extensions.persistedQuery` is no object with a `sha256Hash`.",
        ),
    ],
)
async def test_a_malformed_persisted_query(asked: Asked, message: str) -> None:
    with pytest.raises(MalformedParameters) as refused:
        await Persisted(shipped(), Registry()).find(asked, None)
    assert (refused.value.message, refused.value.status) == (message, 400)


async def test_apollos_protocol_switched_off() -> None:
    persisted = Persisted(shipped(), Registry(), automatic=False)
    for query in (None, APQ):
        with pytest.raises(PersistedQueryNotSupported) as refused:
            await persisted.find(by_hash(query=query), None)
        assert refused.value.message == "PersistedQueryNotSupported"
    assert (await persisted.find(Asked(APQ), None)).text == APQ


async def test_the_noise_of_one_caller_does_not_flush_what_another_registered() -> None:
    persisted = Persisted(shipped(), Registry())
    persisted.remember(await persisted.find(by_hash(query=APQ), None), "quiet")
    for number in range(3 * lookup.SHARE):
        text = f"query N {{ a{number}: __typename }}"
        persisted.remember(await persisted.find(by_hash(sha256_id(text)[7:], text), None), "noisy")
    assert len(persisted._automatically) == lookup.SHARE + 1
    assert (await persisted.find(by_hash(), None)).text == APQ
    with pytest.raises(PersistedQueryNotFound):
        await persisted.find(by_hash(sha256_id("query N { a0: __typename }")[7:]), None)


async def test_only_registered_documents_for_everybody() -> None:
    persisted = Persisted(shipped(), Registry(document(OURS)), only_registered=True)
    caller = user()
    refused: list[tuple[Asked, type[Refusal]]] = [
        (Asked(APQ), DocumentNotTrusted),
        (by_hash(query=APQ), PersistedQueryNotSupported),
        (by_hash(), PersistedQueryNotSupported),
        (Asked(document_id=f"sha256:{HASH}"), DocumentNotFound),
    ]
    for asked, error in refused:
        with pytest.raises(error):
            await persisted.find(asked, caller)
    # The text itself is as good as its id.
    for asked in (Asked(operation("Viewer")), Asked(OURS), Asked(document_id="Mine"), by_hash(sha256_id(OURS)[7:])):
        assert (await persisted.find(asked, caller)).trusted is not None


async def test_an_api_key_sends_what_it_is_bound_to() -> None:
    viewer, team = sha256_id(operation("Viewer")), sha256_id(operation("Team"))
    persisted = Persisted(shipped(), Registry())
    bound = key(viewer)
    for asked in (
        Asked(document_id="Viewer"),
        Asked(document_id=viewer),
        Asked(operation("Viewer")),
        by_hash(viewer[7:]),
    ):
        assert (await persisted.find(asked, bound)).text == operation("Viewer")
    for asked in (Asked(document_id="Team"), Asked(document_id=team), Asked(operation("Team")), by_hash(team[7:])):
        with pytest.raises(OperationNotBound):
            await persisted.find(asked, bound)
    for asked, error in ((Asked(APQ), DocumentNotTrusted), (by_hash(query=APQ), PersistedQueryNotSupported)):
        with pytest.raises(error):
            await persisted.find(asked, bound)


RELAY = {sha256_id(OURS)[7:]: OURS}
MD5 = {"5d41402abc4b2a76b9719d911017c592": OURS}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": sha256_id(OURS)[7:], "name": "Mine", "type": "query", "body": OURS}],
}


@pytest.mark.parametrize(
    ("manifest", "alias"),
    [
        (RELAY, None),
        (MD5, "5d41402abc4b2a76b9719d911017c592"),
        (APOLLO, None),
        (orjson.loads(written_manifest([document(OURS)])), None),
    ],
)
def test_manifests_of_every_tool(manifest: dict[str, Any], alias: str | None) -> None:
    assert read_manifest(orjson.dumps(manifest)) == (document(OURS, alias=alias),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "The manifest is not JSON: unexpected end of data: line 1 column 2 (char 1)."),
        (b"[]", "The manifest is not a JSON object."),
        (b'{"format": "x", "version": 1}', "The manifest has format 'x' and version 1."),
        (json.dumps(APOLLO | {"version": 2}).encode(), f"The manifest has format '{APOLLO['format']}' and version 2."),
        (json.dumps(APOLLO | {"operations": [1]}).encode(), "The manifest's `operations` is not a list of objects."),
        (b'{"a": 1}', "Operation 'a' has no text."),
        (b'{"a": "{"}', "Operation 'a' does not parse: Syntax Error: Expected Name, found <EOF>."),
        (b'{"a": "{ a }"}', "Document 'a' has to hold exactly one operation, which has a name."),
        (b'{"a": "query A { a } query B { b }"}', "Document 'a' has to hold exactly one operation, which has a name."),
        (b'{"a:b": "query A { a }"}', "'a:b' is no id: letters, digits, `_`, `-` and `.`, at most 128."),
        (
            json.dumps({"0" * 64: "query A { a }"}).encode(),
            f"'{'0' * 64}' is not the SHA-256 of its document.",
        ),
    ],
)
def test_what_is_no_manifest(content: bytes, message: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        read_manifest(content)
    assert refused.value.message == message


async def test_registered_documents_are_a_tenants_own(
    system: System,
    owner_connection: "Connection[Record]",
    app_connection: "Connection[Record]",
    tenant: Tenant,
    other_tenant: Tenant,
) -> None:
    operations = [document(OURS, alias="mine.1"), *shipped()[:2]]
    assert await register(owner_connection, operations, tenant.id) == 3
    assert await register(owner_connection, operations, tenant.id) == 0
    registered = SqlRegistered(system.pool)
    assert await registered.of(tenant.id) == operations
    assert await registered.of(other_tenant.id) == []
    assert await app_connection.fetchval(
        "SELECT string_agg(privilege_type, ' ') FROM information_schema.role_table_grants"
        " WHERE grantee = 'velocity_app' AND table_name = 'persisted_operations'"
    ) == "SELECT"  # fmt: skip


async def test_the_connection_lists_them(api: Api, owner_connection: "Connection[Record]") -> None:
    await register(owner_connection, [document(OURS), *shipped()[:1]], api.tenant.id)
    data = await api.data("PersistedOperations", role=Role.ADMIN, first=10)
    nodes = [edge["node"] for edge in data["persistedOperations"]["edges"]]
    assert [(node["documentId"], node["name"], node["kind"]) for node in nodes] == [
        (shipped()[0].document_id, shipped()[0].name, shipped()[0].kind.name),
        (sha256_id(OURS), "Mine", "QUERY"),
    ]
    refused = await api.run("PersistedOperations", role=Role.SALES_DIRECTOR, first=10)
    assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"


async def test_over_http(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    sent = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256_id("{ viewer { role } }")[7:]}}}
    missing = await http.post("/graphql", json=sent, headers=bearer)
    assert (missing.status_code, missing.headers["cache-control"]) == (200, "private, no-cache, must-revalidate")
    assert missing.json() == {
        "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]
    }
    wrong = await http.post("/graphql", json=sent | {"query": "{ viewer { nothing } }"}, headers=bearer)
    assert wrong.status_code == 400
    registered = await http.post("/graphql", json=sent | {"query": "{ viewer { role } }"}, headers=bearer)
    again = await http.get("/graphql", params={"extensions": json.dumps(sent["extensions"])}, headers=bearer)
    assert registered.json() == again.json() == {"data": {"viewer": {"role": "SALES_DIRECTOR"}}}


async def test_what_does_not_validate_is_not_kept(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    text = "{ viewer { nothingOfTheKind } }"
    sent = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256_id(text)[7:]}}}
    for each, code in (
        ({"query": text}, "GRAPHQL_VALIDATION_FAILED"),
        ({}, "PERSISTED_QUERY_NOT_FOUND"),
    ):
        answer = await http.post("/graphql", json=sent | each, headers=bearer)
        assert answer.json()["errors"][0]["extensions"] == {"code": code}


async def test_only_registered_documents_over_http(system: System, bearer: dict[str, str]) -> None:
    async with served(system, only_persisted=True) as client:
        headers = {**bearer, "accept": "application/graphql-response+json"}
        answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
        viewer = await client.post("/graphql", json={"query": operation("Viewer")}, headers=headers)
    assert (answer.status_code, answer.json()["errors"]) == (
        403,
        [{"message": "Only registered operations are allowed here.", "extensions": {"code": "DOCUMENT_NOT_TRUSTED"}}],
    )
    assert viewer.json()["data"]["viewer"]["role"] == "SALES_DIRECTOR"


async def test_over_the_socket(
    http: httpx.AsyncClient, bearer: dict[str, str], owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    await register(owner_connection, [document(OURS, name="Named", alias="relay-1")], tenant.id)
    text = "query Socket { viewer { role } }"
    protocol = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256_id(text)[7:]}}}
    async with socket(http, bearer) as opened:
        for document_id in (sha256_id(OURS), "Named", "relay-1"):
            following, _ = await told(opened, {"documentId": document_id})
            assert list(following["payload"]["data"]) == ["viewer"]
        assert refusal_in(await told(opened, {"documentId": "Nobody's"})) == "DOCUMENT_NOT_FOUND"
        assert refusal_in(await told(opened, protocol)) == "PERSISTED_QUERY_NOT_FOUND"
        for payload in (protocol | {"query": text}, protocol):
            following, _ = await told(opened, payload)
            assert following["payload"] == {"data": {"viewer": {"role": "SALES_DIRECTOR"}}}

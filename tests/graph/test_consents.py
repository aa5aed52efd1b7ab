"""Consents and erasures through the schema: recorded, taken back, and nothing that was measured stays."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from db.perception.overdue import SqlOverdue
from domain import perception as domain
from domain.access import Caller, Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import access, people, perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.ADMIN
FACE = {"purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "noticeVersion": "2026-11"}
DAY = timedelta(days=1)


async def granted(api: Api, *, role: Role = JUNIOR, **given: Any) -> Answer:
    answer = await api.data("ConsentGrant", role=role, input={"subjectKind": "PERSON", **FACE, **given})
    found: Answer = answer["consentGrant"]
    return found


async def withdrawn(api: Api, consent_id: str, *, role: Role = JUNIOR) -> Answer:
    answer = await api.data("ConsentWithdraw", role=role, consentId=consent_id)
    found: Answer = answer["consentWithdraw"]
    return found


@dataclass(frozen=True, slots=True)
class Here:
    """What is overdue in one tenant: the demo's consents end too, and are not a test's to erase."""

    tenant_id: UUID
    every: SqlOverdue

    async def erasures(self) -> AsyncIterator[tuple[Caller, UUID]]:
        async for caller, row_id in self.every.erasures():
            if caller.tenant_id == self.tenant_id:
                yield caller, row_id

    async def consents(self, moment: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        async for caller, row_id in self.every.consents(moment):
            if caller.tenant_id == self.tenant_id:
                yield caller, row_id

    def sessions(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        return self.every.sessions(before)

    def proposals(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        return self.every.proposals(before)

    def tasks(self, moment: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        return self.every.tasks(moment)


def here(tenant: Tenant, engine: AsyncEngine) -> Here:
    return Here(tenant.id, SqlOverdue(engine, 100_000))


async def test_a_consent_is_recorded_and_a_renewal_is_another(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    ends = (datetime.now(UTC) + DAY).replace(microsecond=0)

    first = await granted(api, personId=f"person_{person_id}", expiresAt=ends.isoformat())
    again = await granted(api, personId=f"person_{person_id}")

    assert first["consent"].pop("id") != again["consent"]["id"]
    assert first == {
        "__typename": "ConsentGrantPayload",
        "consent": {
            "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "status": "ACTIVE",
            "expiresAt": ends.isoformat(), "noticeVersion": "2026-11",
        },
    }  # fmt: skip
    rows = await rows_of(owner_connection, "consents", tenant.id)
    assert [(row["person_id"], row["recorded_by_id"]) for row in rows] == [(person_id, tenant.users[JUNIOR])] * 2
    [event, _] = await rows_of(owner_connection, "events", tenant.id)
    assert (event["kind"], event["subject_noun"], event["person_id"]) == ("ConsentGranted", "consents", person_id)
    assert json.loads(event["payload"]) == {"purpose": "SHOWROOM_ENGAGEMENT"}


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({}, "INVALID", "personId"),
        ({"personId": "$person", "subjectKind": "VISITOR"}, "INVALID", "personId"),
        ({"subjectKind": "AGENT"}, "NOT_ALLOWED", "modality"),
        ({"subjectKind": "AGENT", "modality": "VOICE", "purpose": "RECORDING"}, "NOT_ALLOWED", "modality"),
        ({"personId": "$person", "noticeVersion": " "}, "INVALID", "noticeVersion"),
        ({"personId": "$person", "noticeVersion": "x" * 51}, "INVALID", "noticeVersion"),
        ({"personId": "$person", "expiresAt": "2026-01-01T00:00:00Z"}, "INVALID", "expiresAt"),
        ({"personId": "$person", "expiresAt": "2999-01-01T00:00:00Z"}, "INVALID", "expiresAt"),
        ({"personId": "$person", "jurisdiction": "Goa"}, "INVALID", "jurisdiction"),
        ({"personId": "$person", "evidence": "x" * 201}, "INVALID", "evidence"),
        ({"personId": "$others"}, "NOT_ALLOWED", "personId"),
        ({"personId": f"person_{new_id()}"}, "NOT_FOUND", "personId"),
    ],
)
async def test_what_is_no_consent_is_refused(
    api: Api, tenant: Tenant, owner_connection: Owner, given: dict[str, Any], code: str, field: str
) -> None:
    names = {
        "$person": f"person_{await people.client(owner_connection, tenant)}",
        "$others": f"person_{await people.client(owner_connection, tenant, SENIOR)}",
    }

    answer = await granted(api, **{name: names.get(value, value) for name, value in given.items()})

    assert (answer.get("code"), answer.get("field")) == (code, field), answer
    assert await rows_of(owner_connection, "consents", tenant.id) == []


async def test_a_consent_says_how_it_was_given(api: Api) -> None:
    document = """query($first: Int!) { consents(first: $first) {
        edges { node { method evidence jurisdiction } } } }"""
    given: dict[str, Any] = {"method": "ESIGN", "evidence": " Signed form 17 ", "jurisdiction": "us-il"}
    await granted(api, subjectKind="VISITOR", **given)
    await granted(api, subjectKind="VISITOR")

    edges = (await api.data(document, role=JUNIOR, first=2))["consents"]["edges"]

    assert [edge["node"] for edge in edges] == [
        {"method": None, "evidence": None, "jurisdiction": None},
        {"method": "ESIGN", "evidence": "Signed form 17", "jurisdiction": "US-IL"},
    ]


async def test_movements_of_the_team_may_be_allowed(api: Api) -> None:
    answer = await granted(api, subjectKind="AGENT", modality="CCTV", purpose="RECORDING")

    assert answer["consent"]["modality"] == "CCTV"


async def test_consents_are_listed_by_person_and_status(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, now = await people.client(owner_connection, tenant), datetime.now(UTC)
    ids = {}
    for number, (status, times) in enumerate(
        {
            "ACTIVE": {},
            "EXPIRED": {"expires_at": now - DAY},
            "WITHDRAWN": {"withdrawn_at": now - DAY},
        }.items()
    ):
        made = await perception.consent(
            owner_connection, tenant, person_id=person_id, granted_at=now - 9 * DAY,
            created_at=now - number * DAY, **times,
        )  # fmt: skip
        ids[f"consent_{made}"] = status
    await granted(api, subjectKind="VISITOR", role=SENIOR)

    for wanted in (["ACTIVE"], ["WITHDRAWN", "EXPIRED"], None):
        filter_ = {"personId": f"person_{person_id}", "statuses": wanted}
        data = await api.data("Consents", role=JUNIOR, first=10, filter=filter_)
        found = [(edge["node"]["id"], edge["node"]["status"]) for edge in data["consents"]["edges"]]
        assert found == [(each, status) for each, status in ids.items() if wanted is None or status in wanted]
    # The junior does not see what the senior recorded; an API key sees what it recorded itself.
    everything = await api.data("Consents", role=JUNIOR, first=10)
    assert len(everything["consents"]["edges"]) == 3
    key = await access.api_key(owner_connection, tenant)
    caller = Caller(tenant.id, None, JUNIOR, (), api_key_id=key)
    answer = await api.data("ConsentGrant", caller=caller, input={"subjectKind": "VISITOR", **FACE})
    mine = await api.data("Consents", caller=caller, first=10)
    assert [edge["node"]["id"] for edge in mine["consents"]["edges"]] == [answer["consentGrant"]["consent"]["id"]]


async def measured(owner: Owner, tenant: Tenant, person_id: UUID | None, consent_id: UUID) -> UUID:
    """Make a session that runs and has left something everywhere."""
    now = datetime.now(UTC)
    session_id = await perception.session(
        owner, tenant, consent_id=consent_id, started_by_id=tenant.users[JUNIOR], person_id=person_id, measured=True,
        memory="{}", last_sequence=1, packet_count=2,
    )  # fmt: skip
    await perception.batch(owner, tenant, session_id=session_id)
    for number in range(3):
        at = now + timedelta(seconds=number)
        if person_id is None:
            await perception.visitor_score(owner, tenant, session_id=session_id, at=at, score=50 + number)
        else:
            await perception.score(owner, tenant, person_id=person_id, at=at, score=50 + number, session_id=session_id)
    return session_id


async def test_a_withdrawal_stops_what_runs_and_erases_all_that_was_measured(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, now = await people.client(owner_connection, tenant), datetime.now(UTC)
    older, newer = [
        await perception.consent(owner_connection, tenant, person_id=person_id, granted_at=now - days * DAY)
        for days in (9, 1)
    ]
    marketing = await perception.consent(
        owner_connection, tenant, person_id=person_id, granted_at=now - DAY, purpose="MARKETING"
    )
    await measured(owner_connection, tenant, person_id, older)
    # Of an earlier release: measured, and no session is known.
    await perception.score(owner_connection, tenant, person_id=person_id, at=now - 2 * DAY, score=80, kind="SESSION")
    kept = await perception.score(
        owner_connection, tenant, person_id=person_id, at=now - 3 * DAY, score=33, kind="PROFILE"
    )
    async with api.system.units.write(tenant.caller(JUNIOR)) as unit:
        await unit.perception.keep_newest(person_id)

    answer = await withdrawn(api, f"consent_{newer}")

    assert answer["consent"]["status"] == "WITHDRAWN"
    rows = {
        row["id"]: row["withdrawn_at"] is not None for row in await rows_of(owner_connection, "consents", tenant.id)
    }
    assert rows == {older: True, newer: True, marketing: False}
    left = await rows_of(owner_connection, "qd_scores", tenant.id)
    assert [row["id"] for row in left] == [kept]
    assert await rows_of(owner_connection, "perception_batches", tenant.id) == []
    person = await owner_connection.fetchrow("SELECT * FROM people WHERE id = $1", person_id)
    assert person is not None
    assert (person["rules_qd_score"], person["rules_qd_kind"]) == (33.0, "PROFILE")
    rollups = await owner_connection.fetch("SELECT kind, scores FROM qd_rollups WHERE person_id = $1", person_id)
    assert [tuple(row) for row in rollups] == [("PROFILE", 1)]
    await nothing_is_left(api, owner_connection, tenant, answer)


async def nothing_is_left(api: Api, owner_connection: Owner, tenant: Tenant, answer: Answer) -> None:
    """Look at the session and at the receipts after that withdrawal."""
    [session] = await rows_of(owner_connection, "perception_sessions", tenant.id)
    assert (session["status"], session["memory"], session["measured"]) == ("STOPPED", None, False)
    assert session["ended_at"] is not None
    erasure = (await api.data("Erasure", role=JUNIOR, id=answer["erasure"]["id"]))["erasure"]
    assert erasure["status"] == "DONE"
    assert {each["store"]: each["rows"] for each in erasure["receipts"]} == {
        "canvas_data": 0, "cctv_events": 0, "inference_items": 0, "jobs": 0, "perception_batches": 1,
        "perception_sessions": 1, "proposals": 0, "qd_scores": 4, "visitor_scores": 0,
    }  # fmt: skip
    assert len({each["proofHash"] for each in erasure["receipts"]}) == 9
    kinds = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert kinds == [*(["ConsentWithdrawn"] * 2), "PerceptionSessionStopped", "ErasureRequested", "ErasureFinished"]


async def test_a_withdrawal_is_answered_again_as_before(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    consent_id = (await granted(api, subjectKind="VISITOR"))["consent"]["id"]
    await measured(owner_connection, tenant, None, UUID(consent_id.removeprefix("consent_")))

    first, again = [await withdrawn(api, consent_id) for _ in range(2)]

    assert first == again
    assert await rows_of(owner_connection, "erasures", tenant.id) != []
    assert await owner_connection.fetchval("SELECT count(*) FROM visitor_scores WHERE tenant_id = $1", tenant.id) == 0
    kinds = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert kinds.count("ConsentWithdrawn") == 1


async def test_where_nothing_is_measured_nothing_is_erased(api: Api) -> None:
    consent = (await granted(api, subjectKind="VISITOR", purpose="MARKETING"))["consent"]["id"]

    assert (await withdrawn(api, consent))["erasure"] is None


async def test_others_withdraw_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    consent = (await granted(api, subjectKind="VISITOR"))["consent"]["id"]

    hidden = await api.data("ConsentWithdraw", caller=tenant.outside, consentId=consent)

    assert hidden["consentWithdraw"]["code"] == "NOT_FOUND"
    [row] = await rows_of(owner_connection, "consents", tenant.id)
    assert row["withdrawn_at"] is None


async def test_a_large_erasure_goes_on_in_the_sweep(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    consent_id = await perception.consent(
        owner_connection, tenant, subject_kind="VISITOR", granted_at=datetime.now(UTC) - DAY,
        recorded_by_id=tenant.users[JUNIOR],
    )  # fmt: skip
    await measured(owner_connection, tenant, None, consent_id)
    async with system.units.write(tenant.caller(JUNIOR)) as unit:
        erasure_id = (await domain.withdraw(unit, domain.ConsentWithdraw(consent_id))).erasure_id
    assert erasure_id is not None
    async with system.units.write(tenant.caller(JUNIOR)) as unit:
        assert await domain.run(unit, erasure_id, 2)
    document = "query($id: ID!) { erasure(id: $id) { status finishedAt receipts { store rows } } }"
    some = (await api.data(document, role=JUNIOR, id=f"erasure_{erasure_id}"))["erasure"]
    assert (some["status"], some["finishedAt"]) == ("RUNNING", None)
    assert {"store": "visitor_scores", "rows": 2} in some["receipts"]

    assert await domain.sweep(system.units, here(tenant, write_engine), datetime.now(UTC), 2) == 1

    done = (await api.data(document, role=JUNIOR, id=f"erasure_{erasure_id}"))["erasure"]
    assert done["status"] == "DONE"
    assert {"store": "visitor_scores", "rows": 3} in done["receipts"]
    # The system finished it, not the junior.
    [*_, last] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert last["actor_noun"] == "system_actors"


@pytest.mark.parametrize(
    ("times", "started", "kept"),
    [
        ({}, 0, True),
        ({"expires_at": -1}, 0, False),
        ({"withdrawn_at": -1}, 0, False),
        ({}, -3 * 365 - 1, False),
        ({"expires_at": 1}, -3 * 365 + 1, True),
    ],
)
async def test_what_is_kept_too_long_is_swept(
    system: System, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine, times: dict[str, int],
    started: int, *, kept: bool,
) -> None:  # fmt: skip
    now = datetime.now(UTC)
    consent_id = await perception.consent(
        owner_connection, tenant, subject_kind="VISITOR", granted_at=now - 4 * 365 * DAY,
        **{name: now + days * DAY for name, days in times.items()},
    )  # fmt: skip
    session_id = await measured(owner_connection, tenant, None, consent_id)
    await owner_connection.execute(
        "UPDATE perception_sessions SET started_at = $1 WHERE id = $2", now + started * DAY, session_id
    )

    for _ in range(2):
        await domain.sweep(system.units, here(tenant, write_engine), now)

    [session] = await rows_of(owner_connection, "perception_sessions", tenant.id)
    left = (session["measured"], session["status"], session["memory"])
    assert left == ((True, "RUNNING", "{}") if kept else (False, "STOPPED", None))
    assert len(await rows_of(owner_connection, "erasures", tenant.id)) == (0 if kept else 1)
    # Whoever follows the session hears of it, once.
    events = [(row["kind"], row["subject_id"]) for row in await rows_of(owner_connection, "events", tenant.id)]
    assert events.count(("PerceptionSessionStopped", session_id)) == (0 if kept else 1)


def test_a_receipt_proves_which_rows_went() -> None:
    erasure_id, at = UUID(int=7), datetime(2026, 11, 21, 9, tzinfo=UTC)
    ids = hashlib.sha256(b"a,b").digest()

    [receipt] = domain.receipted(erasure_id, [], [domain.Erased("qd_scores", 2, ids)], at)

    text = (
        '{"at":"2026-11-21T09:00:00.000000+00:00","erasure":"00000000-0000-0000-0000-000000000007",'
        f'"ids":"{ids.hex()}","rows":2,"store":"qd_scores"}}'
    )
    assert receipt.proof_hash == hashlib.sha256(bytes(32) + text.encode()).digest()
    # Nothing more to erase changes nothing; more of it is a longer chain.
    assert domain.receipted(erasure_id, [receipt], [domain.Erased("qd_scores", 0, b"")], at + DAY) == [receipt]
    [more] = domain.receipted(erasure_id, [receipt], [domain.Erased("qd_scores", 3, ids)], at)
    assert more.rows == 5
    assert more.proof_hash == domain.proof(receipt.proof_hash, erasure_id, domain.Erased("qd_scores", 3, ids), at)

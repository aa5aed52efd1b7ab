"""Sessions through the schema: begun with a consent, fed with packets, ended, and matched to somebody."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.demo.chance import generator
from app.demo.faces import Face, Scene
from app.wiring import System
from db.perception.overdue import SqlOverdue
from domain import perception as domain
from domain.access import Caller, Role
from domain.qd import BLEND_SHAPES
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import access, people, perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
SECOND = timedelta(seconds=1)
START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
PLEASED = dict.fromkeys(BLEND_SHAPES, 0.0) | {
    "mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "cheekSquintLeft": 0.8, "cheekSquintRight": 0.8, "browInnerUp": 0.4,
}  # fmt: skip


def packets(
    start: float, seconds: float, *, face: dict[str, float] | None = PLEASED, rate: int = 5, video: bool = False
) -> list[dict[str, Any]]:
    """Packets from a second after START on."""
    times = [start + number / rate for number in range(round(seconds * rate))]
    return [
        {
            "at": (START + time * SECOND).isoformat(),
            "face": None if face is None else {"blendShapes": face},
            **({"videoMs": round(time * 1000)} if video else {}),
        }
        for time in times
    ]


async def consent_of(owner: Owner, tenant: Tenant, person_id: UUID | None = None, **values: Any) -> str:
    """Make the consent of a person, or of a visitor whom the junior received."""
    kind = "VISITOR" if person_id is None else "PERSON"
    values = {"subject_kind": kind, "person_id": person_id, "recorded_by_id": tenant.users[JUNIOR], **values}
    made = await perception.consent(owner, tenant, granted_at=START - SECOND, **values)
    return f"consent_{made}"


async def started(api: Api, consent_id: str, *, role: Role = JUNIOR, **given: Any) -> Answer:
    data = await api.data("PerceptionSessionStart", role=role, consentId=consent_id, surface="KIOSK", **given)
    found: Answer = data["perceptionSessionStart"]
    return found


async def session_of(api: Api, consent_id: str, **given: Any) -> str:
    found: str = (await started(api, consent_id, **given))["session"]["id"]
    return found


async def ingested(api: Api, session_id: str, sequence: int, sent: list[dict[str, Any]], **given: Any) -> Answer:
    given = {"role": JUNIOR, **given}
    data = await api.data("PerceptionIngest", sessionId=session_id, sequence=sequence, packets=sent, **given)
    found: Answer = data["perceptionIngest"]
    return found


async def completed(api: Api, session_id: str, **given: Any) -> Answer:
    data = await api.data("PerceptionSessionComplete", **{"role": JUNIOR, "sessionId": session_id, **given})
    found: Answer = data["perceptionSessionComplete"]
    return found


async def shown(api: Api, session_id: str, *, role: Role = JUNIOR) -> Answer:
    data = await api.data(
        "PerceptionSession", role=role, id=session_id, points=100,
        **{"from": (START - SECOND).isoformat(), "to": (START + timedelta(hours=1)).isoformat()},
    )  # fmt: skip
    found: Answer = data["perceptionSession"]
    return found


async def test_a_person_is_measured_from_start_to_end(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    consent_id = await consent_of(owner_connection, tenant, person_id)
    video_id = await perception.video(owner_connection, tenant)
    scenes = [
        await perception.scene(owner_connection, tenant, video_id=video_id, start_ms=start, end_ms=start + 10_000)
        for start in (0, 10_000, 20_000)
    ]

    session = (await started(api, consent_id, personId=f"person_{person_id}", videoId=f"video_{video_id}"))["session"]
    session_id = session["id"]
    first = await ingested(api, session_id, 1, packets(0, 20, video=True))
    second = await ingested(api, session_id, 3, packets(20, 10, face=None, video=True))

    assert (session["status"], session["lastSequence"]) == ("RUNNING", 0)
    qd = first.pop("qd")
    assert first == {
        "__typename": "PerceptionIngestPayload", "acceptedCount": 100, "duplicate": False, "lastSequence": 1,
    }  # fmt: skip
    assert (qd["kind"], qd["source"]) == ("LIVE", "RULES")
    assert datetime.fromisoformat(qd["at"]) == START + 19.8 * SECOND
    assert qd["score"] > 80
    assert (second["qd"], second["lastSequence"], second["acceptedCount"]) == (None, 3, 50)
    latest = "query($id: ID!) { person(id: $id) { latestQd { score at kind } } }"
    live = (await api.data(latest, role=JUNIOR, id=f"person_{person_id}"))["person"]["latestQd"]
    stored = await owner_connection.fetch("SELECT * FROM qd_scores WHERE person_id = $1 ORDER BY at, id", person_id)
    assert live["score"] == stored[-1]["score"]
    assert {(row["kind"], row["source"], row["session_id"]) for row in stored} == {
        ("LIVE", "RULES", UUID(session_id.removeprefix("session_")))
    }

    await summed_up(api, owner_connection, tenant, session_id, stored, scenes)


async def summed_up(
    api: Api, owner_connection: Owner, tenant: Tenant, session_id: str, stored: list[Record], scenes: list[UUID]
) -> None:
    """End that session, and look at what it came to."""
    done = (await completed(api, session_id))["session"]

    assert (done["status"], done["summary"]["packetCount"]) == ("COMPLETED", 150)
    assert done["summary"]["durationSeconds"] > 0
    assert done["summary"]["peakScore"] == max(row["score"] for row in stored if row["confidence"] >= 0.5)
    assert done["summary"]["peakScene"]["id"] in {f"scene_{scenes[1]}", f"scene_{scenes[2]}"}
    assert done["finalQd"]["source"] == "RULES"
    answer = await shown(api, session_id)
    assert answer["finalQd"]["score"] == done["finalQd"]["score"]
    # The final score is a point of the person's curve, and the newest.
    assert answer["qdSeries"]["count"] == len(stored) + 1
    assert answer["consent"]["status"] == "ACTIVE"
    newest = "SELECT rules_qd_kind, rules_qd_score FROM people WHERE tenant_id = $1 AND rules_qd_at IS NOT NULL"
    [person] = await owner_connection.fetch(newest, tenant.id)
    assert tuple(person) == ("SESSION", done["finalQd"]["score"])
    kinds = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert kinds == [
        "PerceptionSessionStarted", "PerceptionScored", "PerceptionScored", "PerceptionSessionCompleted",
        "NotificationCreated",
    ]  # fmt: skip
    again = await completed(api, session_id)
    assert again["session"] == done


async def test_a_batch_is_one_event_that_leads_to_its_score_and_scene(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    video_id = await perception.video(owner_connection, tenant)
    scene = await perception.scene(owner_connection, tenant, video_id=video_id, start_ms=0, end_ms=5_000)
    session_id = await session_of(api, await consent_of(owner_connection, tenant), videoId=f"video_{video_id}")

    answer = await ingested(api, session_id, 1, packets(0, 2, video=True))

    # With the first packet nothing is known yet, and nothing of it is kept.
    [batch] = await rows_of(owner_connection, "perception_batches", tenant.id)
    event_row = (await rows_of(owner_connection, "events", tenant.id))[-1]
    assert event_row["kind"] == "PerceptionScored"
    assert json.loads(event_row["payload"]) == {"batch": str(batch["id"]), "scene": str(scene)}
    assert (batch["scene_id"], batch["qd_score"]) == (scene, answer["qd"]["score"])
    assert len(await owner_connection.fetch("SELECT FROM visitor_scores WHERE tenant_id = $1", tenant.id)) == 9


async def test_a_batch_sent_again_is_answered_as_before(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))
    first = await ingested(api, session_id, 1, packets(0, 2))
    later = await ingested(api, session_id, 4, packets(2, 2))

    again = await ingested(api, session_id, 1, packets(0, 2))

    assert again == first | {"duplicate": True, "lastSequence": 4}
    assert len(await owner_connection.fetch("SELECT FROM visitor_scores WHERE tenant_id = $1", tenant.id)) == 19
    # Batch 3 was never accepted, and scoring does not go back to it.
    late = await ingested(api, session_id, 3, packets(1, 1))
    assert (late["code"], late["field"]) == ("CONFLICT", "sequence")
    assert (await ingested(api, session_id, 4, packets(2, 2)))["qd"] == later["qd"]
    await completed(api, session_id)
    assert (await ingested(api, session_id, 4, packets(2, 2)))["duplicate"] is True
    ended = await ingested(api, session_id, 5, packets(4, 1))
    assert (ended["code"], ended["field"]) == ("CONFLICT", "sessionId")


async def test_batches_of_one_session_that_come_at_once_count_once(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))

    answers = await asyncio.gather(*(ingested(api, session_id, 1, packets(0, 2)) for _ in range(4)))

    assert sorted(answer["duplicate"] for answer in answers) == [False, True, True, True]
    assert len({json.dumps(answer["qd"]) for answer in answers}) == 1
    [session] = await rows_of(owner_connection, "perception_sessions", tenant.id)
    assert session["packet_count"] == 10


@pytest.mark.parametrize(
    ("consent", "given", "code", "field"),
    [
        ({"purpose": "MARKETING"}, {}, "NOT_ALLOWED", "consentId"),
        ({"modality": "VOICE"}, {}, "NOT_ALLOWED", "consentId"),
        ({"subject_kind": "AGENT"}, {}, "NOT_ALLOWED", "consentId"),
        ({"withdrawn_at": START}, {}, "CONFLICT", "consentId"),
        ({"expires_at": START}, {}, "CONFLICT", "consentId"),
        ({}, {"personId": "$person"}, "INVALID", "personId"),
        ({}, {"videoId": f"video_{new_id()}"}, "NOT_FOUND", "videoId"),
        ({"recorded_by_id": None}, {}, "NOT_FOUND", "consentId"),
    ],
)
async def test_without_a_consent_nobody_is_measured(
    api: Api, tenant: Tenant, owner_connection: Owner, consent: dict[str, Any], given: dict[str, Any], code: str,
    field: str,
) -> None:  # fmt: skip
    person = f"person_{await people.client(owner_connection, tenant)}"
    consent_id = await consent_of(owner_connection, tenant, **consent)

    given = {name: person if value == "$person" else value for name, value in given.items()}
    answer = await started(api, consent_id, **given)

    assert (answer.get("code"), answer.get("field")) == (code, field), answer
    assert await rows_of(owner_connection, "perception_sessions", tenant.id) == []


async def test_the_consent_is_checked_again_for_each_batch(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    consent_id = await consent_of(owner_connection, tenant)
    session_id = await session_of(api, consent_id)
    await ingested(api, session_id, 1, packets(0, 2))
    await owner_connection.execute(
        "UPDATE consents SET expires_at = $1 WHERE id = $2", START, UUID(consent_id.removeprefix("consent_"))
    )

    ended = await ingested(api, session_id, 2, packets(2, 2))
    assert (ended["code"], ended["field"]) == ("CONFLICT", "sessionId")

    await owner_connection.execute(
        "UPDATE consents SET expires_at = null WHERE id = $1", UUID(consent_id.removeprefix("consent_"))
    )
    await api.data("ConsentWithdraw", role=JUNIOR, consentId=consent_id)
    for sequence in (1, 2):
        stopped = await ingested(api, session_id, sequence, packets(2, 2))
        assert (stopped["code"], stopped["field"]) == ("CONFLICT", "sessionId")
    refused = await completed(api, session_id)
    assert (refused["code"], refused["message"]) == (
        "CONFLICT", "This session was stopped: its consent was taken back."
    )  # fmt: skip
    assert (await shown(api, session_id))["qdSeries"]["count"] == 0


BROKEN: dict[str, Any] = {
    "packets.0.face.blendShapes.jawOpen": {"blendShapes": PLEASED | {"jawOpen": 1.73}},
    "packets.0.face.blendShapes": {"blendShapes": [0.5] * 51},
    "packets.0.face.landmarks": {"landmarks": [[0.1, 0.1, 0.1]] * 5},
}


@pytest.mark.parametrize("field", BROKEN)
async def test_a_face_that_is_none_is_refused_without_its_numbers(
    api: Api, tenant: Tenant, owner_connection: Owner, field: str
) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))
    sent = packets(0, 1)
    sent[0]["face"] = BROKEN[field]

    answer = await ingested(api, session_id, 1, sent)

    assert (answer["code"], answer["field"]) == ("INVALID", field)
    assert "1.73" not in json.dumps(answer)
    [session] = await rows_of(owner_connection, "perception_sessions", tenant.id)
    assert (session["last_sequence"], session["measured"]) == (0, False)


@pytest.mark.parametrize(
    ("sequence", "sent", "field"),
    [
        (0, packets(0, 1), "sequence"),
        (-1, packets(0, 1), "sequence"),
        (1, [], "packets"),
        (1, packets(0, 20.2), "packets"),
        (1, packets(0, 1.02, rate=64), "packets.60.at"),
        (1, packets(1, 1) + packets(0, 1), "packets.5.at"),
        (1, packets(3600, 1), "packets.0.at"),
    ],
)
async def test_a_batch_that_is_none_is_refused(
    api: Api, tenant: Tenant, owner_connection: Owner, sequence: int, sent: list[dict[str, Any]], field: str
) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))

    answer = await ingested(api, session_id, sequence, sent)

    assert (answer["code"], answer["field"]) == ("INVALID", field)


async def test_a_visitor_becomes_a_lead(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    consent_id = await consent_of(owner_connection, tenant)
    session_id = await session_of(api, consent_id)
    await ingested(api, session_id, 1, packets(0, 4))
    await completed(api, session_id)
    before = await shown(api, session_id)

    data = await api.data(
        "PerceptionSessionMatch", role=JUNIOR, sessionId=session_id,
        target={"newLead": {"fullName": "Meera Iyer", "phone": "+919820012345"}},
    )  # fmt: skip

    answer = data["perceptionSessionMatch"]
    assert (answer["session"]["person"]["fullName"], answer["lead"]["stage"]) == ("Meera Iyer", "NEW")
    person_id = UUID(answer["session"]["person"]["id"].removeprefix("person_"))
    [lead] = await rows_of(owner_connection, "leads", tenant.id)
    assert (lead["source"], lead["assignee_id"], lead["person_id"]) == ("WALK_IN", tenant.users[JUNIOR], person_id)
    [consent] = await rows_of(owner_connection, "consents", tenant.id)
    assert consent["person_id"] == person_id
    after = await shown(api, session_id)
    assert before["person"] is None
    assert before["qdSeries"]["count"] == 20
    assert after["qdSeries"] == before["qdSeries"]
    assert await owner_connection.fetchval("SELECT count(*) FROM visitor_scores WHERE tenant_id = $1", tenant.id) == 0
    assert await owner_connection.fetchval("SELECT rules_qd_kind FROM people WHERE id = $1", person_id) == "SESSION"
    other = await api.data(
        "PerceptionSessionMatch", role=JUNIOR, sessionId=session_id, target={"newLead": {"fullName": "Asha"}}
    )
    assert (other["perceptionSessionMatch"]["code"], other["perceptionSessionMatch"]["field"]) == (
        "CONFLICT", "sessionId"
    )  # fmt: skip


async def test_a_visitor_becomes_a_known_person(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))
    mine, others = [await people.client(owner_connection, tenant, role) for role in (JUNIOR, SENIOR)]

    refused = await api.data(
        "PerceptionSessionMatch", role=JUNIOR, sessionId=session_id, target={"personId": f"person_{others}"}
    )
    assert refused["perceptionSessionMatch"]["code"] == "NOT_ALLOWED"
    for _ in range(2):
        data = await api.data(
            "PerceptionSessionMatch", role=JUNIOR, sessionId=session_id, target={"personId": f"person_{mine}"}
        )
        assert data["perceptionSessionMatch"]["session"]["person"]["id"] == f"person_{mine}"
        assert data["perceptionSessionMatch"]["lead"] is None
    # It goes on, as the person's.
    await ingested(api, session_id, 1, packets(0, 2))
    assert await owner_connection.fetchval("SELECT count(*) FROM qd_scores WHERE person_id = $1", mine) == 9


async def test_a_visitor_without_a_usable_number_stays_one(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))

    data = await api.data(
        "PerceptionSessionMatch", role=JUNIOR, sessionId=session_id,
        target={"newLead": {"fullName": "Meera", "phone": "none"}},
    )  # fmt: skip

    assert data["perceptionSessionMatch"]["field"] == "target.newLead.phone"
    assert await rows_of(owner_connection, "people", tenant.id) == []


async def test_who_sees_which_session(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    of_visitor = await session_of(api, await consent_of(owner_connection, tenant))
    person_id = await people.client(owner_connection, tenant)
    of_director = await session_of(api, await consent_of(owner_connection, tenant, person_id), role=Role.SALES_DIRECTOR)
    nobodys = await session_of(
        api, await consent_of(owner_connection, tenant, recorded_by_id=None), role=Role.SALES_DIRECTOR
    )

    async def listed(caller: Caller, **filter_: Any) -> set[str]:
        data = await api.data("PerceptionSessions", caller=caller, first=10, filter=filter_)
        return {edge["node"]["id"] for edge in data["perceptionSessions"]["edges"]}

    outsider = tenant.outside
    assert await listed(tenant.caller(JUNIOR)) == {of_visitor, of_director}
    assert await listed(tenant.caller(SENIOR)) == {of_visitor, of_director}
    assert await listed(tenant.caller(Role.ADMIN)) == {of_visitor, of_director, nobodys}
    assert await listed(outsider) == set()
    admin = tenant.caller(Role.ADMIN)
    assert await listed(admin, personId=f"person_{person_id}") == {of_director}
    assert await listed(admin, statuses=["COMPLETED"]) == set()
    assert await listed(admin, **{"from": START.isoformat(), "to": START.isoformat()}) == set()
    assert await listed(admin, **{"from": START.isoformat()}) == {of_visitor, of_director, nobodys}
    hidden = await api.data(
        "PerceptionIngest", caller=outsider, sessionId=of_visitor, sequence=1, packets=packets(0, 1)
    )
    assert hidden["perceptionIngest"]["code"] == "NOT_FOUND"


async def test_an_api_key_runs_the_sessions_that_it_began(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    key = Caller(tenant.id, None, JUNIOR, (), api_key_id=await access.api_key(owner_connection, tenant))
    given = {"subjectKind": "VISITOR", "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "noticeVersion": "1"}
    consent = (await api.data("ConsentGrant", caller=key, input=given))["consentGrant"]["consent"]["id"]
    data = await api.data("PerceptionSessionStart", caller=key, consentId=consent, surface="KIOSK")
    session_id = data["perceptionSessionStart"]["session"]["id"]

    answer = await ingested(api, session_id, 1, packets(0, 2), caller=key)

    assert answer["acceptedCount"] == 10
    assert (await completed(api, session_id, caller=key))["session"]["status"] == "COMPLETED"


async def test_one_batch_takes_this_many_statements(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    session_id = await session_of(api, await consent_of(owner_connection, tenant, person_id))
    assert system.units._brief is not None
    pool, engine = system.units._brief.pool, system.units._engine.sync_engine
    before, units = pool.statements, list[object]()

    def began(_connection: object, record: object, _proxy: object) -> None:
        units.append(record)

    event.listen(engine, "checkout", began)
    try:
        await ingested(api, session_id, 1, packets(0, 20))
        first = pool.statements - before
        await ingested(api, session_id, 2, packets(20, 20))
    finally:
        event.remove(engine, "checkout", began)

    # The session with its consent and scenes; and everything that is stored, with the history. Nothing began a unit.
    assert (first, units) == (2, [])
    # The next need not be read any more.
    assert pool.statements - before == 3
    assert api.statements == 0


async def test_a_generated_visit_stays_a_curve_of_scores(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    face = Face(generator("visit"), [Scene(0, 30, 0.9)], absences=[(10.0, 16.0)])
    session_id = await session_of(api, await consent_of(owner_connection, tenant))
    answer: Answer = {}
    for number in range(3):
        sent = [
            packet | {"face": None if (shapes := face.at(number * 10 + index / 10)) is None else {
                "blendShapes": [shapes[name] for name in BLEND_SHAPES]
            }}
            for index, packet in enumerate(packets(number * 10, 10, rate=10))
        ]  # fmt: skip
        answer = await ingested(api, session_id, number + 1, sent)

    assert answer["qd"]["confidence"] > 0.5
    series = (await shown(api, session_id))["qdSeries"]
    # Four seconds after a face was last seen nothing is known any more, and nothing is kept.
    assert 270 <= series["count"] < 300
    assert 1 <= series["min"] <= series["mean"] <= series["max"] <= 100


async def test_a_session_that_nobody_ended_is_completed_by_the_sweep(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    person_id = await people.client(owner_connection, tenant)
    consent_id = await consent_of(owner_connection, tenant, person_id)
    # One was left, of one nothing ever came, one is new, and of one a batch has just come.
    left, silent, new, busy = [await session_of(api, consent_id) for _ in range(4)]
    for session_id in (left, busy):
        await ingested(api, session_id, 1, packets(0, 20))
        await ingested(api, session_id, 2, packets(20, 1))
    ids = {name: UUID(each.removeprefix("session_")) for name, each in (("left", left), ("busy", busy))}
    now = datetime.now(UTC)
    await owner_connection.execute(
        "UPDATE perception_sessions SET started_at = $2 WHERE tenant_id = $1 AND id <> $3",
        tenant.id, now - timedelta(minutes=50), UUID(new.removeprefix("session_")),
    )  # fmt: skip
    await owner_connection.execute(
        "UPDATE perception_batches SET at = $2 WHERE tenant_id = $1 AND (session_id = $3 OR sequence = 1)",
        tenant.id, now - timedelta(minutes=40), ids["left"],
    )  # fmt: skip
    overdue, before = SqlOverdue(write_engine, 100_000), now - timedelta(minutes=30)

    assert await domain.complete_left(system.units, overdue, before) >= 2
    await domain.complete_left(system.units, overdue, before)

    found = {name: await shown(api, each) for name, each in
             (("left", left), ("silent", silent), ("new", new), ("busy", busy))}  # fmt: skip
    assert {name: each["status"] for name, each in found.items()} == {
        "left": "COMPLETED", "silent": "COMPLETED", "new": "RUNNING", "busy": "RUNNING",
    }  # fmt: skip
    assert found["silent"]["finalQd"] is None
    events = await rows_of(owner_connection, "events", tenant.id)
    completed_by = [row["actor_noun"] for row in events if row["kind"] == "PerceptionSessionCompleted"]
    assert completed_by == ["system_actors"] * 2
    told = await rows_of(owner_connection, "notifications", tenant.id)
    assert [row["kind"] for row in told if row["user_id"] == tenant.users[JUNIOR]].count("SESSION_COMPLETE") == 2
    # It has come to what its agent would have been answered.
    await completed(api, busy)
    scores = {each: (await shown(api, each))["finalQd"]["score"] for each in (left, busy)}
    assert scores[left] == scores[busy] > 60


async def test_the_sweep_looks_again_at_a_session_that_it_has_locked(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    consent_id = await consent_of(owner_connection, tenant)
    session_id = await session_of(api, consent_id)
    row_id, before = UUID(session_id.removeprefix("session_")), datetime.now(UTC) + SECOND
    async with system.units.write(tenant.caller(JUNIOR)) as unit:
        assert not await domain.complete_if_left(unit, row_id, START)
    await ingested(api, session_id, 1, packets(0, 1))
    async with system.units.write(tenant.caller(JUNIOR)) as unit:
        assert await domain.complete_if_left(unit, row_id, before)
    async with system.units.write(tenant.caller(JUNIOR)) as unit:
        assert not await domain.complete_if_left(unit, row_id, before)

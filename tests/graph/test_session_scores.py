"""What a session is answered about its scores: who made them, out of what, and nothing once they are erased."""

from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.demo.chance import generator
from domain.access import Role
from domain.qd import BLEND_SHAPES
from tests.api import Answer, Api
from tests.domain.qd.test_signals import drawn
from tests.factories.access import Tenant
from tests.graph.streams import Served
from tests.graph.test_sessions import START, completed, consent_of, ingested, packets, session_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR = Role.JUNIOR_BROKER
SCORES = """query($id: ID!) { perceptionSession(id: $id) {
    faceForm
    finalQd { kind source score confidence }
    refinedQd { at score engagement valence attention confidence kind source } } }"""
REFINED = {
    "refined_qd_at": START + timedelta(minutes=1), "refined_qd_score": 72.5, "refined_qd_engagement": 0.5,
    "refined_qd_valence": -0.25, "refined_qd_attention": 0.75, "refined_qd_confidence": 0.9,
}  # fmt: skip


async def scores_of(api: Api, session_id: str) -> Answer:
    found: Answer = (await api.data(SCORES, role=JUNIOR, id=session_id))["perceptionSession"]
    return found


async def store_refined(owner: Owner, session_id: str) -> None:
    columns = ", ".join(f"{name} = ${number}" for number, name in enumerate(REFINED, start=2))
    await owner.execute(
        f"UPDATE perception_sessions SET {columns} WHERE id = $1",
        UUID(session_id.removeprefix("session_")),
        *REFINED.values(),
    )


async def test_a_models_score_stands_beside_that_of_the_rules(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    consent_id = await consent_of(owner_connection, tenant)
    session_id = await session_of(api, consent_id)
    await ingested(api, session_id, 1, packets(0, 20))
    await completed(api, session_id)
    before = await scores_of(api, session_id)
    await store_refined(owner_connection, session_id)

    after = await scores_of(api, session_id)

    assert before["refinedQd"] is None
    assert after["finalQd"] == before["finalQd"]
    assert (after["finalQd"]["kind"], after["finalQd"]["source"]) == ("SESSION", "RULES")
    assert after["refinedQd"] == {
        "at": (START + timedelta(minutes=1)).isoformat(), "score": 72.5, "engagement": 0.5, "valence": -0.25,
        "attention": 0.75, "confidence": 0.9, "kind": "SESSION", "source": "MODEL",
    }  # fmt: skip
    await api.data("ConsentWithdraw", role=JUNIOR, consentId=consent_id)
    assert await scores_of(api, session_id) == {"faceForm": None, "finalQd": None, "refinedQd": None}


def drawings(start: float, seconds: float) -> list[dict[str, Any]]:
    """Packets of a drawn face that blinks, as landmarks."""
    sent = packets(start, seconds)
    for number, packet in enumerate(sent):
        packet["face"] = {"landmarks": drawn(68, gap=0.002 if number % 20 == 0 else 0.025)}
    return sent


async def test_a_session_says_as_what_faces_were_given(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))
    assert (await scores_of(api, session_id))["faceForm"] is None

    estimated = await ingested(api, session_id, 1, drawings(0, 20))
    assert (await scores_of(api, session_id))["faceForm"] == "LANDMARKS"
    # What is estimated is trusted less than what is measured.
    assert 0.5 < estimated["qd"]["confidence"] < 0.6

    await ingested(api, session_id, 2, packets(20, 1))
    assert (await scores_of(api, session_id))["faceForm"] == "BLEND_SHAPES"
    await ingested(api, session_id, 3, packets(21, 1, face=None))
    assert (await scores_of(api, session_id))["faceForm"] == "BLEND_SHAPES"


async def test_points_that_are_no_face_are_answered_as_nobody(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))
    sent = packets(0, 1)
    for packet in sent:
        packet["face"] = {"landmarks": [[0.5, 0.5, 0.0]] * 68}

    for duplicate in (False, True):
        answer = await ingested(api, session_id, 1, sent)
        assert (answer["qd"], answer["duplicate"]) == (None, duplicate)
    assert (await scores_of(api, session_id))["faceForm"] is None


async def test_many_small_batches_are_no_way_around_the_rate(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    session_id = await session_of(api, await consent_of(owner_connection, tenant))
    sent = packets(0, 1.01, rate=61)

    for sequence, part in enumerate((sent[:30], sent[30:60]), start=1):
        assert (await ingested(api, session_id, sequence, part))["acceptedCount"] == 30
    refused = await ingested(api, session_id, 3, sent[60:61])

    assert (refused["code"], refused["field"]) == ("INVALID", "packets.0.at")


def longest(number: int) -> list[dict[str, Any]]:
    """Packets of all 52 shapes by name, with the sixteen digits in which MediaPipe's numbers come."""
    random = generator("longest")
    sent = packets(0, number / 5)
    for packet in sent:
        packet["face"] = {"blendShapes": {name: random.uniform(0.1, 1) for name in BLEND_SHAPES}}
    return sent


def meshes(number: int, digits: int) -> list[dict[str, Any]]:
    """Packets of the larger mesh."""
    random = generator("meshes")
    sent = packets(0, number / 5)
    for packet in sent:
        packet["face"] = {"landmarks": [[round(random.random(), digits) for _ in "xyz"] for _ in range(478)]}
    return sent


@pytest.mark.parametrize("sent", [longest(100), meshes(20, 4)], ids=["shapes", "meshes"])
async def test_a_batch_fits_into_a_request_and_into_a_message(
    live: Served, owner_connection: Owner, sent: list[dict[str, Any]]
) -> None:
    session_id = await session_of(live.api, await consent_of(owner_connection, live.api.tenant))
    given: dict[str, Any] = {"sessionId": session_id, "sequence": 1, "packets": sent}

    answer = await live.http.post(
        "/graphql", json={"documentId": "PerceptionIngest", "variables": given}, headers=await live.api.bearer(JUNIOR)
    )
    async with live.client(JUNIOR) as client:
        await client.subscribe("PerceptionIngest", **given | {"sequence": 2})
        over_socket = await client.data("perceptionIngest")

    assert answer.json()["data"]["perceptionIngest"]["acceptedCount"] == len(sent)
    assert (over_socket["acceptedCount"], over_socket["lastSequence"]) == (len(sent), 2)


async def test_a_batch_of_meshes_that_is_too_large_says_how_large_it_may_be(
    live: Served, owner_connection: Owner
) -> None:
    session_id = await session_of(live.api, await consent_of(owner_connection, live.api.tenant))
    given = {"sessionId": session_id, "sequence": 1, "packets": meshes(100, 4)}

    answer = await live.http.post(
        "/graphql", json={"documentId": "PerceptionIngest", "variables": given}, headers=await live.api.bearer(JUNIOR)
    )

    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"

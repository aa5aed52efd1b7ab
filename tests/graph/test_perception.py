"""Perception through the schema: series of scores, the newest score, the sentiment scatter, consents."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Role
from domain.errors import NotFound
from domain.perception import QdKind, QdSource, Score
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import interactions, people, perception
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
START = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATEST = """query($id: ID!, $source: QdSource = RULES) { person(id: $id) {
    latestQd(source: $source) { at score kind source engagement valence } } }"""


async def scored(owner: Owner, tenant: Tenant, person_id: UUID, *scores: tuple[float, float], **values: Any) -> None:
    """Give a person scores: (hours after START, score)."""
    for hours, score in scores:
        await perception.score(owner, tenant, person_id=person_id, at=START + hours * HOUR, score=score, **values)


async def series(
    api: Api, person_id: UUID, *, role: Role = JUNIOR, hours: int = 4, points: int = 4, **given: Any
) -> Answer:
    data = await api.data(
        "QdHistory", role=role, personId=f"person_{person_id}", points=points,
        **{"from": START.isoformat(), "to": (START + hours * HOUR).isoformat()}, **given,
    )  # fmt: skip
    found: Answer = data["person"]["qdSeries"]
    return found


def score(person_id: UUID, hours: float, value: float, source: QdSource = QdSource.RULES, **values: Any) -> Score:
    return Score(new_id(), person_id, START + hours * HOUR, QdKind.SESSION, source, value, **values)


async def test_series_keeps_the_low_and_high_of_each_bucket_and_omits_empty_ones(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(owner_connection, tenant, person_id, (0, 40), (0.25, 50), (0.5, 51), (2, 70.5), (3.99, 90))

    assert await series(api, person_id) == {
        "source": "RULES",
        "points": [
            {"at": "2026-10-01T00:00:00+00:00", "score": 47.0, "low": 40.0, "high": 51.0},
            {"at": "2026-10-01T02:00:00+00:00", "score": 70.5, "low": 70.5, "high": 70.5},
            {"at": "2026-10-01T03:00:00+00:00", "score": 90.0, "low": 90.0, "high": 90.0},
        ],
        "min": 40.0,
        "max": 90.0,
        "mean": 60.3,
        "count": 5,
    }
    assert api.statements == 1


async def test_series_includes_its_start_and_not_its_end(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(owner_connection, tenant, person_id, (-0.001, 1), (0, 2), (3.999, 3), (4, 4))

    found = await series(api, person_id)

    assert (found["min"], found["max"], found["count"]) == (2.0, 3.0, 2)


async def test_series_of_whole_hours_begins_and_ends_within_them(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(
        owner_connection, tenant, person_id, (0.25, 99), (0.5, 10), (0.75, 20), (1.5, 30), (2.25, 40), (2.5, 99)
    )
    data = await api.data(
        "QdHistory", role=JUNIOR, personId=f"person_{person_id}", points=2,
        **{"from": (START + 0.5 * HOUR).isoformat(), "to": (START + 2.5 * HOUR).isoformat()},
    )  # fmt: skip

    assert data["person"]["qdSeries"] == {
        "source": "RULES",
        "points": [
            {"at": "2026-10-01T00:30:00+00:00", "score": 20.0, "low": 10.0, "high": 30.0},
            {"at": "2026-10-01T02:00:00+00:00", "score": 40.0, "low": 40.0, "high": 40.0},
        ],
        "min": 10.0,
        "max": 40.0,
        "mean": 25.0,
        "count": 4,
    }


async def test_series_rounds_means_to_four_decimals(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(owner_connection, tenant, person_id, (0, 10), (0.1, 10), (0.2, 11))

    found = await series(api, person_id, points=1)

    assert (found["mean"], [point["score"] for point in found["points"]]) == (10.3333, [10.3333])


async def test_series_spans_months_and_has_no_more_buckets_than_asked_for(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(owner_connection, tenant, person_id, *((-24 * day, 50 + day / 10) for day in range(1, 100)))
    document = """query($id: ID!, $from: DateTime!, $to: DateTime!, $points: Int!) { person(id: $id) {
        qdSeries(from: $from, to: $to, points: $points) { count points { at } } } }"""

    data = await api.data(
        document, role=JUNIOR, id=f"person_{person_id}", points=7,
        **{"from": (START - timedelta(days=100)).isoformat(), "to": START.isoformat()},
    )  # fmt: skip

    found = data["person"]["qdSeries"]
    assert found["count"] == 99
    assert len(found["points"]) == 7
    # A seventh of a hundred days, rounded up to the next hour.
    assert found["points"][1]["at"] == "2026-07-07T07:00:00+00:00"


async def test_series_never_mixes_sources_and_takes_the_kinds_asked_for(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(owner_connection, tenant, person_id, (0, 10))
    await scored(owner_connection, tenant, person_id, (0, 20), kind="SESSION")
    await scored(owner_connection, tenant, person_id, (0, 30), source="MODEL")

    by_rules = await series(api, person_id)
    by_model = await series(api, person_id, source="MODEL")
    sessions = await series(api, person_id, kinds=["SESSION", "PROFILE"])
    none = await series(api, person_id, kinds=[])

    assert (by_rules["source"], by_rules["count"], by_rules["mean"]) == ("RULES", 2, 15.0)
    assert (by_model["source"], by_model["count"], by_model["mean"]) == ("MODEL", 1, 30.0)
    assert (sessions["count"], sessions["mean"]) == (1, 20.0)
    assert none == {"source": "RULES", "points": [], "min": None, "max": None, "mean": None, "count": 0}


async def test_null_asks_for_the_scores_of_the_rules(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(
        owner_connection, tenant, rules_qd_at=START, rules_qd_score=50, rules_qd_kind="LIVE"
    )
    await scored(owner_connection, tenant, person_id, (0, 50))

    found = await series(api, person_id, source=None, kinds=None)
    newest = await api.data(LATEST, id=f"person_{person_id}", source=None)

    assert (found["source"], found["count"]) == ("RULES", 1)
    assert newest["person"]["latestQd"]["score"] == 50.0


async def test_series_may_span_all_of_time(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(owner_connection, tenant, person_id, (0, 50))
    document = """query($id: ID!) { person(id: $id) {
        qdSeries(from: "0001-01-02T00:00:00Z", to: "9999-12-31T23:59:59Z", points: 1) { count points { at } } } }"""

    data = await api.data(document, id=f"person_{person_id}")

    assert data["person"]["qdSeries"] == {"count": 1, "points": [{"at": "0001-01-02T00:00:00+00:00"}]}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_moments_that_the_driver_takes_for_infinity_are_refused(api: Api, moment: str) -> None:
    variables: dict[str, Any] = {"personId": f"person_{new_id()}", "points": 1, "from": moment, "to": moment}
    answer = await api.run("QdHistory", **variables)

    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_two_series_of_one_person_are_two_answers(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    await scored(owner_connection, tenant, person_id, (0, 10))
    await scored(owner_connection, tenant, person_id, (0, 30), source="MODEL")
    document = """query($id: ID!, $from: DateTime!, $to: DateTime!) { person(id: $id) {
        rules: qdSeries(from: $from, to: $to, points: 1) { count max }
        model: qdSeries(from: $from, to: $to, points: 1, source: MODEL, kinds: [LIVE]) { max } } }"""

    data = await api.data(
        document, id=f"person_{person_id}", **{"from": START.isoformat(), "to": (START + HOUR).isoformat()}
    )

    assert data["person"] == {"rules": {"count": 1, "max": 10.0}, "model": {"max": 30.0}}


@pytest.mark.parametrize(
    ("hours", "points", "field"), [(0, 10, "to"), (-1, 10, "to"), (1, 0, "points"), (1, 2001, "points")]
)
async def test_series_that_holds_nothing_is_refused(
    api: Api, tenant: Tenant, owner_connection: Owner, hours: int, points: int, field: str
) -> None:
    person_id = await people.client(owner_connection, tenant)

    variables: dict[str, Any] = {"from": START.isoformat(), "to": (START + hours * HOUR).isoformat()}
    answer = await api.run("QdHistory", personId=f"person_{person_id}", points=points, **variables)

    assert answer["errors"][0]["extensions"] == {"code": "INVALID", "field": field}


async def test_junior_sees_no_scores_of_other_brokers_people(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(
        owner_connection, tenant, SENIOR, rules_qd_at=START, rules_qd_score=50, rules_qd_kind="LIVE"
    )
    await scored(owner_connection, tenant, person_id, (0, 50))

    assert (await series(api, person_id, role=JUNIOR))["count"] == 0
    assert (await series(api, person_id, role=SENIOR))["count"] == 1
    hidden = await api.data(LATEST, role=JUNIOR, id=f"person_{person_id}")
    assert hidden["person"]["latestQd"] is None


async def test_added_scores_become_the_newest_of_their_source(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    one, other = await people.client(owner_connection, tenant), await people.client(owner_connection, tenant)
    batch = [
        score(one, 2, 60, engagement=0.5, valence=-0.25),
        score(one, 1, 90),
        score(other, 1, 30),
        score(one, 0, 75, QdSource.MODEL),
    ]

    async with system.units.write(tenant.caller()) as unit:
        await unit.perception.add_scores(batch)

    newest = await api.data(LATEST, role=JUNIOR, id=f"person_{one}")
    assert newest["person"]["latestQd"] == {
        "at": "2026-10-01T02:00:00+00:00", "score": 60.0, "kind": "SESSION", "source": "RULES",
        "engagement": 0.5, "valence": -0.25,
    }  # fmt: skip
    by_model = await api.data(LATEST, role=JUNIOR, id=f"person_{one}", source="MODEL")
    assert (by_model["person"]["latestQd"]["score"], by_model["person"]["latestQd"]["source"]) == (75.0, "MODEL")
    imported = await api.data(LATEST, role=JUNIOR, id=f"person_{one}", source="IMPORTED")
    assert imported["person"]["latestQd"] is None
    assert (await series(api, one))["count"] == 2
    assert (await api.data(LATEST, role=JUNIOR, id=f"person_{other}"))["person"]["latestQd"]["score"] == 30.0


async def test_late_scores_do_not_become_the_newest(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    newest = []
    for hours, value in ((2, 60), (1, 90), (2, 61)):
        async with system.units.write(tenant.caller()) as unit:
            await unit.perception.add_scores([score(person_id, hours, value)])
        newest.append((await api.data(LATEST, id=f"person_{person_id}"))["person"]["latestQd"]["score"])

    # Of two scores of one moment the one that was added last counts, as in the order of the key.
    assert newest == [60.0, 60.0, 61.0]
    assert (await series(api, person_id))["count"] == 3


async def test_scores_of_another_tenants_person_are_refused_whole(
    system: System, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    mine, theirs = await people.client(owner_connection, tenant), await people.client(owner_connection, other_tenant)

    with pytest.raises(NotFound):
        async with system.units.write(tenant.caller()) as unit:
            await unit.perception.add_scores([score(mine, 0, 50), score(theirs, 0, 50)])

    assert await owner_connection.fetchval("SELECT count(*) FROM qd_scores WHERE person_id = $1", mine) == 0
    assert await owner_connection.fetchval("SELECT rules_qd_at FROM people WHERE id = $1", mine) is None


async def scatter(api: Api, *, role: Role = Role.ADMIN, first: int = 10) -> Answer:
    data = await api.data(
        "SentimentScatter", role=role, first=first, **{"from": START.isoformat(), "to": (START + 4 * HOUR).isoformat()}
    )
    found: Answer = data["sentimentScatter"]
    return found


async def test_scatter_shows_who_met_us_or_was_scored_most_interactions_first(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    quiet, met, both, later = [
        await people.client(owner_connection, tenant, full_name=name) for name in ("Quiet", "Met", "Both", "Later")
    ]
    for person_id, hours in ((met, 0), (both, 1), (both, 3.5), (both, 4), (quiet, -1)):
        await interactions.interaction(owner_connection, tenant, person_id=person_id, occurred_at=START + hours * HOUR)
    async with system.units.write(tenant.caller()) as unit:
        await unit.perception.add_scores(
            [
                score(both, 0, 40, engagement=0.2, valence=-0.5),
                score(both, 3, 50, engagement=0.4),
                score(both, 1, 99, QdSource.MODEL),
                score(later, 2, 70),
                score(later, 9, 10),
                score(quiet, -1, 10),
                score(quiet, 4, 10),
            ]
        )

    found = await scatter(api)

    assert [(point["person"]["fullName"], point["interactionCount"]) for point in found["points"]] == [
        ("Both", 2), ("Met", 1), ("Later", 0),
    ]  # fmt: skip
    assert [(point["qdScore"], point["engagement"], point["valence"]) for point in found["points"]] == [
        (45.0, 0.3, -0.5), (None, None, None), (70.0, None, None),
    ]  # fmt: skip
    assert found["truncated"] is False
    assert api.statements == 2
    cut = await scatter(api, first=2)
    assert [point["person"]["fullName"] for point in cut["points"]] == ["Both", "Met"]
    assert cut["truncated"] is True


async def test_scatter_counts_what_its_caller_may_see(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    of_director = await people.client(owner_connection, tenant, Role.SALES_DIRECTOR, full_name="Director's")
    of_junior = await people.client(owner_connection, tenant, full_name="Junior's")
    for person_id in (of_director, of_junior):
        await interactions.interaction(owner_connection, tenant, person_id=person_id, occurred_at=START)

    for role, names in ((JUNIOR, ["Junior's"]), (SENIOR, ["Junior's"]), (Role.ADMIN, ["Director's", "Junior's"])):
        points = (await scatter(api, role=role))["points"]
        assert sorted(point["person"]["fullName"] for point in points) == names


async def test_empty_scatter_is_whole(api: Api) -> None:
    assert await scatter(api) == {"points": [], "truncated": False}


async def test_scatter_of_too_many_is_refused(api: Api) -> None:
    variables: dict[str, Any] = {"from": START.isoformat(), "to": (START + HOUR).isoformat()}
    answer = await api.run("SentimentScatter", first=501, **variables)

    assert answer["errors"][0]["extensions"] == {"code": "INVALID", "field": "first"}


async def test_status_of_a_consent_follows_from_its_times(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant)
    now = datetime.now(UTC)
    times = {
        "ACTIVE": {"expires_at": now + timedelta(days=1)},
        "EXPIRED": {"expires_at": now - timedelta(days=1)},
        "WITHDRAWN": {"expires_at": now - timedelta(days=1), "withdrawn_at": now - timedelta(days=2)},
    }
    for number, values in enumerate(times.values()):
        await perception.consent(
            owner_connection, tenant, person_id=person_id, granted_at=now - timedelta(days=9),
            created_at=now - timedelta(days=number), **values,
        )  # fmt: skip
    document = """query($id: ID!) { person(id: $id) { consents(first: 5) { edges { node {
        status purpose modality subjectKind noticeVersion person { id } } } } } }"""

    data = await api.data(document, role=JUNIOR, id=f"person_{person_id}")

    nodes = [edge["node"] for edge in data["person"]["consents"]["edges"]]
    assert [node.pop("status") for node in nodes] == list(times)
    assert nodes[0] == {
        "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "subjectKind": "PERSON", "noticeVersion": "2026-1",
        "person": {"id": f"person_{person_id}"},
    }  # fmt: skip


async def test_consents_of_others_are_hidden(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.client(owner_connection, tenant, SENIOR)
    of_person = await perception.consent(owner_connection, tenant, person_id=person_id, granted_at=START)
    of_visitor = await perception.consent(owner_connection, tenant, subject_kind="VISITOR", granted_at=START)
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [f"consent_{of_person}", f"consent_{of_visitor}"]

    assert (await api.data(document, role=JUNIOR, ids=ids))["nodes"] == [None, None]
    assert (await api.data(document, role=SENIOR, ids=ids))["nodes"] == [{"id": ids[0]}, None]
    assert (await api.data(document, role=Role.ADMIN, ids=ids))["nodes"] == [{"id": each} for each in ids]

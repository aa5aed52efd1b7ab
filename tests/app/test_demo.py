"""The demo tenants as they are generated: the same on every run, and believable row by row."""

import hashlib
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import phonenumbers
import pytest

from app.demo.generate import generate
from app.demo.names import CULTURES
from app.demo.places import CITIES, City
from app.demo.qd import RISE_WINDOW
from app.demo.rows import COLUMNS
from app.demo.team import MERIDIAN, SAFFRON, TenantPlan
from db.migrations.declared import metadata
from domain.access import Actor
from domain.audit import GENESIS, Entry
from domain.leads import Lead, LeadLostReason, LeadMove, LeadStage, check_move

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SCALE = 0.05
Tables = dict[str, list[dict[str, Any]]]

DIGEST = """
from datetime import UTC, datetime
from tests.app.test_demo import digest
print(digest(datetime(2026, 3, 1, 9, tzinfo=UTC)))
"""


def tables(plan: TenantPlan, scale: float) -> Tables:
    """Generate a tenant and return its rows as dictionaries by table."""
    found: Tables = {table: [] for table in COLUMNS}
    for batch in generate(plan, scale, "a hash", NOW):
        for table, rows in batch.rows.items():
            names = batch.column_names(table)
            found[table] += [dict(zip(names, row, strict=True)) for row in rows]
    return found


def digest(now: datetime) -> str:
    """Return what identifies every byte of both tenants."""
    total = hashlib.sha256()
    for plan in (SAFFRON, MERIDIAN):
        for batch in generate(plan, SCALE, "a hash", now):
            for table, rows in batch.rows.items():
                total.update(f"{table} {rows}".encode())
    return total.hexdigest()


@pytest.fixture(scope="module")
def demo() -> Tables:
    """The first tenant at scale 1."""
    return tables(SAFFRON, 1)


@pytest.fixture(scope="module")
def cities() -> dict[str, City]:
    return {city.name: city for city in CITIES}


def by_id(rows: list[dict[str, Any]]) -> dict[UUID, dict[str, Any]]:
    return {row["id"]: row for row in rows}


def grouped(rows: list[dict[str, Any]], column: str) -> dict[Any, list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def test_another_process_makes_the_same_bytes() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=root,
        env={"PYTHONHASHSEED": "4711", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == digest(NOW)


def test_another_instant_makes_other_bytes() -> None:
    assert digest(NOW + timedelta(days=1)) != digest(NOW)


def test_columns_exist_and_required_ones_are_filled() -> None:
    for table, columns in COLUMNS.items():
        declared = metadata.tables[table].columns
        required = {
            column.name
            for column in declared
            if not column.nullable and column.computed is None and column.server_default is None
        }
        assert set(columns) <= set(declared.keys()), table
        assert required <= {"tenant_id", *columns}, table


def test_volumes_at_scale_1(demo: Tables) -> None:
    counts = {table: len(rows) for table, rows in demo.items()}

    assert 1_950 <= counts["people"] <= 2_050
    assert 2_900 <= counts["leads"] <= 3_100
    assert 395 <= counts["properties"] <= 405
    assert 28_500 <= counts["interactions"] <= 31_500
    assert 190_000 <= counts["qd_scores"] <= 210_000
    assert not [table for table, count in counts.items() if count == 0]
    kinds = Counter(row["kind"] for row in demo["interactions"])
    assert all(kinds[kind] >= 500 for kind in ("MESSAGE", "CALL", "EMAIL", "VISIT", "NOTE")), kinds


def test_every_message_of_a_thread_is_an_interaction(demo: Tables) -> None:
    linked = [row["thread_message_id"] for row in demo["interactions"] if row["kind"] == "MESSAGE"]

    assert sorted(linked) == sorted(row["id"] for row in demo["thread_messages"])


def test_no_message_text_repeats_more_than_three_times(demo: Tables) -> None:
    texts = Counter(row["text"] for row in demo["thread_messages"] if row["text"] is not None)

    text, count = texts.most_common(1)[0]
    assert count <= 3, text
    assert len(texts) >= 0.75 * texts.total()


def test_every_fact_quotes_what_it_rests_on(demo: Tables) -> None:
    messages, interactions = by_id(demo["thread_messages"]), by_id(demo["interactions"])
    segments = grouped(demo["transcript_segments"], "interaction_id")
    kinds: Counter[tuple[str, str]] = Counter()
    for fact in demo["facts"]:
        interaction = interactions[fact["interaction_id"]]
        said = [segment["text"] for segment in segments[interaction["id"]]]
        if interaction["kind"] == "MESSAGE":
            said = [messages[interaction["thread_message_id"]]["text"]]
        assert interaction["person_id"] == fact["person_id"]
        assert fact["extracted_at"] >= interaction["occurred_at"]
        assert any(fact["quote"] in text for text in said), fact["quote"]
        assert (fact["amount_amount"] is not None) == (fact["kind"] == "BUDGET")
        kinds[fact["kind"], interaction["kind"]] += 1

    for kind in ("BUDGET", "OBJECTION", "TIMELINE", "PREFERENCE"):
        assert kinds[kind, "MESSAGE"] > 0, kind
        assert kinds[kind, "CALL"] > 0, kind


def test_every_objection_quotes_what_the_client_said_in_the_call(demo: Tables) -> None:
    interactions, people = by_id(demo["interactions"]), by_id(demo["people"])
    segments = grouped(demo["transcript_segments"], "interaction_id")

    for objection in demo["objections"]:
        call = interactions[objection["interaction_id"]]
        client = people[call["person_id"]]["full_name"]
        assert call["kind"] == "CALL"
        assert any(
            objection["text"] in segment["text"] for segment in segments[call["id"]] if segment["speaker"] == client
        ), objection["text"]
    assert len({objection["kind"] for objection in demo["objections"]}) == 7


def holds(consent: dict[str, Any], at: datetime) -> bool:
    withdrawn = consent["withdrawn_at"]
    return bool(consent["granted_at"] < at < consent["expires_at"] and (withdrawn is None or at < withdrawn))


def test_transcripts_run_forwards_and_fit_their_call_and_its_consent(demo: Tables) -> None:
    interactions = by_id(demo["interactions"])
    recorded = {row["person_id"]: row for row in demo["consents"] if row["purpose"] == "RECORDING"}

    for call_id, segments in grouped(demo["transcript_segments"], "interaction_id").items():
        call = interactions[call_id]
        starts = [segment["start_ms"] for segment in segments]
        assert starts == sorted(set(starts))
        assert starts[-1] < call["duration_seconds"] * 1000
        assert holds(recorded[call["person_id"]], call["occurred_at"])


def rises(points: list[dict[str, Any]]) -> Iterator[datetime]:
    ordered = sorted(points, key=lambda point: point["at"])
    for before, point in pairwise(ordered):
        if point["score"] > before["score"]:
            yield point["at"]


def test_every_qd_rise_follows_a_dated_event(demo: Tables) -> None:
    events = {
        person: sorted(row["occurred_at"] for row in rows)
        for person, rows in grouped(demo["interactions"], "person_id").items()
    }
    found = 0
    for person, points in grouped(demo["qd_scores"], "person_id").items():
        series = [[p for p in points if p["source"] == source] for source in ("RULES", "MODEL", "IMPORTED")]
        series += [
            [p for p in points if p["kind"] == kind and p["source"] == "RULES"] for kind in ("PROFILE", "SESSION")
        ]
        for each in series:
            for at in rises(each):
                found += 1
                assert any(event <= at <= event + RISE_WINDOW for event in events[person]), (person, at)
    assert found > 10_000


def test_curves_fall_between_events_and_stay_in_range(demo: Tables) -> None:
    scores = [point["score"] for point in demo["qd_scores"]]
    kinds = Counter((point["kind"], point["source"]) for point in demo["qd_scores"])
    long_curves = [rows for rows in grouped(demo["qd_scores"], "person_id").values() if len(rows) > 100]

    assert 1 <= min(scores) < 20
    assert 85 < max(scores) <= 99
    assert kinds["PROFILE", "RULES"] > 0.95 * len(scores)
    assert all(kinds[wanted] > 100 for wanted in (("SESSION", "RULES"), ("PROFILE", "MODEL"), ("PROFILE", "IMPORTED")))
    assert len(long_curves) > 300
    for rows in long_curves:
        rules = sorted((row for row in rows if row["source"] == "RULES"), key=lambda row: row["at"])
        scores = [row["score"] for row in rules]
        assert any(before > after for before, after in pairwise(scores))
        assert max(scores) > scores[0]


def test_a_session_score_has_a_consent_that_held(demo: Tables) -> None:
    given = {row["person_id"]: row for row in demo["consents"] if row["purpose"] == "SHOWROOM_ENGAGEMENT"}
    sessions = [point for point in demo["qd_scores"] if point["kind"] == "SESSION"]

    assert sessions
    assert all(holds(given[point["person_id"]], point["at"]) for point in sessions)


def test_names_fit_the_city(demo: Tables, cities: dict[str, City]) -> None:
    for person in demo["people"]:
        given, family = person["full_name"].split(" ", 1)
        cultures = [CULTURES[name] for name, _ in cities[person["city"]].cultures]
        initial = given.endswith(".")
        assert any(
            family in culture.families
            and any(name.startswith(given[0]) if initial else name == given for name in culture.women + culture.men)
            for culture in cultures
        ), (person["full_name"], person["city"])


def test_phones_are_valid_and_of_the_country(demo: Tables, cities: dict[str, City]) -> None:
    for person in demo["people"]:
        number = phonenumbers.parse(person["primary_phone_e164"])
        assert phonenumbers.is_valid_number(number), person["primary_phone_e164"]
        assert phonenumbers.region_code_for_number(number) == person["primary_phone_country"]
        assert person["primary_phone_country"] == cities[person["city"]].country
    twice = [phone for phone, count in Counter(p["primary_phone_e164"] for p in demo["people"]).items() if count > 1]
    assert 5 <= len(twice) <= 60


def test_emails_are_on_domains_kept_for_examples(demo: Tables) -> None:
    addresses = [row["primary_email"] for row in demo["people"] if row["primary_email"]]
    addresses += [row["email"] for row in demo["users"]]

    allowed = ("@example.com", "@example.org", "@example.net", ".example")
    assert all(address.endswith(allowed) for address in addresses)
    assert len({row["email"] for row in demo["users"]}) == len(demo["users"])


def test_currencies_fit_the_city_and_amounts_the_price(demo: Tables, cities: dict[str, City]) -> None:
    properties, leads = by_id(demo["properties"]), by_id(demo["leads"])
    for unit in demo["properties"]:
        city = cities[unit["city"]]
        per_square_foot = float(unit["list_price_amount"]) / unit["living_area"]
        assert unit["list_price_currency"] == city.currency
        low, high = min(one.low for one in city.localities), max(one.high for one in city.localities)
        assert 0.95 * low <= per_square_foot <= 1.05 * high
    for interest in demo["property_interests"]:
        lead = leads[interest["lead_id"]]
        if interest["property_id"] and lead["budget_currency"]:
            assert lead["budget_currency"] == properties[interest["property_id"]]["list_price_currency"]
    for deal in demo["opportunities"]:
        unit = properties[deal["property_id"]]
        assert deal["amount_currency"] == unit["list_price_currency"]
        assert 0.9 <= deal["amount_amount"] / unit["list_price_amount"] <= 1.02
    shares = Counter(row["budget_currency"] for row in demo["leads"])
    assert shares["INR"] > 1_500
    assert shares["AED"] > 300


def test_stage_histories_obey_the_rules(demo: Tables) -> None:
    histories = grouped(demo["stage_changes"], "lead_id")
    for row in demo["leads"]:
        history = histories[row["id"]]
        assert [change["at"] for change in history] == sorted(change["at"] for change in history)
        assert (history[0]["from_stage"], history[0]["to_stage"]) == (None, "NEW")
        assert history[0]["at"] == row["created_at"]
        assert history[-1]["to_stage"] == row["stage"]
        assert history[-1]["at"] == row["stage_changed_at"] <= NOW
        stage = LeadStage.NEW
        for change in history[1:]:
            assert change["from_stage"] == stage.name
            to_stage = LeadStage[change["to_stage"]]
            reason = LeadLostReason[change["lost_reason"]] if change["lost_reason"] else None
            check_move(
                Lead(row["id"], row["person_id"], row["assignee_id"], stage),
                LeadMove(row["id"], to_stage, lost_reason=reason),
            )
            stage = to_stage
    assert {row["stage"] for row in demo["leads"]} == {stage.name for stage in LeadStage}


def test_a_won_lead_sold_one_property_and_a_big_deal_was_approved(demo: Tables) -> None:
    properties = by_id(demo["properties"])
    won = [deal for deal in demo["opportunities"] if deal["stage"] == "WON"]
    threshold = demo["tenants"][0]["high_value_amount"]

    assert len(won) >= 40
    assert len({deal["property_id"] for deal in won}) == len(won)
    assert {properties[deal["property_id"]]["standard_status"] for deal in won} == {"CLOSED"}
    assert sum(lead["stage"] == "WON" for lead in demo["leads"]) == len(won)
    for deal in won:
        big = deal["amount_currency"] == "INR" and deal["amount_amount"] >= threshold
        assert (deal["approved_by_id"] is not None) == big


def test_nothing_happened_after_now(demo: Tables) -> None:
    for table, rows in demo.items():
        for column in ("created_at", "updated_at", "occurred_at", "sent_at", "at", "completed_at", "extracted_at"):
            if rows and column in rows[0]:
                latest = max(row[column] for row in rows if row[column] is not None)
                assert latest <= NOW, (table, column)
    due = [row["due_at"] for row in demo["tasks"] if row["status"] == "OPEN"]
    assert any(at < NOW for at in due)
    assert any(at > NOW for at in due)
    assert {row["status"] for row in demo["tasks"]} == {"OPEN", "DONE", "CANCELLED"}


def test_people_carry_their_newest_scores_and_last_contact(demo: Tables) -> None:
    points = grouped(demo["qd_scores"], "person_id")
    contacts = grouped([row for row in demo["interactions"] if row["kind"] != "NOTE"], "person_id")
    for person in demo["people"]:
        for source in ("RULES", "MODEL", "IMPORTED"):
            mine = [point for point in points[person["id"]] if point["source"] == source]
            newest = max(mine, key=lambda point: point["at"], default=None)
            for part in ("at", "score", "kind", "engagement", "valence", "attention", "confidence"):
                assert person[f"{source.lower()}_qd_{part}"] == (newest and newest[part])
        latest = max((row["occurred_at"] for row in contacts[person["id"]]), default=None)
        assert person["last_contacted_at"] == latest


def test_threads_know_their_last_message_and_what_is_unread(demo: Tables) -> None:
    messages = {
        thread: sorted(rows, key=lambda row: (row["sent_at"], row["id"]))
        for thread, rows in grouped(demo["thread_messages"], "thread_id").items()
    }
    for thread in demo["threads"]:
        assert thread["last_message_at"] == messages[thread["id"]][-1]["sent_at"]
        assert thread["created_at"] == messages[thread["id"]][0]["sent_at"]
    for read in demo["thread_reads"]:
        rows = messages[read["thread_id"]]
        seen = (
            [row["id"] for row in rows].index(read["last_read_message_id"]) + 1 if read["last_read_message_id"] else 0
        )
        assert read["unread_count"] == sum(row["direction"] == "INBOUND" for row in rows[seen:])
    assert any(read["unread_count"] > 0 for read in demo["thread_reads"])


@pytest.mark.parametrize("plan", [SAFFRON, MERIDIAN], ids=lambda plan: plan.slug)
def test_each_demo_user_has_something_on_every_screen(plan: TenantPlan) -> None:
    rows = tables(plan, SCALE)
    users = {user["email"].split("@")[0]: user for user in rows["users"]}
    junior = users["junior"]["id"]
    leads = {lead["id"]: lead for lead in rows["leads"] if lead["assignee_id"] == junior}
    people = {lead["person_id"] for lead in leads.values()}
    teams = grouped(rows["team_members"], "user_id")

    assert {user["role"] for user in rows["users"]} == {"ADMIN", "SALES_DIRECTOR", "SENIOR_BROKER", "JUNIOR_BROKER"}
    assert {row["team_id"] for row in teams[junior]} <= {row["team_id"] for row in teams[users["senior"]["id"]]}
    assert {"NEW", "CONTACTED", "QUALIFIED", "VISIT", "NEGOTIATION"} <= {lead["stage"] for lead in leads.values()}
    assert any(row["assignee_id"] == junior and row["status"] == "OPEN" for row in rows["tasks"])
    assert {row["kind"] for row in rows["interactions"] if row["person_id"] in people} >= {"MESSAGE", "CALL", "VISIT"}
    assert any(row["assignee_id"] == junior for row in rows["threads"])
    assert "OPEN" in {row["stage"] for row in rows["opportunities"] if row["lead_id"] in leads}
    assert any(row["subject_id"] in leads for row in rows["audit_entries"])
    for name in ("facts", "consents", "qd_scores"):
        assert any(row["person_id"] in people for row in rows[name]), name
    for name in ("objections", "proposals", "activity_entries", "lead_shares", "property_media", "relationships"):
        assert rows[name], name
    assert [row["provider"] for row in rows["provider_settings"]] == (["MOCK"] if plan is SAFFRON else [])


def test_the_audit_chain_holds(demo: Tables) -> None:
    previous = GENESIS
    for number, row in enumerate(demo["audit_entries"], start=1):
        entry = Entry(
            row["tenant_id"], row["sequence"], row["id"], row["at"], row["action"],
            Actor(row["actor_noun"], row["actor_id"]), Actor(row["subject_noun"], row["subject_id"]),
            tuple(row["changed_fields"]),
        )  # fmt: skip
        assert row["sequence"] == number
        assert row["previous_hash"] == previous
        assert row["hash"] == entry.hash_after(previous)
        previous = row["hash"]
    head = demo["tenant_heads"][0]
    assert (head["audit_hash"], head["audit_sequence"]) == (previous, len(demo["audit_entries"]))
    assert [row["sequence"] for row in demo["events"]] == list(range(1, head["event_sequence"] + 1))
    told = {row["sequence"] for row in demo["events"]}
    assert {row["sequence"] for row in demo["activity_entries"]} <= told

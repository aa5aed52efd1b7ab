"""What to do next: each rule alone, what it says, and which of two speaks first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.leads import LeadStage
from domain.people import NextBestActionKind
from domain.people.next_best_action import (
    DueTask,
    Engagement,
    NextBestAction,
    OpenLead,
    Situation,
    decide,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CALL, MESSAGE, VISIT, REVIEW = (
    NextBestActionKind.CALL, NextBestActionKind.MESSAGE, NextBestActionKind.VISIT, NextBestActionKind.REVIEW,
)  # fmt: skip


def lead(stage: LeadStage, days_ago: int = 1) -> OpenLead:
    return OpenLead(stage, NOW - days_ago * DAY)


def decided(situation: Situation) -> NextBestAction:
    action = decide(situation, NOW)
    assert action is not None
    return action


def test_nothing_is_to_be_done_for_somebody_without_a_lead() -> None:
    assert decide(Situation(last_contacted_at=NOW - 90 * DAY, engagement=Engagement(90, NOW)), NOW) is None


def test_a_message_is_answered() -> None:
    wrote = NOW - HOUR

    assert decided(Situation(unanswered_since=wrote)) == NextBestAction(
        MESSAGE, "Answer their message", "They wrote on 10 March 2026 and nobody has answered.", wrote + 4 * HOUR
    )


def test_a_message_that_waited_for_two_days_is_answered_by_a_call() -> None:
    wrote = NOW - 2 * DAY

    assert decided(Situation(unanswered_since=wrote)) == NextBestAction(
        CALL, "Call them back", "They wrote on 8 March 2026 and nobody has answered.", wrote + 4 * HOUR
    )


def test_days_are_counted_where_the_tenant_is() -> None:
    late = datetime(2026, 3, 9, 22, tzinfo=UTC)

    action = decided(Situation(unanswered_since=late, zone=timezone(timedelta(hours=5, minutes=30))))

    assert action.reason == "They wrote on 10 March 2026 and nobody has answered."


def test_an_overdue_task_is_done() -> None:
    task = DueTask(NOW - DAY)

    assert decided(Situation(task=task)) == NextBestAction(
        REVIEW, "Do the overdue task", "A task was due on 9 March 2026.", task.due_at
    )


def test_a_visit_ahead_is_prepared() -> None:
    task = DueTask(NOW + DAY)

    assert decided(
        Situation(lead=lead(LeadStage.VISIT), task=task, last_contacted_at=NOW, last_visit_at=NOW - 30 * DAY)
    ) == NextBestAction(
        VISIT,
        "Prepare the visit",
        "They have not visited since their lead came to VISIT, and a task is due on 11 March 2026.",
        task.due_at,
    )


def test_after_the_visit_the_task_is_only_the_next_one() -> None:
    task = DueTask(NOW + DAY)
    situation = Situation(lead=lead(LeadStage.VISIT), task=task, last_contacted_at=NOW, last_visit_at=NOW - HOUR)

    assert decided(situation) == NextBestAction(
        REVIEW, "Do the next task", "A task is due on 11 March 2026.", task.due_at
    )


def test_a_new_lead_is_called() -> None:
    situation = Situation(lead=lead(LeadStage.NEW, 0), last_contacted_at=NOW - DAY)

    assert decided(situation) == NextBestAction(
        CALL,
        "Make the first call",
        "Their lead came in on 10 March 2026 and nobody has spoken to them since.",
        NOW + DAY,
    )


@pytest.mark.parametrize(
    ("stage", "kind", "title"),
    [
        (LeadStage.CONTACTED, VISIT, "Offer a visit while interest is high"),
        (LeadStage.QUALIFIED, VISIT, "Offer a visit while interest is high"),
        (LeadStage.VISIT, CALL, "Talk terms while interest is high"),
        (LeadStage.NEGOTIATION, CALL, "Talk terms while interest is high"),
    ],
)
def test_high_interest_is_used(stage: LeadStage, kind: NextBestActionKind, title: str) -> None:
    newest = Engagement(70, NOW - DAY)

    assert decided(Situation(lead=lead(stage), engagement=newest, last_contacted_at=NOW - 2 * DAY)) == NextBestAction(
        kind,
        title,
        "Their engagement scored 70 on 9 March 2026, and nobody has spoken to them since.",
        newest.at + 2 * DAY,
    )


@pytest.mark.parametrize(
    "situation",
    [
        Situation(lead=lead(LeadStage.QUALIFIED), engagement=Engagement(69.9, NOW - DAY), last_contacted_at=NOW - DAY),
        Situation(
            lead=lead(LeadStage.QUALIFIED), engagement=Engagement(90, NOW - 8 * DAY), last_contacted_at=NOW - DAY
        ),
        Situation(lead=lead(LeadStage.QUALIFIED), engagement=Engagement(90, NOW - DAY), last_contacted_at=NOW - HOUR),
    ],
)
def test_interest_that_is_not_high_or_old_or_answered_is_not_used(situation: Situation) -> None:
    assert decided(situation).title == "Keep in touch"


def test_low_interest_is_looked_into() -> None:
    newest = Engagement(34.9, NOW - 14 * DAY)

    assert decided(
        Situation(lead=lead(LeadStage.QUALIFIED), engagement=newest, last_contacted_at=NOW)
    ) == NextBestAction(
        REVIEW,
        "Find out what put them off",
        "Their engagement scored 35 on 24 February 2026 while their lead is in QUALIFIED.",
        newest.at + 7 * DAY,
    )


def test_low_interest_says_nothing_before_they_are_qualified() -> None:
    situation = Situation(lead=lead(LeadStage.CONTACTED), engagement=Engagement(10, NOW), last_contacted_at=NOW)

    assert decided(situation).title == "Keep in touch"


@pytest.mark.parametrize(
    ("stage", "patience", "kind", "title"),
    [
        (LeadStage.CONTACTED, 3, MESSAGE, "Get back in touch"),
        (LeadStage.QUALIFIED, 5, MESSAGE, "Get back in touch"),
        (LeadStage.VISIT, 3, CALL, "Call before it goes cold"),
        (LeadStage.NEGOTIATION, 2, CALL, "Call before it goes cold"),
    ],
)
def test_silence_is_broken(stage: LeadStage, patience: int, kind: NextBestActionKind, title: str) -> None:
    at_the_limit = NOW - patience * DAY
    beyond = at_the_limit - DAY

    assert decided(Situation(lead=lead(stage, 90), last_contacted_at=at_the_limit)).title == "Keep in touch"
    assert decided(Situation(lead=lead(stage, 90), last_contacted_at=beyond)) == NextBestAction(
        kind,
        title,
        f"Nobody has spoken to them since {beyond.day} March 2026; a lead in {stage.name} bears {patience} days of"
        " silence.",
        beyond + patience * DAY,
    )


def test_in_time_they_are_kept_in_touch_with() -> None:
    assert decided(Situation(lead=lead(LeadStage.QUALIFIED), last_contacted_at=NOW - DAY)) == NextBestAction(
        MESSAGE,
        "Keep in touch",
        "Last spoken to on 9 March 2026; a lead in QUALIFIED bears 5 days of silence.",
        NOW + 4 * DAY,
    )


def test_a_lead_that_nobody_ever_spoke_to_counts_from_its_stage() -> None:
    assert decided(Situation(lead=lead(LeadStage.QUALIFIED))) == NextBestAction(
        MESSAGE,
        "Keep in touch",
        "Nobody has spoken to them since their lead came to QUALIFIED on 9 March 2026.",
        NOW + 4 * DAY,
    )


def test_the_rules_speak_in_their_order() -> None:
    everything = Situation(
        lead=lead(LeadStage.VISIT),
        last_contacted_at=NOW - 30 * DAY,
        unanswered_since=NOW - HOUR,
        task=DueTask(NOW - DAY),
        engagement=Engagement(90, NOW),
    )
    answered = replace(everything, unanswered_since=None)
    done = replace(answered, task=None)

    assert [decided(each).title for each in (everything, answered, done)] == [
        "Answer their message",
        "Do the overdue task",
        "Talk terms while interest is high",
    ]


MOMENTS = st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- Hypothesis wants its bounds without a zone.
SITUATIONS = st.builds(
    Situation,
    lead=st.none() | st.builds(OpenLead, st.sampled_from(list(LeadStage)[:5]), MOMENTS.filter(bool)),
    last_contacted_at=MOMENTS,
    unanswered_since=MOMENTS,
    task=st.none() | st.builds(DueTask, MOMENTS.filter(bool)),
    last_visit_at=MOMENTS,
    engagement=st.none() | st.builds(Engagement, st.floats(1, 100), MOMENTS.filter(bool)),
)


@given(SITUATIONS)
def test_every_action_can_be_kept_and_somebody_with_an_open_lead_always_has_one(situation: Situation) -> None:
    action = decide(situation, NOW)

    if action is None:
        assert (situation.lead, situation.unanswered_since, situation.task) == (None, None, None)
    else:
        assert 1 <= len(action.title) <= 200
        assert 1 <= len(action.reason) <= 1000
        assert action.due_at is not None

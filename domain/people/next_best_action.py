"""What to do next for a person, and why: one rule after the other, the first that speaks decides.

| Rule             | speaks when                                                         | says    | due            |
| unanswered       | they wrote and nobody has answered                                  | MESSAGE | 4 hours after  |
|                  | … for two days                                                      | CALL    | as above       |
| overdue task     | an open task is past its time                                       | REVIEW  | when it was    |
| visit ahead      | in VISIT but not seen there since, with a task due within two days  | VISIT   | with the task  |
| first contact    | a lead came in and nobody has spoken to them since                  | CALL    | a day after    |
| interest is high | the newest score is 70 or more, a week old at most, and nobody      | VISIT   | two days after |
|                  | has spoken to them since; they have seen a property                 | CALL    | as above       |
| interest is low  | the newest score is under 35, two weeks old at most, past CONTACTED | REVIEW  | a week after   |
| silence          | nobody has spoken to them for longer than their stage bears         | MESSAGE | at that limit  |
|                  | … in VISIT or NEGOTIATION                                           | CALL    | as above       |
| next task        | an open task has a time                                             | REVIEW  | then           |
| keep in touch    | they have an open lead                                              | MESSAGE | at that limit  |

Somebody without an open lead who neither wrote nor has a task needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from domain.leads import LeadStage
from domain.people.kinds import NextBestActionKind


@dataclass(frozen=True, slots=True)
class OpenLead:
    """The furthest of a person's open leads, and since when it stands where it does."""

    stage: LeadStage
    since: datetime


@dataclass(frozen=True, slots=True)
class DueTask:
    """An open task with a time. Its title is not told: it is for those who see the task."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class Engagement:
    """The newest QD score that the rules computed, 1 to 100."""

    score: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about a person when it is decided what to do next."""

    lead: OpenLead | None = None
    last_contacted_at: datetime | None = None
    unanswered_since: datetime | None = None
    task: DueTask | None = None
    last_visit_at: datetime | None = None
    engagement: Engagement | None = None
    zone: tzinfo = UTC
    """Where the days in a reason are counted."""


@dataclass(frozen=True, slots=True)
class NextBestAction:
    """What to do, why, and by when."""

    kind: NextBestActionKind
    title: str
    reason: str
    due_at: datetime | None


PATIENCE: Final = {
    LeadStage.NEW: timedelta(days=1),
    LeadStage.CONTACTED: timedelta(days=3),
    LeadStage.QUALIFIED: timedelta(days=5),
    LeadStage.VISIT: timedelta(days=3),
    LeadStage.NEGOTIATION: timedelta(days=2),
}
"""How long an open lead bears silence."""

ANSWER_WITHIN: Final = timedelta(hours=4)
ANSWER_BY_CALL_AFTER: Final = timedelta(days=2)
VISIT_IS_NEAR: Final = timedelta(days=2)
HIGH_SCORE: Final = 70.0
HIGH_SCORE_LASTS: Final = timedelta(days=7)
LOW_SCORE: Final = 35.0
LOW_SCORE_LASTS: Final = timedelta(days=14)

_SEEN_A_PROPERTY: Final = frozenset({LeadStage.VISIT, LeadStage.NEGOTIATION})
_BEYOND_CONTACTED: Final = _SEEN_A_PROPERTY | {LeadStage.QUALIFIED}


def decide(situation: Situation, now: datetime) -> NextBestAction | None:
    """Return what to do next, or None where nothing is called for."""
    for rule in _RULES:
        action = rule(situation, now)
        if action is not None:
            return action
    return None


def _unanswered(situation: Situation, now: datetime) -> NextBestAction | None:
    since = situation.unanswered_since
    if since is None:
        return None
    waited = now - since >= ANSWER_BY_CALL_AFTER
    return NextBestAction(
        NextBestActionKind.CALL if waited else NextBestActionKind.MESSAGE,
        "Call them back" if waited else "Answer their message",
        f"They wrote on {_day(since, situation)} and nobody has answered.",
        since + ANSWER_WITHIN,
    )


def _visit_ahead(situation: Situation, now: datetime) -> NextBestAction | None:
    lead, task, visited = situation.lead, situation.task, situation.last_visit_at
    if lead is None or lead.stage is not LeadStage.VISIT or (visited is not None and visited >= lead.since):
        return None
    if task is None or not now <= task.due_at <= now + VISIT_IS_NEAR:
        return None
    return NextBestAction(
        NextBestActionKind.VISIT,
        "Prepare the visit",
        f"They have not visited since their lead came to VISIT, and a task is due on {_day(task.due_at, situation)}.",
        task.due_at,
    )


def _overdue_task(situation: Situation, now: datetime) -> NextBestAction | None:
    task = situation.task
    if task is None or task.due_at >= now:
        return None
    return NextBestAction(
        NextBestActionKind.REVIEW,
        "Do the overdue task",
        f"A task was due on {_day(task.due_at, situation)}.",
        task.due_at,
    )


def _first_contact(situation: Situation, _now: datetime) -> NextBestAction | None:
    lead, spoken = situation.lead, situation.last_contacted_at
    if lead is None or lead.stage is not LeadStage.NEW or (spoken is not None and spoken >= lead.since):
        return None
    return NextBestAction(
        NextBestActionKind.CALL,
        "Make the first call",
        f"Their lead came in on {_day(lead.since, situation)} and nobody has spoken to them since.",
        lead.since + PATIENCE[LeadStage.NEW],
    )


def _interest_is_high(situation: Situation, now: datetime) -> NextBestAction | None:
    lead, newest, spoken = situation.lead, situation.engagement, situation.last_contacted_at
    if lead is None or newest is None or newest.score < HIGH_SCORE or now - newest.at > HIGH_SCORE_LASTS:
        return None
    if spoken is not None and spoken > newest.at:
        return None
    seen = lead.stage in _SEEN_A_PROPERTY
    return NextBestAction(
        NextBestActionKind.CALL if seen else NextBestActionKind.VISIT,
        "Talk terms while interest is high" if seen else "Offer a visit while interest is high",
        f"Their engagement scored {newest.score:.0f} on {_day(newest.at, situation)}, and nobody has spoken to them"
        " since.",
        newest.at + timedelta(days=2),
    )


def _interest_is_low(situation: Situation, now: datetime) -> NextBestAction | None:
    lead, newest = situation.lead, situation.engagement
    if lead is None or lead.stage not in _BEYOND_CONTACTED or newest is None:
        return None
    if newest.score >= LOW_SCORE or now - newest.at > LOW_SCORE_LASTS:
        return None
    return NextBestAction(
        NextBestActionKind.REVIEW,
        "Find out what put them off",
        f"Their engagement scored {newest.score:.0f} on {_day(newest.at, situation)} while their lead is in"
        f" {lead.stage.name}.",
        newest.at + timedelta(days=7),
    )


def _silence(situation: Situation, now: datetime) -> NextBestAction | None:
    lead = situation.lead
    if lead is None:
        return None
    since, patience = situation.last_contacted_at or lead.since, PATIENCE[lead.stage]
    if now - since <= patience:
        return None
    close = lead.stage in _SEEN_A_PROPERTY
    return NextBestAction(
        NextBestActionKind.CALL if close else NextBestActionKind.MESSAGE,
        "Call before it goes cold" if close else "Get back in touch",
        f"Nobody has spoken to them since {_day(since, situation)}; a lead in {lead.stage.name} bears"
        f" {_days(patience)} of silence.",
        since + patience,
    )


def _next_task(situation: Situation, _now: datetime) -> NextBestAction | None:
    task = situation.task
    if task is None:
        return None
    return NextBestAction(
        NextBestActionKind.REVIEW,
        "Do the next task",
        f"A task is due on {_day(task.due_at, situation)}.",
        task.due_at,
    )


def _keep_in_touch(situation: Situation, _now: datetime) -> NextBestAction | None:
    lead = situation.lead
    if lead is None:
        return None
    since, patience = situation.last_contacted_at or lead.since, PATIENCE[lead.stage]
    return NextBestAction(
        NextBestActionKind.MESSAGE,
        "Keep in touch",
        f"Last spoken to on {_day(since, situation)}; a lead in {lead.stage.name} bears {_days(patience)} of silence."
        if situation.last_contacted_at
        else f"Nobody has spoken to them since their lead came to {lead.stage.name} on {_day(since, situation)}.",
        since + patience,
    )


_RULES: Final[tuple[Callable[[Situation, datetime], NextBestAction | None], ...]] = (
    _unanswered,
    _overdue_task,
    _visit_ahead,
    _first_contact,
    _interest_is_high,
    _interest_is_low,
    _silence,
    _next_task,
    _keep_in_touch,
)


def _day(moment: datetime, situation: Situation) -> str:
    local = moment.astimezone(situation.zone)
    return f"{local.day} {local:%B %Y}"


def _days(length: timedelta) -> str:
    return "1 day" if length.days == 1 else f"{length.days} days"

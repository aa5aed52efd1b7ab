"""What can be logged as an interaction."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import Invalid
from domain.interactions import CallDetail, Detail, EmailDetail, InteractionKind, InteractionLog, NoteDetail, check
from domain.values import new_id

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def logged(detail: Detail, *, occurred_at: datetime = NOW) -> InteractionLog:
    return InteractionLog(person_id=new_id(), occurred_at=occurred_at, detail=detail)


def refused_fields(command: InteractionLog) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        check(command, NOW)
    return [issue.field for issue in refusal.value.issues]


def test_detail_decides_the_kind() -> None:
    assert logged(EmailDetail()).kind is InteractionKind.EMAIL


@pytest.mark.parametrize("seconds", [0, 86_400, None])
def test_call_of_up_to_a_day_is_accepted(seconds: int | None) -> None:
    check(logged(CallDetail(seconds)), NOW)


@pytest.mark.parametrize("seconds", [-1, 86_401])
def test_call_of_another_length_is_refused(seconds: int) -> None:
    assert refused_fields(logged(CallDetail(seconds))) == ["detail.call.durationSeconds"]


def test_clocks_may_be_five_minutes_apart() -> None:
    check(logged(EmailDetail(), occurred_at=NOW + timedelta(minutes=5)), NOW)
    assert refused_fields(logged(EmailDetail(), occurred_at=NOW + timedelta(minutes=5, seconds=1))) == ["occurredAt"]


def test_every_issue_is_named_at_once() -> None:
    command = logged(NoteDetail(" \n"), occurred_at=NOW + timedelta(days=1))
    assert refused_fields(command) == ["occurredAt", "detail.note.text"]

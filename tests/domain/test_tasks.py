"""How a task changes, and who may give it to whom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.access import Caller, Role
from domain.errors import Invalid, NotAllowed
from domain.leads import OutsideTeam
from domain.tasks import (
    Task,
    TaskPriority,
    TaskStatus,
    TaskUpdate,
    changed,
    check_assigning,
    checked_title,
    with_status,
)
from domain.values import new_id

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
TASK = Task(
    id=UUID(int=1),
    title="Call back",
    due_at=NOW,
    priority=TaskPriority.NORMAL,
    status=TaskStatus.OPEN,
    assignee_id=UUID(int=2),
    person_id=UUID(int=3),
    lead_id=None,
)


def test_what_is_left_out_stays() -> None:
    assert changed(TASK, TaskUpdate(TASK.id), NOW) == TASK


def test_null_clears_what_a_task_may_lack() -> None:
    command = TaskUpdate(TASK.id, due_at=None, assignee_id=None)
    assert changed(TASK, command, NOW) == replace(TASK, due_at=None, assignee_id=None)


def test_null_is_refused_for_what_a_task_always_has() -> None:
    with pytest.raises(Invalid) as refusal:
        changed(TASK, TaskUpdate(TASK.id, title=None, priority=None, status=None), NOW)
    assert [issue.field for issue in refusal.value.issues] == ["title", "priority", "status"]


def test_task_remembers_when_it_was_done_only_while_it_is() -> None:
    done = with_status(TASK, TaskStatus.DONE, NOW)
    assert (done.status, done.completed_at) == (TaskStatus.DONE, NOW)
    assert with_status(done, TaskStatus.DONE, NOW + timedelta(days=1)) is done
    assert with_status(done, TaskStatus.OPEN, NOW) == TASK


def test_title_loses_the_space_around_it() -> None:
    assert checked_title("  Call back ") == "Call back"
    with pytest.raises(Invalid):
        checked_title(" \t")


@pytest.mark.parametrize("role", Role)
def test_everybody_gives_tasks_to_themselves_and_to_nobody(role: Role) -> None:
    user = new_id()
    caller = Caller(new_id(), user, role, (user,))
    check_assigning(caller, user)
    check_assigning(caller, None)


def test_only_who_assigns_leads_gives_tasks_to_others() -> None:
    user = new_id()
    member = new_id()
    check_assigning(Caller(new_id(), user, Role.SENIOR_BROKER, (user, member)), member)
    check_assigning(Caller(new_id(), user, Role.SALES_DIRECTOR, (user,)), new_id())
    with pytest.raises(OutsideTeam):
        check_assigning(Caller(new_id(), user, Role.SENIOR_BROKER, (user, member)), new_id())
    with pytest.raises(NotAllowed):
        check_assigning(Caller(new_id(), user, Role.JUNIOR_BROKER, (user,)), new_id())

"""What deals allow: every step between two stages, and who may win, change or take back a large one."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest

from domain.access import Caller, Role
from domain.errors import DomainError, Invalid
from domain.opportunities import (
    Approval,
    ApprovalNeeded,
    DealClosed,
    Opportunity,
    OpportunityStage,
    approvers,
    check_probability,
    check_stage,
    check_win,
    needs_approval,
)
from domain.values import Money, new_id

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
THRESHOLD = Money(Decimal("100000000.00"), "INR")
AT, ABOVE = THRESHOLD, Money(Decimal("100000000.01"), "INR")
ABROAD = Money(Decimal("1.00"), "AED")

OPEN, CONTRACT, WON, LOST = (
    OpportunityStage.OPEN,
    OpportunityStage.CONTRACT,
    OpportunityStage.WON,
    OpportunityStage.LOST,
)


def caller(role: Role) -> Caller:
    user = new_id()
    return Caller(new_id(), user, role, (user,))


def deal(stage: OpportunityStage, amount: Money | None, approval: Approval | None = None) -> Opportunity:
    return Opportunity(new_id(), new_id(), new_id(), None, stage, amount, None, None, approval)


@pytest.mark.parametrize(("before", "after"), list(product(OpportunityStage, OpportunityStage)))
def test_only_closed_to_closed_is_refused(before: OpportunityStage, after: OpportunityStage) -> None:
    if {before, after} == {WON, LOST}:
        with pytest.raises(DealClosed):
            check_stage(before, after)
    else:
        check_stage(before, after)


@pytest.mark.parametrize(
    ("amount", "threshold", "needed"),
    [
        (AT, THRESHOLD, False),
        (ABOVE, THRESHOLD, True),
        # Not converted: another currency is never below the threshold.
        (ABROAD, THRESHOLD, True),
        (ABOVE, None, False),
    ],
)
def test_what_needs_approval(amount: Money, threshold: Money | None, needed: bool) -> None:  # noqa: FBT001 -- pytest passes it by name
    assert needs_approval(amount, threshold) is needed


def test_approvers_are_those_with_the_permission() -> None:
    assert approvers() == (Role.SALES_DIRECTOR, Role.ADMIN)


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ((CONTRACT, AT), (WON, AT), None),
        ((CONTRACT, ABOVE), (WON, ABOVE), "stage"),
        ((CONTRACT, ABROAD), (WON, ABROAD), "stage"),
        # Won cheaply and made dear afterwards.
        ((WON, AT), (WON, ABOVE), "amount"),
        ((WON, ABOVE), (WON, AT), "amount"),
        ((WON, ABOVE), (OPEN, ABOVE), "stage"),
        ((WON, AT), (OPEN, AT), None),
        ((WON, ABOVE), (WON, ABOVE), None),
        ((OPEN, ABOVE), (LOST, ABOVE), None),
        ((OPEN, AT), (CONTRACT, ABOVE), None),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_who_may_win(
    role: Role,
    old: tuple[OpportunityStage, Money],
    new: tuple[OpportunityStage, Money],
    refused: str | None,
) -> None:
    who = caller(role)
    if refused is None or role in approvers():
        check_win(who, deal(*old), deal(*new), THRESHOLD, NOW)
        return
    with pytest.raises(ApprovalNeeded) as caught:
        check_win(who, deal(*old), deal(*new), THRESHOLD, NOW)
    assert (caught.value.field, caught.value.message) == (
        refused,
        "A deal above 100000000.00 INR, or in another currency, needs the approval of a SALES_DIRECTOR or ADMIN.",
    )


def test_the_approver_is_remembered_while_the_deal_is_won() -> None:
    director = caller(Role.SALES_DIRECTOR)
    approval = Approval(director.as_user(), NOW)
    won = deal(WON, ABOVE, approval)

    assert check_win(director, deal(CONTRACT, ABOVE), deal(WON, ABOVE), THRESHOLD, NOW) == approval
    assert check_win(caller(Role.JUNIOR_BROKER), won, won, THRESHOLD, NOW) == approval
    assert check_win(director, won, deal(WON, AT), THRESHOLD, NOW) is None
    assert check_win(director, won, deal(OPEN, ABOVE), THRESHOLD, NOW) is None


def test_a_deal_is_won_for_an_amount() -> None:
    with pytest.raises(Invalid) as caught:
        check_win(caller(Role.ADMIN), deal(CONTRACT, None), deal(WON, None), None, NOW)
    assert caught.value.field == "amount"


@pytest.mark.parametrize(("probability", "fine"), [(None, True), (0, True), (1, True), (0.5, True), (-0.01, False)])
def test_probabilities(probability: float | None, fine: bool) -> None:  # noqa: FBT001 -- pytest passes it by name
    if fine:
        check_probability(probability)
        return
    with pytest.raises(DomainError):
        check_probability(probability)

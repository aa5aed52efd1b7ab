"""Who may do what, and when a sign-in has to wait."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.access import (
    PERMISSIONS,
    Caller,
    Permission,
    Role,
    Standing,
    UserStatus,
    address_group,
    caller_of,
    normalised_email,
    retry_at,
    token_hash,
)
from domain.values import new_id

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


def standing(role: Role, status: UserStatus = UserStatus.ACTIVE) -> Standing:
    me = new_id()
    return Standing(new_id(), me, role, status, (new_id(), me))


def test_every_rank_may_do_what_the_one_below_it_may() -> None:
    ranks = [PERMISSIONS[role] for role in (Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN)]
    assert all(lower < higher for lower, higher in pairwise(ranks))
    assert PERMISSIONS[Role.ADMIN] == frozenset(Permission)
    assert PERMISSIONS[Role.ADMIN] - PERMISSIONS[Role.SALES_DIRECTOR] == {Permission.SETTINGS_WRITE}


def test_only_a_seniors_team_counts_as_the_senior() -> None:
    senior, junior, director = (
        standing(role) for role in (Role.SENIOR_BROKER, Role.JUNIOR_BROKER, Role.SALES_DIRECTOR)
    )
    session = new_id()
    assert caller_of(senior, session) == Caller(
        senior.tenant_id, senior.user_id, Role.SENIOR_BROKER, (senior.user_id, senior.team[0]), session
    )
    assert caller_of(junior) == Caller(junior.tenant_id, junior.user_id, Role.JUNIOR_BROKER, (junior.user_id,))
    assert caller_of(director) == Caller(director.tenant_id, director.user_id, Role.SALES_DIRECTOR, (director.user_id,))


@pytest.mark.parametrize("status", [UserStatus.INVITED, UserStatus.SUSPENDED])
def test_nobody_acts_before_joining_or_after_leaving(status: UserStatus) -> None:
    assert caller_of(standing(Role.ADMIN, status)) is None


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([], None),
        ([0, 1], None),
        ([0, 1, 2], NOON + WINDOW),
        ([0, 1, 2, 9], NOON + timedelta(minutes=1) + WINDOW),
    ],
)
def test_a_sign_in_waits_until_fewer_failures_than_the_limit_are_left(
    failures: list[int], expected: datetime | None
) -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in failures]
    assert retry_at(moments, 3, WINDOW) == expected


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("unix socket", "unix socket"),
    ],
)
def test_failures_are_counted_by_what_one_client_holds(address: str, group: str) -> None:
    assert address_group(address) == group


def test_an_address_signs_in_however_it_is_written() -> None:
    assert normalised_email("  Asha.RAO@Aurum.Example ") == "asha.rao@aurum.example"
    assert normalised_email("asha@aurum.example") == "asha@aurum.example"


def test_a_refresh_token_is_stored_as_its_sha256() -> None:
    assert token_hash("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(token_hash("\ud800")) == 32

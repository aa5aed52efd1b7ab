"""Who may do what with canvases and merge requests, role by role; and what decides a merge request."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.access import Actor, Caller, NotAUser, Role
from domain.canvases import (
    ApprovalMissing,
    Canvas,
    CanvasAccess,
    CanvasArchived,
    CanvasNotYours,
    ChangesRequested,
    MergeRequest,
    MergeRequestStatus,
    OwnRequest,
    RequestDecided,
    Review,
    ReviewDecision,
    Scope,
    access_of,
)
from domain.canvases.rules import check_changing, check_managing, check_merging, check_review, status_after
from domain.errors import DomainError
from domain.values import new_id
from tests.domain.canvases.building import NOON

TENANT, ME, MATE, OTHER = new_id(), new_id(), new_id(), new_id()
VIEW, COMMENT, EDIT = CanvasAccess
APPROVE, REQUEST_CHANGES, REJECT = ReviewDecision
OPEN, APPROVED, REJECTED, MERGED, CLOSED = MergeRequestStatus
ADMIN, DIRECTOR, SENIOR, JUNIOR = Role
HEAD, EARLIER = new_id(), new_id()


def caller(role: Role) -> Caller:
    return Caller(TENANT, ME, role, (ME, MATE) if role is SENIOR else (ME,))


def key(role: Role) -> Caller:
    return Caller(TENANT, None, role, (), api_key_id=ME)


def canvas(owner: UUID, shared: CanvasAccess | None = None, *, archived: bool = False) -> Canvas:
    return Canvas(new_id(), "Leads", owner, new_id(), None, NOON if archived else None, shared)


def request(author: UUID = OTHER, status: MergeRequestStatus = OPEN) -> MergeRequest:
    return MergeRequest(
        new_id(), "Mine", new_id(), new_id(), Actor("users", author), status, NOON, new_id(), HEAD, new_id()
    )


def said(author: UUID, decision: ReviewDecision, head: UUID = HEAD) -> Review:
    return Review(new_id(), new_id(), Actor("users", author), decision, None, NOON, head)


def refusal(check: object, *values: object) -> type[DomainError] | None:
    assert callable(check)
    try:
        check(*values)
    except DomainError as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("who", "owner", "shared", "access"),
    [
        (JUNIOR, ME, None, EDIT),
        (JUNIOR, MATE, None, VIEW),
        (JUNIOR, MATE, VIEW, VIEW),
        (JUNIOR, MATE, COMMENT, COMMENT),
        (JUNIOR, MATE, EDIT, EDIT),
        (SENIOR, ME, None, EDIT),
        (SENIOR, MATE, None, COMMENT),
        (SENIOR, MATE, VIEW, COMMENT),
        (SENIOR, MATE, EDIT, EDIT),
        (SENIOR, OTHER, None, VIEW),
        (SENIOR, OTHER, COMMENT, COMMENT),
        (DIRECTOR, OTHER, None, EDIT),
        (DIRECTOR, OTHER, VIEW, EDIT),
        (ADMIN, OTHER, None, EDIT),
    ],
)
def test_access_is_the_most_of_ownership_rank_and_share(
    who: Role, owner: UUID, shared: CanvasAccess | None, access: CanvasAccess
) -> None:
    assert access_of(caller(who), canvas(owner, shared)) is access
    assert refusal(check_changing, caller(who), canvas(owner, shared), "canvasId") is (
        None if access is EDIT else CanvasNotYours
    )


@pytest.mark.parametrize(
    ("who", "owner", "manages"),
    [(JUNIOR, ME, True), (JUNIOR, MATE, False), (SENIOR, MATE, False), (DIRECTOR, OTHER, True), (ADMIN, OTHER, True)],
)
def test_sharing_is_for_owners_and_directors(who: Role, owner: UUID, *, manages: bool) -> None:
    assert refusal(check_managing, caller(who), canvas(owner, EDIT), "canvasId") is (
        None if manages else CanvasNotYours
    )


def test_an_archived_canvas_does_not_change() -> None:
    assert refusal(check_changing, caller(ADMIN), canvas(ME, archived=True), "canvasId") is CanvasArchived


@pytest.mark.parametrize(
    ("who", "owner", "shared", "decision", "refused"),
    [
        (JUNIOR, ME, None, APPROVE, None),
        (JUNIOR, ME, None, REJECT, None),
        (JUNIOR, MATE, EDIT, APPROVE, CanvasNotYours),
        (JUNIOR, MATE, EDIT, REJECT, CanvasNotYours),
        (JUNIOR, MATE, COMMENT, REQUEST_CHANGES, None),
        (JUNIOR, MATE, VIEW, REQUEST_CHANGES, CanvasNotYours),
        (SENIOR, MATE, None, APPROVE, None),
        (SENIOR, MATE, None, REJECT, None),
        (SENIOR, OTHER, EDIT, APPROVE, CanvasNotYours),
        (SENIOR, OTHER, COMMENT, REQUEST_CHANGES, None),
        (DIRECTOR, OTHER, None, APPROVE, None),
        (ADMIN, OTHER, None, REJECT, None),
    ],
)
def test_who_says_what_about_a_merge_request(
    who: Role, owner: UUID, shared: CanvasAccess | None, decision: ReviewDecision, refused: type[DomainError] | None
) -> None:
    assert refusal(check_review, caller(who), request(), canvas(owner, shared), decision) is refused


@pytest.mark.parametrize("who", list(Role))
def test_nobody_judges_their_own_request(who: Role) -> None:
    assert refusal(check_review, caller(who), request(ME), canvas(ME), APPROVE) is OwnRequest
    assert refusal(check_review, caller(who), request(ME), canvas(ME), REQUEST_CHANGES) is OwnRequest
    assert refusal(check_review, caller(who), request(ME), canvas(OTHER), REJECT) is None
    assert refusal(check_review, key(who), request(), canvas(OTHER, EDIT), APPROVE) is NotAUser


@pytest.mark.parametrize("status", [REJECTED, MERGED, CLOSED])
def test_what_is_decided_stays_decided(status: MergeRequestStatus) -> None:
    assert refusal(check_review, caller(ADMIN), request(OTHER, status), canvas(ME), REJECT) is RequestDecided
    assert refusal(check_merging, caller(ADMIN), request(OTHER, status), canvas(ME), []) is RequestDecided


@pytest.mark.parametrize(
    ("reviews", "status"),
    [
        ([said(ME, APPROVE)], APPROVED),
        ([said(ME, REQUEST_CHANGES)], OPEN),
        ([said(ME, APPROVE), said(MATE, REQUEST_CHANGES)], OPEN),
        ([said(MATE, REQUEST_CHANGES), said(ME, APPROVE)], OPEN),
        ([said(ME, REQUEST_CHANGES), said(ME, APPROVE)], APPROVED),
        ([said(ME, APPROVE), said(ME, REQUEST_CHANGES)], OPEN),
        ([said(ME, REQUEST_CHANGES, EARLIER), said(MATE, APPROVE)], APPROVED),
        ([said(ME, APPROVE, EARLIER), said(MATE, REQUEST_CHANGES)], OPEN),
        ([said(ME, APPROVE), said(MATE, REJECT)], REJECTED),
        ([said(ME, APPROVE), said(OTHER, REJECT)], CLOSED),
    ],
)
def test_reviews_of_the_head_that_is_decide(reviews: list[Review], status: MergeRequestStatus) -> None:
    assert status_after(request(), reviews) is status


@pytest.mark.parametrize(
    ("who", "owner", "shared", "status", "reviews", "refused"),
    [
        (JUNIOR, ME, None, OPEN, [], None),
        (JUNIOR, ME, None, OPEN, [said(MATE, REQUEST_CHANGES)], ChangesRequested),
        (JUNIOR, ME, None, OPEN, [said(MATE, REQUEST_CHANGES, EARLIER)], None),
        (JUNIOR, ME, None, OPEN, [said(MATE, REQUEST_CHANGES), said(MATE, APPROVE)], None),
        (JUNIOR, MATE, EDIT, OPEN, [], ApprovalMissing),
        (JUNIOR, MATE, EDIT, APPROVED, [said(MATE, APPROVE)], None),
        (JUNIOR, MATE, COMMENT, APPROVED, [], CanvasNotYours),
        (SENIOR, MATE, None, APPROVED, [], CanvasNotYours),
        (SENIOR, MATE, EDIT, OPEN, [], ApprovalMissing),
        (DIRECTOR, OTHER, None, OPEN, [], None),
        (ADMIN, OTHER, None, OPEN, [said(MATE, REQUEST_CHANGES)], ChangesRequested),
    ],
)
def test_who_merges_when(
    who: Role, owner: UUID, shared: CanvasAccess | None, status: MergeRequestStatus, reviews: list[Review],
    refused: type[DomainError] | None,
) -> None:  # fmt: skip
    assert refusal(check_merging, caller(who), request(OTHER, status), canvas(owner, shared), reviews) is refused


@pytest.mark.parametrize(
    ("author", "viewer", "open_to"),
    [
        (caller(JUNIOR), caller(JUNIOR), True),
        (Caller(TENANT, MATE, JUNIOR, (MATE,)), caller(JUNIOR), False),
        # In the senior's team, but leads may be shared with the author from another one.
        (Caller(TENANT, MATE, JUNIOR, (MATE,)), caller(SENIOR), False),
        (Caller(TENANT, MATE, JUNIOR, (MATE,)), caller(DIRECTOR), True),
        (Caller(TENANT, OTHER, ADMIN, (OTHER,)), caller(DIRECTOR), False),
        (Caller(TENANT, OTHER, DIRECTOR, (OTHER,)), caller(ADMIN), True),
        # The same person, with a team that has shrunk, and with a lesser role.
        (Caller(TENANT, ME, SENIOR, (ME, MATE, OTHER)), caller(SENIOR), False),
        (Caller(TENANT, ME, SENIOR, (ME,)), caller(JUNIOR), False),
        (Caller(TENANT, ME, JUNIOR, (ME,)), caller(SENIOR), True),
        (key(DIRECTOR), key(DIRECTOR), True),
        (Caller(TENANT, MATE, JUNIOR, (MATE,)), key(ADMIN), False),
    ],
)
def test_rows_are_for_who_would_have_been_given_all_of_them(author: Caller, viewer: Caller, *, open_to: bool) -> None:
    assert Scope.of(author).is_open_to(viewer) is open_to

"""What makes two people one: evidence, suggestions, and what is neither."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.people import DuplicateEvidence
from domain.people.duplicates import Duplicate, Identity, compared, found, shown
from domain.people.names import cleaned_name, name_key, similarity

PHONE, EMAIL, NAME = DuplicateEvidence.PHONE, DuplicateEvidence.EMAIL, DuplicateEvidence.NAME

NAMES = st.sampled_from(
    [
        "Sara Khan",
        "Khan, Sara",
        "Mohammed Al Maktoum",
        "Muhammad AlMaktoum",
        "Priya Sharma",
        "Omar",
        "Ravi Iyer",
        "李 雷",
    ]
)


def person(number: int, name: str, **known: Any) -> Identity:
    return Identity(UUID(int=number), name, **known)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Sara Khan", "Khan, Sara", 1.0),
        ("Mohammed Al Maktoum", "Muhammad AlMaktoum", 0.882),
        ("José Álvarez", "Jose Alvarez", 1.0),
        ("प्रिया शर्मा", "शर्मा प्रिया", 1.0),
        ("Priya Sharma", "Priya Verma", 0.783),
        ("Rahul Mehta", "Rohan Mehta", 0.727),
        ("...", "Sara Khan", 0.0),
    ],
)
def test_names_are_alike_whatever_the_order_of_their_parts(one: str, other: str, likeness: float) -> None:
    assert similarity(one, other) == pytest.approx(likeness, abs=0.0005)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sara Khan", "Khan, Sarah"),
        ("Mohammed Al Maktoum", "Muhammad AlMaktoum"),
        ("Omar Haddad", "Umar Hadad"),
        ("Zaheer Qureshi", "Saheer Kureshi"),
    ],
)
def test_spellings_of_a_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


def test_a_name_of_one_part_has_no_key() -> None:
    assert name_key("Priya") == ""


@given(NAMES, NAMES)
def test_likeness_is_the_same_both_ways(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1


@given(st.text(max_size=60))
def test_every_name_has_a_key_that_can_be_kept(name: str) -> None:
    assert len(name_key(name)) <= 200


def test_a_number_in_common_is_the_strongest_evidence() -> None:
    one = person(1, "Sara Khan", phone="+971501234567")
    other = person(2, "Omar Haddad", phone="+971501234567")

    assert compared(one, other) == Duplicate(other.id, 1.0, (PHONE,))


def test_an_address_in_common_is_evidence() -> None:
    one = person(1, "Sara Khan", email="s@example.com", phone="+971501234567")
    other = person(2, "Omar Haddad", email="s@example.com", phone="+971501234568")

    assert compared(one, other) == Duplicate(other.id, 0.95, (EMAIL,))


def test_everything_in_common_is_named_the_strongest_first() -> None:
    one = person(1, "Sara Khan", email="s@example.com", phone="+971501234567")
    other = person(2, "Khan, Sara", email="s@example.com", phone="+971501234567")

    assert compared(one, other) == Duplicate(other.id, 1.0, (PHONE, EMAIL, NAME), 0.8)


@pytest.mark.parametrize(
    ("here", "there", "score"),
    [
        ({}, {}, 0.706),
        ({"city": "Dubai"}, {}, 0.706),
        ({"city": "Dubai"}, {"city": " dubai"}, 0.706),
        ({"city": "Dubai"}, {"city": "Abu Dhabi"}, 0.529),
    ],
)
def test_a_like_name_only_suggests(here: dict[str, str], there: dict[str, str], score: float) -> None:
    one = person(1, "Mohammed Al Maktoum", **here)
    other = person(2, "Muhammad AlMaktoum", **there)

    assert compared(one, other) == Duplicate(other.id, score, (NAME,), score)


@pytest.mark.parametrize(("one", "other"), [("Priya Sharma", "Priya Verma"), ("Priya", "Priya")])
def test_half_a_name_says_nothing(one: str, other: str) -> None:
    assert compared(person(1, one), person(2, other)) is None


def test_two_people_without_a_number_do_not_share_one() -> None:
    assert compared(person(1, "Sara Khan"), person(2, "Omar Haddad")) is None


def test_the_surest_comes_first_and_nobody_is_their_own_duplicate() -> None:
    sara = person(1, "Sara Khan", phone="+971501234567", email="s@example.com")
    by_name, by_email = person(2, "Sara Khan"), person(3, "S", email="s@example.com")
    by_phone = person(4, "Omar", phone="+971501234567")

    duplicates = found(sara, [sara, by_name, by_email, by_phone, person(5, "Ravi Iyer")])

    assert [each.other_id for each in duplicates] == [by_phone.id, by_email.id, by_name.id]


def test_a_name_is_kept_with_single_spaces() -> None:
    assert cleaned_name("  Sara \t Khan ") == "Sara Khan"


@pytest.mark.parametrize("name", ["", "  ", "—", "x" * 201])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        cleaned_name(name)

    assert refused.value.field == "fullName"


def test_whoever_may_not_see_contact_details_is_told_what_the_names_say() -> None:
    person = Identity(UUID(int=1), "Asha Rao", phone="+971501234567")
    theirs = [
        replace(person, id=UUID(int=2), own=False),
        replace(person, id=UUID(int=3), full_name="Omar Haddad", own=False),
    ]
    mine = replace(person, id=UUID(int=4), full_name="Omar Haddad")
    candidates = [*theirs, mine]

    assert shown(found(person, candidates), candidates) == (
        Duplicate(mine.id, 1.0, (PHONE,)),
        Duplicate(theirs[0].id, 0.8, (NAME,), 0.8),
    )

"""Pseudonyms: whatever way somebody is spelt, a token stands for them, and exactly that spelling comes back."""

import json
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pseudonyms import Pseudonymiser, tokens_in
from domain.structured import Identity

PRIYA = Identity(
    names=("Priya Sharma", "प्रिया शर्मा"),
    phones=("+919820000001",),
    emails=("priya.s@example.com",),
    addresses=("Flat 12B, Sea Breeze, Worli",),
    identifiers=("MH 02 AB 1234",),
)
RASHID = Identity(names=("Rashid Al Maktoum", "راشد آل مكتوم"), phones=("+971501234567",))
SEAN = Identity(names=('Sean "Jack" O\u2019Neil',))
PEOPLE = (PRIYA, RASHID, SEAN)


def hidden(text: str, *people: Identity) -> str:
    """Hide a text, making sure that it comes back as it was."""
    pseudonymiser = Pseudonymiser(people or PEOPLE)
    done = pseudonymiser.hide(text)
    assert pseudonymiser.restore(done) == text
    return done


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Priya Sharma called.", "PERSON_1 called."),
        ("PRIYA SHARMA called.", "PERSON_1 called."),
        ("priya called.", "PERSON_1 called."),
        ("Ms Sharma called.", "Ms PERSON_1 called."),
        ("Sharma, Priya", "PERSON_1"),
        ("Priya's and Sharmas'", "PERSON_1's and PERSON_1_2s'"),
        ("Priya\u2019s flat", "PERSON_1\u2019s flat"),
        ("Priyaji, Sharma-ji, Priyaben", "PERSON_1ji, PERSON_1_2-ji, PERSON_1ben"),
        ("priya_sharma, priya-sharma, priya.sharma", "PERSON_1, PERSON_1_2, PERSON_1_3"),
        ("@priyasharma1990", "@PERSON_1"),
        ("Priya2 Priya_3 Priya", "PERSON_1 PERSON_1_2 PERSON_1_3"),
        (
            "Prïya, \uff30\uff52\uff49\uff59\uff41, Pri\u200bya, PRI\u0301YA",
            "PERSON_1, PERSON_1_2, PERSON_1_3, PERSON_1_4",
        ),
        ("Priyanka and Sharman are others.", "Priyanka and Sharman are others."),
        ("प्रिया शर्मा और प्रिया", "PERSON_1 और PERSON_1_2"),
        ("Rashid Al Maktoum, Al Maktoum, AlMaktoum", "PERSON_2, Al PERSON_2_2, PERSON_2_3"),
        ("al-Maktoum et al.", "PERSON_2 et al."),
        ("وراشد قال", "وPERSON_2 قال"),
        ("Sean O'Neil, o\u2019neil, NEIL", "PERSON_3 PERSON_3_2, PERSON_3_3, PERSON_3_4"),
        (r'{"text": "Hello.\nPriya\tand \u0050riya Sha\u0300rma"}', r'{"text": "Hello.\nPERSON_1\tand PERSON_1_2"}'),
        (r"C:\Users\priya", r"C:\Users\PERSON_1"),
        (r"\u092a\u094d\u0930\u093f\u092f\u093e", "PERSON_1"),
        ("Priya and Rashid and Priya", "PERSON_1 and PERSON_2 and PERSON_1"),
    ],
)
def test_names(text: str, sent: str) -> None:
    assert hidden(text) == sent


@pytest.mark.parametrize(
    "spelling",
    [
        "+919820000001",
        "+91 98200 00001",
        "+91-98200-00001",
        "+91 (98200) 00001",
        "(+91) 98200 00001",
        "0091 98200 00001",
        "919820000001",
        "98200 00001",
        "98200.00001",
        "9 8 2 0 0 0 0 0 0 1",
        "09820000001",
        "+91 (0) 98200 00001",
        "٩٨٢٠٠٠٠٠٠١",
        "९८२०० ००००१",
    ],
)
def test_a_known_phone_in_every_spelling(spelling: str) -> None:
    assert hidden(f"Call {spelling}, or write.", PRIYA) == "Call PHONE_1, or write."


def test_phones_of_others() -> None:
    assert hidden("Call +1 415 555 2671 or +44 20 7946 0958.") == "Call PHONE_1 or PHONE_2."
    # Without its country, a number of a country in which somebody's phone is.
    assert hidden("Call 98671 23456 or 050 765 4321.") == "Call PHONE_1 or PHONE_2."


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-21 at 10:30:00",
        "2026-11-21T10:30:00.123456+05:30",
        "A budget of INR 9867123456",
        "A budget of 9867123456 rupees, or 9867123456.00",
        "45000000",
        "12 500 000",
        "500 000 000",
        "512345678",
        "0190a7e2-1b7c-7c3e-9b0a-98671234567a",
        "MUM-001-006 and C-2603",
        "1,450 sq ft, 3 BHK, 2027",
        "0.82746139051 and 9867123456.5 and 19.0760 72.8777",
    ],
)
def test_what_is_no_phone(text: str) -> None:
    assert hidden(text) == text
    assert Pseudonymiser().hide(text) == text


@pytest.mark.parametrize(
    "phone", ["98200 00001", "9820000001", "050 765 4321", "(022) 2781-1234", "50 123 4567", "50-1234567"]
)
def test_a_phone_is_hidden_also_where_nobodys_is_known(phone: str) -> None:
    pseudonymiser = Pseudonymiser()
    assert pseudonymiser.hide(f"It is {phone}, I think.") == "It is PHONE_1, I think."
    assert pseudonymiser.restore("PHONE_1") == phone


def test_a_short_number_is_a_phone_where_somebody_says_so() -> None:
    assert Pseudonymiser().hide("Call 445 5667. It has 445 5667 bricks.") == "Call PHONE_1. It has 445 5667 bricks."


def test_emails() -> None:
    assert hidden("priya.s@example.com, PRIYA.S@EXAMPLE.COM; a.b+c@mail.example.org.") == "EMAIL_1, EMAIL_1_2; EMAIL_2."
    assert hidden("priya.s (at) example dot com and priya.s at example.com") == "EMAIL_1 and EMAIL_1_2"
    # An address of somebody else with the name in it.
    assert hidden("priya.sharma@example.net") == "EMAIL_1"


def test_addresses_and_identifiers() -> None:
    assert hidden("At Flat 12B, Sea Breeze, Worli.") == "At ADDRESS_1."
    assert hidden("flat 12-b sea breeze / worli; FLAT 12B") == "ADDRESS_1; ADDRESS_2"
    assert hidden("Sea Breeze is a tower in Worli.") == "Sea Breeze is a tower in Worli."
    assert hidden("MH02AB1234 or mh-02-ab-1234, not MH02AB12345") == "IDENTIFIER_1 or IDENTIFIER_1_2, not MH02AB12345"


def test_a_persons_number_is_their_place() -> None:
    assert hidden("Rashid") == "PERSON_2"
    assert hidden("Sharma and Sharma", Identity(("Priya Sharma",)), Identity(("Rahul Sharma",))) == (
        "PERSON_1 and PERSON_1"
    )


def test_nobody_is_known() -> None:
    pseudonymiser = Pseudonymiser()
    assert pseudonymiser.hide("Priya, +919820000001, priya@example.com") == "Priya, PHONE_1, EMAIL_1"


def test_a_request_keeps_its_tokens() -> None:
    pseudonymiser = Pseudonymiser(PEOPLE)
    assert pseudonymiser.hide("Priya") == "PERSON_1"
    assert pseudonymiser.hide("PRIYA, then Priya") == "PERSON_1_2, then PERSON_1"
    assert pseudonymiser.restore("person_1, Person_1_2, **PERSON_1**, PERSON_1's") == "Priya, PRIYA, **Priya**, Priya's"
    assert pseudonymiser.restore("PERSON_1_3 PERSON_9") == "PERSON_1_3 PERSON_9"


def test_json_data() -> None:
    pseudonymiser = Pseudonymiser(PEOPLE)
    data = {
        "Priya Sharma": ["priya", 919820000001, 9820000001, 98200, 1.5, True, None],
        "lines": ({"text": "Call 98200 00001\nor priya.s@example.com"},),
    }
    assert pseudonymiser.hide_data(data) == {
        "PERSON_1": ["PERSON_1_2", "PHONE_1", "PHONE_1_2", 98200, 1.5, True, None],
        "lines": [{"text": "Call PHONE_1_3\nor EMAIL_1"}],
    }


def test_a_name_with_quotation_marks_leaves_json_whole() -> None:
    person = Identity(names=('Sean "Jack"',), addresses=("1 Hill\n2 Dale",))
    pseudonymiser = Pseudonymiser([person], json_text=True)
    assert pseudonymiser.hide('Sean "Jack" of 1 Hill\n2 Dale') == 'PERSON_1" of ADDRESS_1'
    answer = '{"text": "said:\\nPERSON_1 of \\u201cADDRESS_1\\u201d"}'
    assert json.loads(pseudonymiser.restore(answer)) == {"text": 'said:\nSean "Jack of \u201c1 Hill\n2 Dale\u201d'}


def test_what_looks_like_a_token_is_not_taken_for_one() -> None:
    pseudonymiser = Pseudonymiser(PEOPLE)
    text = "Priya wrote PERSON_1 and person_1_2 and salesphone_7."
    assert pseudonymiser.hide(text) == "PERSON_1 wrote TEXT_1 and TEXT_2 and salesTEXT_3."
    assert pseudonymiser.restore("PERSON_1 wrote TEXT_1 and TEXT_2 and salesTEXT_3.") == text
    assert pseudonymiser.look_alikes() == {"PERSON_1", "PERSON_1_2", "PHONE_7"}
    assert tokens_in("Person_12_3's text_1, Persons_1") == {"PERSON_12_3", "TEXT_1"}


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("", ""),
        ("A car ", "A car "),
        ("A car wai", "A car "),
        ("It was PERSON", "It was "),
        ("It was PERSON_1", "It was "),
        ("It was PERSON_1_", "It was "),
        ("It was PERSON_1,", "It was PERSON_1,"),
        ('{"a": "', '{"a": "'),
        ("प्रिय", "प्रिय"),
    ],
)
def test_a_growing_text_is_settled_up_to_its_last_word(text: str, settled: str) -> None:
    assert text[: Pseudonymiser(PEOPLE).settled(text)] == settled


def test_a_stream_comes_back_as_the_whole_would() -> None:
    pseudonymiser = Pseudonymiser(PEOPLE)
    whole = pseudonymiser.hide("Priya Sharma and PRIYA met Rashid: 98200 00001, priya.s@example.com.")
    shown, waiting = "", ""
    for character in whole:
        waiting += character
        settled = pseudonymiser.settled(waiting)
        shown += pseudonymiser.restore(waiting[:settled])
        waiting = waiting[settled:]
    assert shown + pseudonymiser.restore(waiting) == pseudonymiser.restore(whole)


@given(
    st.lists(
        st.one_of(
            st.text(max_size=4),
            st.sampled_from(
                ["Priya", "SHARMA", "Al Maktoum", "\u0301", "+91", "98200", "00001", "PERSON_1", "_2", "1"]
            ),
            st.sampled_from(["priya.s@example.com", " (at) ", "Flat 12B", "MH02AB1234", r"\u0050", r"\n", "ji", " "]),
        ),
        max_size=12,
    )
)
def test_whatever_is_hidden_comes_back(pieces: list[str]) -> None:
    pseudonymiser = Pseudonymiser(PEOPLE)
    text = "".join(pieces)
    sent = pseudonymiser.hide(text)
    assert pseudonymiser.restore(sent) == text
    assert pseudonymiser.hide(text) == sent


@pytest.mark.parametrize(
    "text", ["a", "a ", "1", "1 ", "1-", "+1 ", "a.", "a@", "priya ", "priya.", "PERSON_1 ", "'", "\\u0061"]
)
def test_a_long_text_takes_no_longer_than_its_length(text: str) -> None:
    """What grew with the square of it would take minutes here."""
    pseudonymiser = Pseudonymiser(PEOPLE)
    long = text * (100_000 // len(text))
    began = process_time()
    assert pseudonymiser.restore(pseudonymiser.hide(long)) == long
    assert process_time() - began < 3

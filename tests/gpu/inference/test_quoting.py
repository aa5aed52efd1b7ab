"""What a provider says goes to clients and into rows; whatever repeats the request does not, however it is written."""

import html
import json

import pytest

from domain.pseudonyms import Pseudonymiser
from domain.structured import Identity
from gpu.inference.quoting import repeats

ASKED = "Ananya Rao wants to meet\nbehind the temple at dawn."
PEOPLE = Pseudonymiser([Identity(names=("Ananya Rao",), phones=("+919820012345",))])


@pytest.mark.parametrize(
    "said",
    [
        "bad input: wants to meet behind",
        "bad input: WANTS TO MEET",
        "bad input: wants  to - meet",
        f"bad input: {json.dumps(json.dumps(ASKED))}",
        f"bad input: {html.escape('meet & wants to meet')}",
        r"bad input: \u0077ants to meet",
        "bad input: the temple",
    ],
)
def test_a_quotation_is_found_however_it_is_written(said: str) -> None:
    assert repeats(said, [ASKED], None)


@pytest.mark.parametrize("said", ["who is Ananya?", "RAO is refused", "call 98200 12345", "a.rao@example.com"])
def test_a_name_is_found_however_short(said: str) -> None:
    assert repeats(said, ["Hello."], PEOPLE)


@pytest.mark.parametrize("said", ["", "temperature must be positive", "max_tokens is above 4096", "temple"])
def test_a_providers_own_words_stay(said: str) -> None:
    assert not repeats(said, [ASKED], PEOPLE)

"""E-mail addresses, by their form alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.people.emails import Email, parsed_email


@pytest.mark.parametrize(
    ("text", "address", "normalised"),
    [
        ("  Sara.Khan@Example.COM ", "Sara.Khan@Example.COM", "sara.khan@example.com"),
        ("o'brien+crm@mail.example.co.in", "o'brien+crm@mail.example.co.in", "o'brien+crm@mail.example.co.in"),
        ("سارة@مثال.إمارات", "سارة@مثال.إمارات", "سارة@مثال.إمارات"),
    ],
)
def test_an_address_is_kept_and_compared_without_its_case(text: str, address: str, normalised: str) -> None:
    assert parsed_email(text) == Email(address, normalised)


@pytest.mark.parametrize(
    "text",
    [
        "", "sara", "@example.com", "sara@", "sara@localhost", "sara@@example.com", "sa ra@example.com",
        "sara@-example.com", "sara@example..com", ".sara@example.com", "sara@exa_mple.com",
        f"{'s' * 65}@example.com", f"s@{'e' * 250}.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed_email(text)

    assert refused.value.field == "email"


@given(st.emails(domains=st.sampled_from(["Example.com", "mail.example.ae", "x-1.example.org"])))
def test_an_address_parses_to_itself(address: str) -> None:
    once = parsed_email(address)

    assert parsed_email(once.normalised).normalised == once.normalised

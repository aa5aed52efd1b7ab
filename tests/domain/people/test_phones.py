"""Phone numbers as people type them, as providers send them, and as nobody can dial them."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.people.phones import Phone, home_region, parsed_phone

UAE = "+971501234567"


@pytest.mark.parametrize(
    ("text", "region", "e164", "country"),
    [
        ("050 123 4567", "AE", UAE, "AE"),
        ("00971501234567", "AE", UAE, "AE"),
        ("+971 50 123 4567", None, UAE, "AE"),
        # As WhatsApp writes an id: a country code without a plus.
        ("971501234567", "AE", UAE, "AE"),
        ("971501234567", "IN", UAE, "AE"),
        ("971501234567", None, UAE, "AE"),
        ("919876543210", "AE", "+919876543210", "IN"),
        # Arabic and full-width digits.
        ("٠٥٠ ١٢٣ ٤٥٦٧", "AE", UAE, "AE"),  # noqa: RUF001 -- those digits are the point.
        ("９８７６５４３２１０", "IN", "+919876543210", "IN"),  # noqa: RUF001 -- as above.
        ("98765 43210", "IN", "+919876543210", "IN"),
        ("+44 (0)20 7946 0958", "AE", "+442079460958", "GB"),
        # An extension is no part of E.164.
        ("050 123 4567 ext 12", "AE", UAE, "AE"),
        # An international freephone number belongs to no country.
        ("+800 1234 5678", None, "+80012345678", None),
    ],
)
def test_a_number_becomes_e164(text: str, region: str | None, e164: str, country: str | None) -> None:
    assert parsed_phone(f" {text} ", region) == Phone(e164, country, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "call me",
        "04 123 4567",  # Possible in Dubai, and nobody's.
        "0501234567 / 0509876543",  # Two numbers.
        "12345",
        "+971 50 123 456",  # One digit short.
        "9" * 65,
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed_phone(text, "AE")

    assert refused.value.field == "phone"


def test_without_a_home_region_a_national_number_is_refused() -> None:
    with pytest.raises(Invalid):
        parsed_phone("050 123 4567", None)


@pytest.mark.parametrize(
    ("currency", "region"),
    [("AED", "AE"), ("INR", "IN"), ("SAR", "SA"), ("USD", "US"), ("GBP", "GB"), ("EUR", None), ("XAF", None)],
)
def test_the_home_region_is_the_country_of_the_currency(currency: str, region: str | None) -> None:
    assert home_region(currency) == region


EXAMPLES = sorted(
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for region in phonenumbers.SUPPORTED_REGIONS
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)) is not None
)


@given(st.sampled_from(EXAMPLES), st.sampled_from(["AE", "IN", "US", "BR", None]))
def test_a_parsed_number_parses_to_itself_whatever_the_region(number: str, region: str | None) -> None:
    once = parsed_phone(number, region)

    again = parsed_phone(once.e164, region)

    assert (again.e164, again.country) == (once.e164, once.country)


@given(st.integers(500_000_000, 599_999_999), st.sampled_from(["{}", "0{}", "+971{}", "00971{}", "971{}"]))
def test_ways_to_write_a_number_are_one_number(national: int, form: str) -> None:
    try:
        plain = parsed_phone(f"+971{national}", "AE")
    except Invalid:
        return

    assert parsed_phone(form.format(national), "AE").e164 == plain.e164


@given(st.text(max_size=80), st.sampled_from(["AE", "IN", None]))
def test_any_text_is_a_number_or_is_refused(text: str, region: str | None) -> None:
    try:
        phone = parsed_phone(text, region)
    except Invalid:
        return

    assert parsed_phone(phone.e164, None).e164 == phone.e164

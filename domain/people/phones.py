"""Phone numbers: what somebody typed or a provider sent becomes E.164, or is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from domain.errors import Invalid

LONGEST_RAW: Final = 64
LONGEST_E164: Final = 16
"""A plus and fifteen digits."""

_DIGITS: Final = re.compile(r"[\d\s().-]+")


@dataclass(frozen=True, slots=True)
class Phone:
    """A number as it is dialled from anywhere, the country it belongs to (ISO 3166, null for none), and as it came."""

    e164: str
    country: str | None
    raw: str


def home_region(currency: str) -> str | None:
    """Return the country whose numbers are written without a country code, from the tenant's currency.

    An ISO 4217 code begins with the ISO 3166 code of its country: AED is AE, INR is IN. A currency of several countries
    (EUR, XAF) names none, and then a number needs its country code.
    """
    region = currency[:2]
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


def parsed_phone(text: str, region: str | None, field: str = "phone") -> Phone:
    """Read one phone number; `region` is where a number without a country code is dialled from.

    Spaces, brackets, any script's digits, `00` and a trunk `(0)` are understood. Digits that begin with a country code
    but no plus, as WhatsApp writes its ids, count if they are no number of `region`. An extension is left out of E.164
    and stays in `raw`. Raises Invalid.
    """
    raw = text.strip()
    if len(raw) > LONGEST_RAW:
        raise Invalid(f"A phone number has at most {LONGEST_RAW} characters.", field=field)
    number = _valid(raw, region)
    if number is None and _DIGITS.fullmatch(raw):
        number = _valid(f"+{raw}", None)
    if number is None:
        raise Invalid("This is no valid phone number. Begin with + and the country code.", field=field)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    country = phonenumbers.region_code_for_number(number)
    return Phone(e164, country if country is not None and country.isalpha() else None, raw)


def _valid(text: str, region: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return number if len(e164) <= LONGEST_E164 else None

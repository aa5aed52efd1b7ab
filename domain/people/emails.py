"""E-mail addresses: kept as they were typed, compared without regard to case. Nothing is looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from domain.errors import Invalid

LONGEST: Final = 254
LONGEST_LOCAL: Final = 64

# The practical part of RFC 5321: no quoted local parts, no address literals, at least two labels.
_LOCAL: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?")


@dataclass(frozen=True, slots=True)
class Email:
    """An address, and the form of it that two people are compared by."""

    address: str
    normalised: str


def parsed_email(text: str, field: str = "email") -> Email:
    """Read one e-mail address; raises Invalid."""
    address = text.strip()
    local, _, domain = address.rpartition("@")
    longest = len(local) <= LONGEST_LOCAL and len(address) <= LONGEST and len(address.lower()) <= LONGEST
    if not longest or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or "_" in domain:
        raise Invalid("This is no e-mail address.", field=field)
    return Email(address, address.lower())

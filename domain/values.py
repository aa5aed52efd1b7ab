"""The shared vocabulary: ids, money, text and the difference between "absent" and "null"."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar
from uuid import UUID

from domain.currencies import CURRENCIES
from domain.errors import Invalid

MAXIMUM_AMOUNT: Final = Decimal("9999999999999999.99")
"""What `numeric(18, 2)` holds."""
PLAIN_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
"""Digits and one point: no exponent, underscore, space or plus sign, which Decimal would take."""


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562 §5.7): time first, so that new rows lie together in an index.

    The bits after the milliseconds are their fraction (§6.2, method 3): rows made one after the other also sort so.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4_096 // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | fraction << 64
    return UUID(int=value | 0b10 << 62 | secrets.randbits(62))


def new_ids(count: int) -> list[UUID]:
    """Return UUIDv7 of one moment, in no order: the system is asked once for what is random, not once for each."""
    moment = new_id().int & ~((1 << 62) - 1)
    random = secrets.randbits(62 * count) if count else 0
    return [UUID(int=moment | (random >> 62 * number & (1 << 62) - 1)) for number in range(count)]


class Unset(Enum):
    """An input that the client left out, as opposed to null."""

    # As JSON this is nothing that a client can send: the hash of a command tells it from any text or list of texts.
    UNSET = (("UNSET",),)


UNSET: Final = Unset.UNSET

T = TypeVar("T")


def given(value: T | Unset, otherwise: T) -> T:
    """Return `value`, or `otherwise` where the client left it out."""
    return otherwise if value is UNSET else value


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its ISO 4217 currency; never negative, at most two decimals."""

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str, field: str = "amount") -> Money:
        """Read client input; raises Invalid for anything that is not money."""
        if PLAIN_DECIMAL.fullmatch(amount) is None:
            raise Invalid("An amount is a decimal number, such as 12500000.00.", field=f"{field}.amount")
        if amount.startswith("-"):
            raise Invalid("An amount is not negative.", field=f"{field}.amount")
        value = Decimal(amount)
        if value > MAXIMUM_AMOUNT:
            raise Invalid(f"An amount is at most {MAXIMUM_AMOUNT}.", field=f"{field}.amount")
        if value != value.quantize(Decimal("0.01")):
            raise Invalid("An amount has at most two decimals.", field=f"{field}.amount")
        if currency not in CURRENCIES:
            raise Invalid("This is no ISO 4217 currency code.", field=f"{field}.currency")
        return cls(value.quantize(Decimal("0.01")), currency)

"""The budget bands that leads are counted in, by currency.

A band goes from its lower bound, included, to its upper bound, excluded. The bounds are those that luxury homes are
talked about in: crores in India, millions of dirhams or riyals in the Gulf, and for every other currency what the same
homes cost in US dollars, euros or pounds, whose units are of one size.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from domain.currencies import CURRENCIES
from domain.errors import Invalid

_CRORE: Final = 10_000_000
_MILLION: Final = 1_000_000

_RUPEES: Final = tuple(step * _CRORE for step in (1, 2, 5, 10, 25, 50, 100))
_GULF: Final = tuple(step * _MILLION for step in (1, 2, 5, 10, 20, 50))
_ELSEWHERE: Final = tuple(step * _MILLION // 4 for step in (1, 2, 4, 8, 20, 40))
_BY_CURRENCY: Final = {"INR": _RUPEES, "AED": _GULF, "SAR": _GULF, "QAR": _GULF}


def budget_bounds(currency: str) -> tuple[Decimal, ...]:
    """Return the bounds between a currency's bands, ascending: below the first and from the last on are bands too.

    Raises Invalid for what is no ISO 4217 code.
    """
    if currency not in CURRENCIES:
        raise Invalid("This is no ISO 4217 currency code.", field="currency")
    return tuple(Decimal(bound) for bound in _BY_CURRENCY.get(currency, _ELSEWHERE))

"""Mobile numbers that their country's numbering plan accepts, each given out once."""

from typing import Final

# What stands before the six digits that vary: a dialling code and the first digits of a mobile range.
_RANGES: Final = {
    "IN": ("+919820", "+919867", "+919811", "+919845", "+919849", "+919822", "+919840", "+918888"),
    "AE": ("+97150", "+97155", "+97156", "+97152"),
    "QA": ("+9745", "+9746", "+9743"),
    "SA": ("+96650", "+96655", "+96653"),
}
_DIGITS: Final = {"IN": 6, "AE": 7, "QA": 7, "SA": 7}
# Odd and not a multiple of five, so that stepping by it visits every number of a range before one comes again.
_STEP: Final = 617_293


class PhoneBook:
    """Hands out numbers country by country, without repeating one."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._given: dict[str, int] = {}

    def next(self, country: str) -> str:
        """Return a number as E.164."""
        ordinal = self._given.get(country, 0)
        self._given[country] = ordinal + 1
        ranges = _RANGES[country]
        size: int = 10 ** _DIGITS[country]
        within = (self._start + (ordinal // len(ranges)) * _STEP) % size
        return f"{ranges[ordinal % len(ranges)]}{within:0{_DIGITS[country]}d}"

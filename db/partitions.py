"""The monthly partitions of the time series. Only the owner makes them; the application cannot even see them."""

from datetime import UTC, date, datetime
from typing import Final

from asyncpg import Connection, Record

MONTHS_BEHIND: Final = 24
MONTHS_AHEAD: Final = 3


async def ensure_partitions(
    connection: "Connection[Record]", first: date | None = None, last: date | None = None
) -> int:
    """Make the missing partitions of every time series, from the month of `first` to that of `last`.

    Without dates: from two years back, which imports need, to three months ahead. Returns how many were made.
    """
    today = datetime.now(UTC).date()
    first = first or _month(today, -MONTHS_BEHIND)
    last = last or _month(today, MONTHS_AHEAD)
    made: int = await connection.fetchval("SELECT public.ensure_qd_partitions($1, $2)", first, last)
    return made


def _month(day: date, later: int) -> date:
    """The first day of the month that lies `later` months after that of `day`."""
    years, month = divmod(day.month - 1 + later, 12)
    return date(day.year + years, month + 1, 1)

"""What `velocity token` does: an access token for whoever runs the installation, without a password."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from app.failures import CannotContinue
from app.ports import alone
from app.settings import Settings
from app.wiring import System
from domain.access import Caller, issue_token

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST: Final = timedelta(days=365)


def duration(text: str) -> timedelta:
    """Read a duration such as `90s`, `15m`, `1h` or `7d`; raises CannotContinue."""
    found = re.fullmatch(r"([0-9]{1,8})([smhd])", text)
    read = timedelta(**{UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < read <= LONGEST:
        raise CannotContinue(f"{text!r} is no duration such as 90s, 15m, 1h or 7d, of a year at most.")
    return read


async def access_token(settings: Settings, email: str, lifetime: timedelta) -> str:
    """Open a session for a user and return its access token; raises CannotContinue or SignInRefused."""
    async with alone(settings) as (_, opened):
        return await issue_token(opened.sign_in, opened.units, email, lifetime)


async def caller_of(opened: System, email: str) -> Caller:
    """Return a user as a caller of an open system, by a session of a minute."""
    token = await issue_token(opened.sign_in, opened.units, email, timedelta(minutes=1))
    return await opened.callers.caller_for(token)

"""Who makes the events: people are written at another process, so that their price is not the followed server's."""

from __future__ import annotations

import asyncio
from typing import Final

from bench.live.asking import OverSocket, body

PERSON: Final = body("PersonCreate", input={"fullName": "Asha Rao"})


class Writer(OverSocket):
    """Writes people."""

    async def write(self, number: int) -> list[str]:
        """Write so many at once, and wait until all are committed; return their ids."""
        answers = await asyncio.gather(*(self.ask(PERSON) for _ in range(number)))
        return [each["personCreate"]["person"]["id"] for each in answers]

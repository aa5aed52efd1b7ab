"""What conversations refuse."""

from __future__ import annotations

from typing import Final

from domain.errors import Conflict, Invalid, Unavailable
from domain.threads.kinds import Channel


class NoProvider(Unavailable):
    """No messaging provider is configured."""


class AddressTaken(Conflict):
    """A conversation with this address exists that you may not see."""


LONGEST_TEXT: Final = {Channel.WHATSAPP: 4096, Channel.SMS: 1600}
"""How many characters a channel carries in one message."""


def check_text(channel: Channel, text: str) -> None:
    """Refuse a text that its channel does not carry; raises Invalid."""
    longest = LONGEST_TEXT[channel]
    if not text.strip():
        raise Invalid("A message says something.", field="text")
    if len(text) > longest:
        raise Invalid(
            f"A {channel.name} message has at most {longest} characters; {len(text)} were sent.", field="text"
        )

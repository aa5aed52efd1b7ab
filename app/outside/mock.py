"""The messaging provider for demonstrations and tests: it accepts every message, and nothing leaves the site."""

from __future__ import annotations

from domain.threads import Channel, Message


class MockMessenger:
    """A provider without a network."""

    async def send(self, channel: Channel, address: str, message: Message) -> str:  # noqa: ARG002 -- the port's signature.
        """Accept the message. The id tells it apart, so that the same message is the same id however often it comes."""
        return f"mock-{message.id}"

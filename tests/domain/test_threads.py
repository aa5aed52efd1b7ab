"""The rules of threads that need no store: what a channel carries, and which place in a conversation is later."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import Invalid
from domain.threads import Channel, Position, check_text

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(("channel", "longest"), [(Channel.WHATSAPP, 4096), (Channel.SMS, 1600)])
def test_a_channel_carries_so_much(channel: Channel, longest: int) -> None:
    check_text(channel, "x")
    check_text(channel, "x" * longest)

    with pytest.raises(Invalid) as refusal:
        check_text(channel, "x" * (longest + 1))

    assert refusal.value.field == "text"
    assert refusal.value.message == (
        f"A {channel.name} message has at most {longest} characters; {longest + 1} were sent."
    )


@pytest.mark.parametrize("text", ["", " ", "\n\t\u2003"])
def test_an_empty_message_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"^A message says something\.$"):
        check_text(Channel.WHATSAPP, text)


def test_a_later_message_is_further_and_the_id_breaks_ties() -> None:
    first, second = Position(NOON, UUID(int=2)), Position(NOON, UUID(int=3))
    third = Position(NOON + timedelta(seconds=1), UUID(int=1))

    assert max(third, first, second) == third
    assert max(second, first) == second

"""What `velocity perceive` does: a session with a consent, a camera in a thread, and a sender beside it."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from app.failures import CannotContinue
from app.perceive.camera import check, glimpses
from app.perceive.client import Away, Refused, Velocity
from app.perceive.sender import Sender, last_sequence
from domain.qd import Packet

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Watch:
    """What to watch with, and for whom."""

    model: Path
    source: str
    server: str
    key: str | None
    consent_id: str | None = None
    session_id: str | None = None
    rate: float = 10.0


async def perceive(watch: Watch) -> str:
    """Watch until the source ends or Ctrl-C, and say what was sent; raises CannotContinue."""
    check(watch.model, watch.source)
    if not watch.key:
        raise CannotContinue("Give --key, or set VELOCITY_AGENT_KEY: an API key or an access token.")
    if (watch.consent_id is None) == (watch.session_id is None):
        raise CannotContinue("Give --consent to begin a session, or --session to go on with one.")
    async with httpx.AsyncClient(base_url=watch.server, timeout=10) as http:
        velocity = Velocity(http, watch.key)
        try:
            return await _session(velocity, watch)
        except Refused as refusal:
            raise CannotContinue(f"The server refused ({refusal.code}): {refusal}") from refusal
        except Away as away:
            raise CannotContinue(f"No server answers at {watch.server} ({away}).") from away


async def _session(velocity: Velocity, watch: Watch) -> str:
    if watch.session_id is not None:
        session_id, last = watch.session_id, await last_sequence(velocity, watch.session_id)
    else:
        started = await velocity.ask(
            "PerceptionSessionStart", consentId=watch.consent_id, surface="KIOSK", personId=None, videoId=None,
            idempotencyKey=None,
        )  # fmt: skip
        session_id, last = str(started["session"]["id"]), 0
    sender = Sender(velocity, session_id, last)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for received in _SIGNALS:
        loop.add_signal_handler(received, stop.set)
    sending = asyncio.create_task(sender.run())
    looking = asyncio.create_task(asyncio.to_thread(_look, watch, sender, loop, stop))
    try:
        # The sender ends first only if the server has ended the session; the camera stops with it.
        await asyncio.wait({sending, looking}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await looking
        sender.finish()
        tally = await sending
    finally:
        stop.set()
        sending.cancel()
        for received in _SIGNALS:
            loop.remove_signal_handler(received)
    ended = await velocity.ask("PerceptionSessionComplete", sessionId=session_id)
    final = ended["session"]["finalQd"]
    return (
        f"Session {session_id}: {tally.accepted} packets in {tally.batches} batches, {tally.retries} sent again,"
        f" {tally.dropped} dropped. QD {'unknown' if final is None else round(final['score'])}."
    )


def _look(watch: Watch, sender: Sender, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Hand packets over from the camera's thread. Their times come from the moment of the start and a steady clock."""
    start = datetime.now(UTC)
    for glimpse in glimpses(watch.model, watch.source, watch.rate, stop.is_set):
        packet = Packet(start + timedelta(seconds=glimpse.seconds), None, glimpse.shapes)
        loop.call_soon_threadsafe(sender.put, packet)

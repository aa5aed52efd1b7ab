"""A showroom visit for the demo: a generated face watches a video, and the running server scores it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from app.demo.chance import between, generator
from app.demo.faces import Face, Scene
from app.failures import CannotContinue
from app.perceive.client import Away, Json, Refused, Velocity
from app.perceive.sender import Pause, Sender
from domain.qd import Packet

RATE: Final = 10
_NOTICE: Final = "demo"
_CONSENT: Final = timedelta(days=180)
_TITLES: Final = ("Arrival", "Lobby", "Living room", "View", "Kitchen", "Main bedroom", "Terrace", "Price")
_LIKED: Final = ("view", "terrace", "pool", "living", "sea", "sky")
_REPORT_SECONDS: Final = 5
_APART: Final = 3.0
_MOST_LEADS: Final = 30
_LEAVES: Final = 0.6
_AWAY_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to play: `speed` 2 takes half the time. The same seed gives the same visitor.

    `place` tells several visits apart that are played at once: each is of another lead, and begins a little later.
    """

    server: str
    email: str
    password: str
    seconds: float = 60.0
    speed: float = 1.0
    seed: int = 1
    place: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A scene of the video with its title."""

    title: str
    scene: Scene


async def play_together(visit: Visit, number: int, say: Callable[[str], None], pause: Pause = asyncio.sleep) -> str:
    """Play so many visits at once, of different visitors, and return their last lines; raises CannotContinue."""
    visits = [replace(visit, seed=visit.seed + place, place=place) for place in range(number)]
    try:
        async with asyncio.TaskGroup() as group:
            played = [group.create_task(play(each, say, pause)) for each in visits]
    except* CannotContinue as refusals:
        raise refusals.exceptions[0] from None
    return "\n".join(each.result() for each in played)


async def play(visit: Visit, say: Callable[[str], None], pause: Pause = asyncio.sleep) -> str:
    """Play a visit and return its last line; raises CannotContinue."""
    async with httpx.AsyncClient(base_url=visit.server, timeout=10) as http:
        velocity = Velocity(http, None)
        try:
            await velocity.sign_in(visit.email, visit.password)
            return await _visit(velocity, visit, say, pause)
        except Refused as refusal:
            raise CannotContinue(f"The server refused ({refusal.code}): {refusal}") from refusal
        except Away as away:
            raise CannotContinue(f"No server answers at {visit.server} ({away}). Start one with `make run`.") from away


async def _visit(velocity: Velocity, visit: Visit, say: Callable[[str], None], pause: Pause) -> str:
    await pause(visit.place * _APART / visit.speed)
    person = await _visitor(velocity, visit)
    videos = (await velocity.ask("Videos", first=10))["edges"]
    video = videos[visit.place % len(videos)]["node"] if videos else None
    consent = await velocity.ask(
        "ConsentGrant",
        input={
            "personId": person["id"],
            "subjectKind": "PERSON",
            "purpose": "SHOWROOM_ENGAGEMENT",
            "modality": "FACE",
            "noticeVersion": _NOTICE,
            "expiresAt": (datetime.now(UTC) + _CONSENT).isoformat(),
        },
    )
    started = await velocity.ask(
        "PerceptionSessionStart",
        personId=person["id"],
        consentId=consent["consent"]["id"],
        surface="KIOSK",
        videoId=None if video is None else video["id"],
    )
    session_id = str(started["session"]["id"])
    say(f"{person['fullName']} agreed and watches. The face is generated; nobody is filmed. Session {session_id}.")

    def say_of_them(line: str) -> None:
        say(f"{person['fullName']:<20} {line}")

    sender = Sender(velocity, session_id, pause=pause)
    sending = asyncio.create_task(sender.run())
    try:
        await _watch(visit, shown=scenes(visit, video), sender=sender, sending=sending, say=say_of_them, pause=pause)
        sender.finish()
        tally = await sending
    finally:
        sending.cancel()
    ended = (await velocity.ask("PerceptionSessionComplete", sessionId=session_id))["session"]
    summary, final = ended["summary"] or {}, ended["finalQd"]
    peak = summary.get("peakScene")
    score = "unknown" if final is None else round(final["score"])
    where = f"; it was highest at {peak['title']}" if peak else ""
    return f"{person['fullName']}: {tally.accepted} packets were scored. QD of the visit: {score}{where}."


async def _visitor(velocity: Velocity, visit: Visit) -> Json:
    edges = (await velocity.ask("LeadBoard", first=_MOST_LEADS))["edges"]
    people = list({edge["node"]["person"]["id"]: edge["node"]["person"] for edge in edges}.values())
    if len(people) <= visit.place:
        raise CannotContinue(f"{visit.email} has {len(people)} people with a lead; {visit.place + 1} were to visit.")
    found: Json = people[visit.place]
    return found


async def _watch(
    visit: Visit,
    *,
    shown: Sequence[Shown],
    sender: Sender,
    sending: asyncio.Task[object],
    say: Callable[[str], None],
    pause: Pause,
) -> None:
    """Hand over the packets at their pace. A visit that is played faster began earlier, and ends now."""
    # Every second visitor turns to somebody else for a moment.
    leaves = visit.seconds * _LEAVES
    absences = ((leaves, leaves + _AWAY_SECONDS),) if visit.seed % 2 == 0 else ()
    face = Face(generator("visit", visit.seed), [each.scene for each in shown], absences)
    now = datetime.now(UTC)
    began = now - timedelta(seconds=visit.seconds - visit.seconds / visit.speed)
    for number in range(int(visit.seconds * RATE)):
        second = number / RATE
        if sending.done():
            return
        sender.put(Packet(began + timedelta(seconds=second), int(second * 1000), face.at(second)))
        if number % (_REPORT_SECONDS * RATE) == 0 and number:
            title = next(each.title for each in shown if each.scene.start <= second < each.scene.end)
            score = sender.tally.score
            say(f"{second:5.0f} s  {title:<16} QD {'…' if score is None else round(score)}")
        await pause(max(0.0, (now + timedelta(seconds=second / visit.speed) - datetime.now(UTC)).total_seconds()))


def scenes(visit: Visit, video: Json | None) -> list[Shown]:
    """Return what is shown, each part with how much it appeals: the video's own scenes, or invented ones."""
    random = generator("appeal", visit.seed)
    own = [] if video is None else video["scenes"]
    parts = [(each["title"], each["startMs"] / 1000, each["endMs"] / 1000) for each in own]
    if not parts:
        each = visit.seconds / len(_TITLES)
        parts = [(title, number * each, (number + 1) * each) for number, title in enumerate(_TITLES)]
    found, at = [], 0.0
    for title, start, end in parts:
        if start > at:
            found.append(Shown("(no scene)", Scene(at, start, 0.3)))
        liked = any(word in title.lower() for word in _LIKED)
        found.append(
            Shown(title, Scene(start, end, between(random, 0.75, 1.0) if liked else between(random, 0.1, 0.6)))
        )
        at = end
    return [*found, Shown("(the end)", Scene(at, max(at, visit.seconds) + 1, 0.2))]

"""WhatsApp conversations, one function for each occasion on which client and broker write to each other."""

from datetime import datetime, timedelta
from typing import Final

from app.demo.chance import between, likely, pick, whole
from app.demo.details import Search
from app.demo.diary import Diary
from app.demo.voice import Spoken, Voice
from app.demo.words import calls, deals, openings, visits
from app.demo.words.pools import Pool, Saying
from app.demo.words.sayings import BUDGETS, OBJECTIONS, PREFERENCES, TIMELINES
from app.demo.words.topics import topics
from domain.leads import LeadLostReason, LeadSource
from domain.threads import MessageKind

_SAYINGS: Final = (*BUDGETS, *TIMELINES, *PREFERENCES, *OBJECTIONS)
_FIRST_SAYINGS: Final = (*BUDGETS, *TIMELINES, *PREFERENCES)


class Chat:
    """The conversations of one search. Each method writes one of them and returns when it ended."""

    def __init__(self, diary: Diary, voice: Voice, search: Search) -> None:
        self._diary, self._voice, self._search = diary, voice, search
        self._random = diary.random
        self._at = self._began_at = diary.world.now

    def opening(self, at: datetime, source: LeadSource) -> datetime:
        """The client's first message, which nobody has answered yet."""
        self._begin(at)
        self._client(openings.OPENERS[source])
        if likely(self._random, 0.25):
            self._client(pick(self._random, topics(in_india=self._search.city.in_india)).questions)
        return self._end(4, 0.25)

    def first_reply(self, at: datetime) -> datetime:
        """The broker answers, and learns what it is about."""
        self._begin(at)
        self._broker(openings.GREETINGS)
        if likely(self._random, 0.8):
            self._saying(_FIRST_SAYINGS, openings.PITCHES)
        if likely(self._random, 0.35):
            self._attachment()
        if likely(self._random, 0.6):
            self._client(openings.THANKS)
            self._acknowledge()
        return self._end(6, 0.35)

    def questions(self, at: datetime) -> datetime:
        """A few questions with their answers, and now and then something worth remembering."""
        self._begin(at)
        asked = topics(in_india=self._search.city.in_india)
        for topic in self._random.sample(asked, whole(self._random, 1, 3)):
            self._client(topic.questions)
            self._broker(topic.answers)
        if likely(self._random, 0.3):
            self._saying(_SAYINGS, visits.NEXT_STEPS)
        elif likely(self._random, 0.5):
            self._client(openings.THANKS)
            self._acknowledge()
        if likely(self._random, 0.12):
            self._attachment()
        return self._end(5, 0.3)

    def nudge(self, at: datetime) -> datetime:
        """The broker asks after a silence; not everybody answers."""
        self._begin(at)
        self._broker(openings.QUIET_NUDGES)
        if not likely(self._random, 0.55):
            return self._at
        self._client(openings.QUIET_REPLIES)
        self._acknowledge()
        return self._end(2.5, 0.1)

    def arrangement(self, at: datetime, visit_at: datetime) -> datetime:
        """Fix the visit that takes place at `visit_at`."""
        self._begin(at, visit_at)
        self._broker(visits.INVITATIONS)
        self._client(visits.COUNTERS)
        self._broker(visits.CONFIRMATIONS)
        return self._end(6, 0.45)

    def arrival(self, visit_at: datetime) -> None:
        """The messages of the hours before a visit."""
        self._begin(visit_at - timedelta(minutes=between(self._random, 90, 180)), visit_at)
        self._broker(visits.REMINDERS)
        self._at = max(self._at, visit_at - timedelta(minutes=between(self._random, 10, 40)))
        self._client(visits.ARRIVALS)

    def afterwards(self, at: datetime, *, liked: bool) -> datetime:
        """What is said after a visit."""
        self._begin(at)
        self._broker(visits.AFTER)
        self._client(visits.FEEDBACK)
        if not liked:
            self._saying(OBJECTIONS, visits.NEXT_STEPS)
        elif likely(self._random, 0.4):
            self._saying(PREFERENCES, visits.NEXT_STEPS)
        else:
            self._broker(visits.NEXT_STEPS)
        return self._end(7, 0.6) if liked else self._end(-5, -0.2)

    def family(self, at: datetime) -> datetime:
        """The family joins in."""
        self._begin(at)
        self._client(deals.FAMILY)
        self._broker(deals.FAMILY_ANSWERS)
        return self._end(4, 0.4)

    def offer(self, at: datetime) -> datetime:
        self._begin(at)
        self._client(deals.OFFERS)
        self._broker(deals.COUNTERS)
        if likely(self._random, 0.6):
            self._client(deals.REQUESTS)
            self._broker(deals.RESOLUTIONS)
        if likely(self._random, 0.5):
            self._client(deals.PAUSES)
        return self._end(11, 0.5)

    def booking(self, at: datetime) -> datetime:
        self._begin(at - timedelta(hours=between(self._random, 0.5, 2)))
        self._broker(deals.RESOLUTIONS)
        self._client(deals.BOOKINGS)
        self._broker(deals.CONGRATULATIONS)
        return self._end(14, 0.9)

    def aftercare(self, at: datetime) -> datetime:
        self._begin(at)
        self._broker(deals.AFTERCARE)
        if likely(self._random, 0.7):
            self._client(deals.AFTERCARE_REPLIES)
        return self._end(3, 0.6)

    def goodbye(self, at: datetime, reason: LeadLostReason) -> datetime:
        """The end of a lost search. An unreachable client does not answer."""
        self._begin(at)
        if reason is LeadLostReason.UNREACHABLE:
            self._broker(deals.GOODBYES[reason])
        else:
            self._client(deals.GOODBYES[reason])
            self._broker(deals.FAREWELLS)
        return self._end(-16, -0.4)

    def _begin(self, at: datetime, meeting_at: datetime | None = None) -> None:
        self._at = self._began_at = at
        self._voice.details.begin(at, meeting_at)

    def _end(self, gain: float, valence: float) -> datetime:
        """Let the curve react to the conversation, at its last message before the reference instant."""
        messages = self._diary.messages
        if messages and messages[-1].at >= self._began_at:
            self._diary.touch(messages[-1].at, gain * between(self._random, 0.6, 1.4), valence)
        return self._at

    def _client(self, pool: Pool) -> None:
        if self._diary.messages and likely(self._random, 0.03):
            self._diary.message(self._at, None, None, MessageKind.VOICE, f"Voice note, {whole(self._random, 8, 70)} s")
            self._pause(0.3, 3)
        self._diary.message(self._at, None, self._voice.say(pool).text)
        self._pause(1, 22)

    def _broker(self, pool: Pool) -> None:
        self._diary.message(self._at, self._search.broker, self._voice.say(pool).text)
        self._pause(2, 45)

    def _acknowledge(self) -> None:
        """Let the broker have the last word, as most do."""
        if likely(self._random, 0.75):
            self._broker(openings.ACKNOWLEDGEMENTS)

    def _attachment(self) -> None:
        unit = self._search.unit
        if likely(self._random, 0.5):
            kind, label = MessageKind.DOCUMENT, f"Floor plan of {unit.label}, {unit.project.name}"
        else:
            kind, label = MessageKind.IMAGE, f"Photo: {unit.view} from {unit.label}"
        self._diary.message(self._at, self._search.broker, None, kind, label)
        self._pause(1, 9)

    def _saying(self, among: tuple[Saying, ...], answers: Pool) -> None:
        """Let the client say something that becomes a fact. An objection is handled, the rest gets one of `answers`."""
        saying = self._diary.news(among, in_india=self._search.city.in_india, villa=self._search.unit.villa)
        spoken: Spoken = self._voice.say(saying.lines)
        at = self._at
        interaction_id = self._diary.message(at, None, spoken.text)
        if interaction_id is not None:
            learned = self._voice.fill_line(saying.learned)
            budget = (self._search.budget, self._search.currency)
            self._diary.fact(at, interaction_id, saying, learned, spoken, budget=budget)
        self._pause(1, 20)
        self._broker(calls.HANDLING[saying.objection] if saying.objection else answers)

    def _pause(self, low: float, high: float) -> None:
        self._at += timedelta(minutes=low + (high - low) * self._random.random() ** 2)

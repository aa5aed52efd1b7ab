"""Telephone calls, some with a transcript: who said what when, and the objections that quote it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from app.demo.chance import between, identifier, likely, pick, whole
from app.demo.details import Search
from app.demo.diary import Diary
from app.demo.voice import Spoken, Voice
from app.demo.words import calls
from app.demo.words.pools import Pool, Saying
from app.demo.words.sayings import BUDGETS, OBJECTIONS, PREFERENCES, TIMELINES
from app.demo.words.topics import topics
from domain.interactions import ObjectionKind
from domain.perception import ConsentPurpose

_MILLISECONDS_PER_WORD: Final = 390
_OPENING: Final = 1_400


@dataclass(frozen=True, slots=True)
class _Objection:
    kind: ObjectionKind
    quote: str
    resolved: bool


@dataclass(slots=True)
class _Transcript:
    """A call as it is spoken. `clock` is milliseconds since it began."""

    clock: int = _OPENING
    segments: list[tuple[str, str, int]] = field(default_factory=list)
    objections: list[_Objection] = field(default_factory=list)
    learned: list[tuple[Saying, str, Spoken]] = field(default_factory=list)

    def add(self, speaker: str, text: str, pause: int) -> None:
        self.segments.append((speaker, text, self.clock))
        self.clock += _MILLISECONDS_PER_WORD * (text.count(" ") + 1) + pause


class Telephone:
    """The calls of one search. Calls with a transcript need the client's consent to be recorded."""

    def __init__(self, diary: Diary, voice: Voice, search: Search) -> None:
        self._diary, self._voice, self._search = diary, voice, search
        self._random = diary.random
        self._transcript = _Transcript()

    def qualifying(self, at: datetime) -> datetime:
        """The first long call: who they are, what they want, by when and for how much."""
        self._begin(at, recorded=True)
        self._broker(calls.PROBES)
        self._client(calls.STORIES)
        self._broker(calls.BUDGET_PROBES)
        self._saying(BUDGETS)
        if likely(self._random, 0.7):
            self._broker(calls.TIMELINE_PROBES)
            self._saying(TIMELINES)
        if likely(self._random, 0.6):
            self._broker(calls.PREFERENCE_PROBES)
            self._saying(PREFERENCES)
        self._question()
        gain = 11.0 + (self._objection() if likely(self._random, 0.6) else 0)
        return self._finish(at, calls.QUALIFYING_SUMMARIES, gain)

    def bargaining(self, at: datetime) -> datetime:
        """A call about the price, with one or two objections."""
        self._begin(at, recorded=True)
        self._broker(calls.NUMBERS)
        self._client(calls.BARGAINS)
        gain = 12.0 + self._objection()
        if likely(self._random, 0.4):
            gain += self._objection()
        return self._finish(at, calls.BARGAINING_SUMMARIES, gain)

    def check_in(self, at: datetime) -> datetime:
        """A short call that is not written down word for word, or one that nobody answers."""
        self._voice.details.begin(at)
        if likely(self._random, 0.35):
            self._diary.call(at, self._search.broker, self._voice.fill(calls.MISSED_SUMMARIES), 0)
            return at
        seconds = whole(self._random, 70, 420)
        summary = self._voice.fill(calls.CHECK_IN_SUMMARIES)
        self._diary.call(at, self._search.broker, summary, seconds, inbound=likely(self._random, 0.3))
        self._diary.touch(at, between(self._random, 2, 6), 0.2)
        return at

    def _begin(self, at: datetime, *, recorded: bool) -> None:
        self._voice.details.begin(at)
        self._transcript = _Transcript()
        self._broker(calls.HELLOS)
        if recorded and likely(self._random, 0.5):
            self._broker(calls.RECORDING_NOTICE)
        self._client(calls.REPLIES)

    def _finish(self, at: datetime, summaries: Pool, gain: float) -> datetime:
        """End the call and write it down, with what was learned from it."""
        self._broker(calls.NEXT_STEPS)
        self._client(calls.FAREWELLS)
        transcript, diary, batch = self._transcript, self._diary, self._diary.world.batch
        seconds = transcript.clock // 1000 + 2
        ended_at = at + timedelta(seconds=seconds)
        if ended_at >= diary.world.now:
            return ended_at
        diary.measured(at, ConsentPurpose.RECORDING, self._search.broker)
        inbound = likely(self._random, 0.2)
        call_id = diary.call(at, self._search.broker, self._voice.fill(summaries), seconds, inbound=inbound)
        if call_id is None:
            return ended_at
        for speaker, text, start in transcript.segments:
            batch.add(
                "transcript_segments", id=identifier(self._random, ended_at), interaction_id=call_id, speaker=speaker,
                text=text, start_ms=start, created_at=ended_at,
            )  # fmt: skip
        for objection in transcript.objections:
            batch.add(
                "objections", id=identifier(self._random, ended_at), interaction_id=call_id,
                kind=objection.kind.name, text=objection.quote,
                resolved=objection.resolved, created_at=ended_at,
            )  # fmt: skip
        budget = (self._search.budget, self._search.currency)
        for saying, learned, spoken in transcript.learned:
            diary.fact(ended_at, call_id, saying, learned, spoken, budget=budget)
        diary.touch(at, gain * between(self._random, 0.7, 1.3), 0.5 if gain > 0 else -0.3, strong=True)
        return ended_at

    def _question(self) -> None:
        topic = pick(self._random, topics(in_india=self._search.city.in_india))
        self._client(topic.questions)
        self._broker(topic.answers)

    def _objection(self) -> float:
        """Let the client object and the broker answer. Returns what it does to the curve."""
        self._broker(calls.OBJECTION_PROBES)
        saying, quote = self._saying(OBJECTIONS)
        if saying.objection is None:
            raise AssertionError("an objection without a kind")
        self._broker(calls.HANDLING[saying.objection])
        resolved = likely(self._random, 0.55)
        self._client(calls.SOFTENED if resolved else calls.UNMOVED)
        self._transcript.objections.append(_Objection(saying.objection, quote, resolved))
        return 2.0 if resolved else -9.0

    def _saying(self, among: tuple[Saying, ...]) -> tuple[Saying, str]:
        saying = self._diary.news(among, in_india=self._search.city.in_india, villa=self._search.unit.villa)
        spoken = self._voice.utter(saying.lines)
        if spoken.quote is None:
            raise AssertionError(f"nothing is quoted in {spoken.text!r}")
        self._transcript.add(self._search.person.full_name, spoken.text, self._gap())
        self._transcript.learned.append((saying, self._voice.fill_line(saying.learned), spoken))
        return saying, spoken.quote

    def _client(self, pool: Pool) -> None:
        self._transcript.add(self._search.person.full_name, self._voice.utter(pool).text, self._gap())

    def _broker(self, pool: Pool) -> None:
        self._transcript.add(self._search.broker.full_name, self._voice.utter(pool).text, self._gap())

    def _gap(self) -> int:
        return whole(self._random, 250, 1_900)

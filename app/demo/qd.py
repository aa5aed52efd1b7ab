"""Draws QD curves: a score rises within RISE_WINDOW of something that happened, and decays until the next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from app.demo.chance import between, generator, identifier_at, likely
from app.demo.diary import Touch
from domain.perception import QdKind, QdSource

RISE_WINDOW: Final = timedelta(hours=2)
"""A score higher than the one before it lies at most this long after an interaction of the person."""

# Minutes after an event, and which share of its gain the score has taken up by then.
_RISE: Final = ((4, 0.4), (16, 0.75), (40, 1.0))
_SHORTEST_SESSION: Final = 45
_HIGHEST, _LOWEST = 97.0, 4.0
_EAGERNESS: Final = 2.0
_MOST_POINTS: Final = 2_400
_MODEL_DELAY: Final = 95
_REACH: Final = 90
"""Days after the last event for which the curve goes on."""

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Point = tuple[UUID, UUID, UUID, datetime, str, str, float, float, float, float | None, float, UUID | None]
"""A row of qd_scores: tenant, id, person, at, kind, source, score, engagement, valence, attention, confidence,
and the session."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured visit; `parts` are of its score: when, score, engagement, valence, attention, confidence."""

    id: UUID
    started_at: datetime
    ended_at: datetime
    batches: int
    parts: tuple[object, ...]


@dataclass(slots=True)
class Curve:
    """Draws the curves of one person. Within a source, `points` are in order of time."""

    tenant_id: UUID
    person_id: UUID
    random: Random
    now: datetime
    points: list[Point] = field(default_factory=list)
    visits: list[Measured] = field(default_factory=list)
    _score: float = 0.0
    _valence: float = 0.0
    _confidence: float = 0.0

    def draw(self, touches: list[Touch], budget: int) -> None:
        """Draw the curve over `touches`, which are in order of time, with about `budget` points."""
        if not touches:
            return
        random = self.random
        floor = between(random, 7, 20)
        self._score, self._valence = floor, 0.0
        self._confidence = round(between(random, 0.55, 0.92), 2)
        half_life, bias = between(random, 10, 28) * _DAY, between(random, -6, 6)
        end = _milliseconds(self.now)
        starts = [_milliseconds(touch.at) for touch in touches]
        finish = min(end, starts[-1] + _REACH * _DAY)
        samples = max(2, min(_MOST_POINTS, budget) - len(_RISE) * len(touches))
        step = max(20 * _MINUTE, (finish - starts[0]) // samples)
        for touch, start, until in zip(touches, starts, [*starts[1:], finish], strict=True):
            clock = self._react(touch, start, until)
            if touch.strong and start + _MODEL_DELAY * _MINUTE < end and likely(random, 0.55):
                judged = max(1.0, min(99.0, self._score + bias))
                self._add(start + _MODEL_DELAY * _MINUTE, QdKind.PROFILE, QdSource.MODEL, judged, self._confidence)
            self._decay(clock, until, step, floor, 2.0 ** (-step / half_life))

    def import_score(self, at: datetime) -> None:
        """Add the score that came with an imported lead."""
        self._add(_milliseconds(at), QdKind.PROFILE, QdSource.IMPORTED, between(self.random, 20, 60), 0.4)

    def forget_visits(self) -> None:
        """Take away what was measured: the consent has ended."""
        self.points = [point for point in self.points if point[4] != QdKind.SESSION.name]

    def latest(self) -> dict[str, Point]:
        """Return the newest point of each source."""
        return {point[5]: point for point in self.points}

    def _react(self, touch: Touch, start: int, until: int) -> int:
        """Take up the gain of an event; returns the moment of the last point."""
        before, clock = self._score, start
        if touch.gain >= 0:
            peak = min(_HIGHEST, before + touch.gain * _EAGERNESS * (1.06 - before / 100))
        else:
            peak = max(_LOWEST, before + touch.gain)
        self._valence = 0.55 * self._valence + 0.45 * touch.valence
        for minutes, share in _RISE:
            at = start + minutes * _MINUTE
            if at >= until:
                return clock
            self._score = before + (peak - before) * share
            self._add(at, QdKind.PROFILE, QdSource.RULES, self._score, self._confidence)
            clock = at
        ended = start + max(touch.minutes, _SHORTEST_SESSION) * _MINUTE
        if touch.minutes and ended < until:
            # The session saw the person and ends no lower than the profile, so the joint series rises only here.
            final = min(99.0, self._score + between(self.random, 0.5, 6))
            attention, sure = between(self.random, 0.45, 0.96), between(self.random, 0.7, 0.97)
            session_id = identifier_at(generator("visit", self.person_id.hex, start), start)
            self._add(
                ended, QdKind.SESSION, QdSource.RULES, final, round(sure, 2), attention=round(attention, 3),
                session_id=session_id,
            )  # fmt: skip
            _, _, _, at_end, _, _, score, engagement, valence, looked, confidence, _ = self.points[-1]
            parts = (at_end, score, engagement, valence, looked, confidence)
            began = _EPOCH + timedelta(milliseconds=start)
            self.visits.append(Measured(session_id, began, at_end, touch.minutes, parts))
            clock = ended
        return clock

    def _decay(self, clock: int, until: int, step: int, floor: float, factor: float) -> None:
        """Let the score sink towards its floor until the next event. This makes nearly all points, so it is plain."""
        low = min(floor, self._score)
        above = self._score - low
        random, tenant_id, person_id, append = self.random, self.tenant_id, self.person_id, self.points.append
        valence, sure = round(self._valence, 3), self._confidence
        kind, source = QdKind.PROFILE.name, QdSource.RULES.name
        moment, stride = _EPOCH + timedelta(milliseconds=clock), timedelta(milliseconds=step)
        for at in range(clock + step, until - _MINUTE, step):
            above *= factor
            moment += stride
            score = round(low + above, 1)
            append(
                (
                    tenant_id, identifier_at(random, at), person_id, moment, kind, source, score,
                    round(score * 0.0098, 3), valence, None, sure, None,
                )
            )  # fmt: skip
        self._score = low + above

    def _add(
        self, at: int, kind: QdKind, source: QdSource, score: float, sure: float, *, attention: float | None = None,
        session_id: UUID | None = None,
    ) -> None:  # fmt: skip
        shown = round(score, 1)
        moment = _EPOCH + timedelta(milliseconds=at)
        self.points.append(
            (
                self.tenant_id, identifier_at(self.random, at), self.person_id, moment, kind.name, source.name, shown,
                round(shown * 0.0098, 3), round(self._valence, 3), attention, sure, session_id,
            )
        )  # fmt: skip


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)

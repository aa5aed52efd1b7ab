"""One packet after the other: how a face moves the averages, and they the score.

All smoothing is continuous in time: a signal is taken as a line between two packets, and each average follows it by the
exact solution of `τ·y' = x - y`. So it hardly matters how often a face is sampled, or which packets were lost.
"""

from __future__ import annotations

from math import exp
from typing import Final

from domain.qd.packets import Packet
from domain.qd.scores import Reading
from domain.qd.signals import Signals, share, signals
from domain.qd.state import QdState

FASTEST: Final = 4.0
"""How many points a second the score moves at most."""

BRIDGE: Final = 1.0
"""Seconds without a face, or without packets, that are bridged by a line. After longer ones nothing is assumed."""

LEAVES: Final = 4.0
"""Seconds after which a face that is not seen has left: the confidence is 0."""

STILL_FROM, STILL_TO = 10.0, 20.0
"""Seconds without any movement after which doubt begins, and after which it is certain that this is no living face."""
MOVEMENT: Final = 0.1
"""How far a part of the face goes from where it was for a movement. A camera's noise does not reach it."""

LID_SECONDS: Final = 0.6
ATTENTION_SECONDS: Final = 5.0
FEELING_SECONDS: Final = 4.0
MOVEMENT_SECONDS: Final = 8.0
SCORE_SECONDS: Final = 6.0
COVERAGE_SECONDS: Final = 3.0

SHUT: Final = 0.4
"""Above this closure nobody can tell where eyes look: a blink is bridged, and in closed eyes the last look holds."""

PROXY_TRUST: Final = 0.6
"""What a reading from landmarks is worth beside one from blend shapes."""

CERTAIN: Final = 0.5
"""The confidence that a peak needs."""

_GAIN: Final = 1.5
_EYES_ON, _EYES_OFF = 0.35, 0.80
_HALF: Final = 0.5
_LIVELY: Final = 0.01
"""The variance of a face's movements that counts as half of the most."""


class Stream:
    """A session's scoring while a batch is read: the state, unpacked."""

    __slots__ = (
        "_at", "_averages", "_blink", "_coverage", "_engaged", "_gaze", "_inputs", "_moved", "_packets", "_peak",
        "_score", "_seconds", "_still", "_sums", "_trust", "_unseen", "_wanted",
    )  # fmt: skip

    def __init__(self, state: QdState) -> None:
        self._at, self._unseen, self._still = state.at, state.unseen, state.still
        self._coverage, self._gaze, self._blink, self._trust = state.coverage, state.gaze, state.blink, state.trust
        self._inputs, self._averages, self._moved = state.inputs, state.averages, state.moved
        self._score, self._wanted, self._seconds, self._sums = state.score, state.wanted, state.seconds, state.sums
        self._packets = state.packets
        self._peak = (state.peak, state.peak_at, state.peak_video_ms)
        self._engaged = self._engagement()

    def state(self) -> QdState:
        """Return the state after what was taken."""
        return QdState(
            self._at, self._unseen, self._still, self._coverage, self._gaze, self._blink, self._trust, self._inputs,
            self._averages, self._moved, self._score, self._wanted, self._seconds, self._sums, self._packets,
            *self._peak,
        )  # fmt: skip

    def take(self, packet: Packet) -> Reading:
        """Score one packet."""
        now = packet.at.timestamp()
        step = 0.0 if self._at is None or now <= self._at else now - self._at
        self._at = now
        self._packets += 1
        self._unseen += step
        if self._unseen >= LEAVES:
            self._coverage = 0.0
        face = signals(packet)
        fading = exp(-step / COVERAGE_SECONDS)
        if face is None:
            self._coverage *= fading
        else:
            self._coverage = 1 - (1 - self._coverage) * fading if step <= BRIDGE else self._coverage * fading
            self._see(face, step)
            self._trust = PROXY_TRUST if packet.blend_shapes is None else 1.0
        return self._reading(packet, step, face=face is not None)

    def _see(self, face: Signals, step: float) -> None:
        """Let the averages follow a face, and the score follow them."""
        bridged = self._unseen if self._unseen <= BRIDGE else 0.0
        self._unseen = 0.0
        lids, attention, valence, activation, smile, frown, brows, jaw, squares = self._averages
        shut0, looking0, feeling0, lively0, smile0, frown0, brows0, jaw0, squares0 = self._inputs
        shut1, feeling1, lively1 = face.closure, feeling(face), liveliness(face)
        smile1, frown1, brows1, jaw1 = face.smile, face.frown, face.raised, face.jaw
        squares1 = smile1 * smile1 + frown1 * frown1 + brows1 * brows1 + jaw1 * jaw1
        if bridged > 0:
            kept, lag = _weights(bridged / LID_SECONDS)
            lids = shut1 + (lids - shut0) * kept - (shut1 - shut0) * lag
            kept, lag = _weights(bridged / FEELING_SECONDS)
            valence = feeling1 + (valence - feeling0) * kept - (feeling1 - feeling0) * lag
            activation = lively1 + (activation - lively0) * kept - (lively1 - lively0) * lag
            kept, lag = _weights(bridged / MOVEMENT_SECONDS)
            smile = smile1 + (smile - smile0) * kept - (smile1 - smile0) * lag
            frown = frown1 + (frown - frown0) * kept - (frown1 - frown0) * lag
            brows = brows1 + (brows - brows0) * kept - (brows1 - brows0) * lag
            jaw = jaw1 + (jaw - jaw0) * kept - (jaw1 - jaw0) * lag
            squares = squares1 + (squares - squares0) * kept - (squares1 - squares0) * lag
        looking1, attention = self._look(face, bridged, lids, looking0, attention)
        self._inputs = (shut1, looking1, feeling1, lively1, smile1, frown1, brows1, jaw1, squares1)
        self._averages = (lids, attention, valence, activation, smile, frown, brows, jaw, squares)
        self._watch_for_life(bridged, (shut1, looking1, feeling1, lively1))
        self._engaged = self._engagement()
        self._follow(qd(attention, valence, self._engaged), step if step <= BRIDGE else 0.0)

    def _look(
        self, face: Signals, bridged: float, lids: float, looking: float, attention: float
    ) -> tuple[float, float]:
        """Return how much a face looks on, and the average of that. A blink waits until the eyes are open again.

        A blink does not fill the average of the lids by half; eyes that stay shut do.
        """
        self._blink += bridged
        if face.closure > SHUT and lids < _HALF:
            return looking, attention
        if face.closure <= SHUT:
            self._gaze = 1 - share(face.away, _EYES_ON, _EYES_OFF)
        now = self._gaze * (1 - face.turn) * (1 - share(lids, _HALF, 1.0))
        if self._blink > 0:
            kept, lag = _weights(self._blink / ATTENTION_SECONDS)
            attention = now + (attention - looking) * kept - (now - looking) * lag
        self._blink = 0.0
        return now, attention

    def _watch_for_life(self, seconds: float, now: tuple[float, float, float, float]) -> None:
        self._still += seconds
        shut, looking, feeling, lively = self._moved
        if (
            abs(now[0] - shut) > MOVEMENT
            or abs(now[1] - looking) > MOVEMENT
            or abs(now[2] - feeling) > MOVEMENT
            or abs(now[3] - lively) > MOVEMENT
        ):
            self._moved, self._still = now, 0.0

    def _follow(self, wanted: float, seconds: float) -> None:
        """Move the score towards where it should be, and never faster than is allowed."""
        most = FASTEST * seconds
        move = ((wanted + self._wanted) / 2 - self._score) * (1 - exp(-seconds / SCORE_SECONDS))
        self._score += max(-most, min(most, move))
        self._wanted = wanted

    def _engagement(self) -> float:
        """How much an attentive face takes part: 0.35 for looking on, the rest for expression and for movement."""
        _, attention, _, activation, smile, frown, brows, jaw, squares = self._averages
        variance = max(0.0, squares - smile * smile - frown * frown - brows * brows - jaw * jaw)
        return attention * (0.35 + 0.40 * activation + 0.25 * variance / (variance + _LIVELY))

    def _reading(self, packet: Packet, step: float, *, face: bool) -> Reading:
        _, attention, valence, *_ = self._averages
        engagement = self._engaged
        presence = max(0.0, 1 - self._unseen / LEAVES)
        alive = 1 - share(self._still, STILL_FROM, STILL_TO)
        confidence = self._coverage * presence * alive * self._trust
        weight = confidence * min(step, BRIDGE)
        sure, score, attended, felt, engaged = self._sums
        self._sums = (
            sure + weight, score + weight * self._score, attended + weight * attention, felt + weight * valence,
            engaged + weight * engagement,
        )  # fmt: skip
        self._seconds += min(step, LEAVES)
        if confidence >= CERTAIN and (self._peak[0] is None or self._score > self._peak[0]):
            self._peak = (self._score, self._at, packet.video_ms)
        return Reading(packet.at, packet.video_ms, self._score, attention, valence, engagement, confidence, face)


def qd(attention: float, valence: float, engagement: float) -> float:
    """Return the score, 1 to 100, that these parts make. Pleasure counts as far as there is attention."""
    return 1 + 99 * (0.35 * attention + 0.40 * engagement + 0.25 * attention * (1 + valence) / 2)


def feeling(face: Signals) -> float:
    """Return the valence of one face, -1 to 1: smiling and raised cheeks against frown, lowered brows and sneer."""
    glad = 0.75 * face.smile + 0.25 * face.cheek
    sad = 0.45 * face.frown + 0.35 * face.lower + 0.20 * face.sneer
    return max(-1.0, min(1.0, _GAIN * (glad - sad)))


def liveliness(face: Signals) -> float:
    """Return how expressive one face is, 0 to 1: none of its signs alone is needed, and each adds to the others."""
    return 1 - (1 - face.smile) * (1 - face.raised) * (1 - face.wide) * (1 - face.jaw / 2)


def _weights(steps: float) -> tuple[float, float]:
    """Return what an average keeps of its distance after so many time constants, and how far it lags behind a line."""
    kept = exp(-steps)
    return kept, (1 - kept) / steps

"""Who may be the same person: a phone number or an e-mail address in common is evidence, a like name only suggests it.

| Evidence | When                                    | Score                                               |
| PHONE    | the same E.164 number                   | 1.00                                                |
| EMAIL    | the same address, whatever its case     | 0.95                                                |
| NAME     | names at least 0.85 alike (people.names)| 0.80 of the likeness; 0.60 if their cities differ   |

The highest score counts. Whoever may not see how to reach the other is told what the names say and no more: the rest
would tell whose a masked number is. Nobody is ever merged because of it: couples share phones, and namesakes are many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.people.kinds import DuplicateEvidence
from domain.people.names import name_key, similarity

PHONE_SCORE: Final = 1.0
EMAIL_SCORE: Final = 0.95
NAME_SCORE: Final = 0.8
NAME_SCORE_ELSEWHERE: Final = 0.6
LEAST_LIKENESS: Final = 0.85
MOST_NAMESAKES: Final = 5
"""With how many people of a like name somebody is compared: the newest. A common name says little."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a person is recognised by: `phone` is E.164, `email` normalised; `own` whether the caller may see both."""

    id: UUID
    full_name: str
    phone: str | None = None
    email: str | None = None
    city: str | None = None
    own: bool = True

    @property
    def name_key(self) -> str:
        """What like names have in common; "" for a name that says nothing."""
        return name_key(self.full_name)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Somebody who may be the same person: how sure (0 to 1), and why, the strongest evidence first.

    `name_score` is how sure the names alone make it, None where they say nothing.
    """

    other_id: UUID
    score: float
    evidence: tuple[DuplicateEvidence, ...]
    name_score: float | None = None

    def by_name(self) -> Duplicate | None:
        """What is left of this without contact details."""
        if self.name_score is None:
            return None
        return Duplicate(self.other_id, self.name_score, (DuplicateEvidence.NAME,), self.name_score)


def compared(person: Identity, other: Identity) -> Duplicate | None:
    """Return what speaks for these two being one, or None."""
    scores: dict[DuplicateEvidence, float] = {}
    if person.phone is not None and person.phone == other.phone:
        scores[DuplicateEvidence.PHONE] = PHONE_SCORE
    if person.email is not None and person.email == other.email:
        scores[DuplicateEvidence.EMAIL] = EMAIL_SCORE
    likeness = similarity(person.full_name, other.full_name)
    # A name of one part is everybody's.
    if likeness >= LEAST_LIKENESS and " " in person.full_name and " " in other.full_name:
        elsewhere = person.city is not None and other.city is not None and not _same(person.city, other.city)
        scores[DuplicateEvidence.NAME] = round((NAME_SCORE_ELSEWHERE if elsewhere else NAME_SCORE) * likeness, 3)
    if not scores:
        return None
    return Duplicate(other.id, max(scores.values()), tuple(scores), scores.get(DuplicateEvidence.NAME))


def found(person: Identity, candidates: list[Identity]) -> tuple[Duplicate, ...]:
    """Return who of the candidates may be this person, the surest first."""
    duplicates = [
        duplicate
        for candidate in candidates
        if candidate.id != person.id and (duplicate := compared(person, candidate)) is not None
    ]
    return _surest_first(duplicates)


def shown(duplicates: Sequence[Duplicate], candidates: Sequence[Identity]) -> tuple[Duplicate, ...]:
    """Return what the caller is told of the duplicates among these candidates."""
    own = {candidate.id for candidate in candidates if candidate.own}
    told = [each if each.other_id in own else each.by_name() for each in duplicates]
    return _surest_first(each for each in told if each is not None)


def _surest_first(duplicates: Iterable[Duplicate]) -> tuple[Duplicate, ...]:
    return tuple(sorted(duplicates, key=lambda each: (-each.score, each.other_id)))


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()

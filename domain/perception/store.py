"""The port that keeps sessions and scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from domain.perception.scores import Score

if TYPE_CHECKING:
    from domain import qd
    from domain.perception.batches import Batch, Ingested
    from domain.perception.refining import RefinedBy, Scored
    from domain.perception.sessions import Outcome, Session, Watched


class PerceptionStore(Protocol):
    """Sessions and scores of the unit's tenant."""

    async def add_scores(self, scores: Sequence[Score]) -> None:
        """Store scores, and keep the newest of each source with its person; raises NotFound for an unknown person."""

    async def keep_newest(self, person_id: UUID) -> None:
        """Keep with a person the newest of the scores that are left."""

    async def add_session(self, session: Session) -> None:
        """Store a session that begins."""

    async def session_for_update(self, session_id: UUID) -> Session:
        """Return a session that the caller may see, with its consent, and lock it.

        Raises NotFound naming `sessionId`.
        """

    async def watched(self, session_id: UUID, before: int | None = None) -> Watched:
        """Return a session as `session_for_update` does, with what scoring needs: its memory and its video's scenes.

        `before` is the number of the batch that is to come: where the one before it was the last that was taken here,
        the session need not be read, since what is written checks whether it is still so.
        """

    async def batch(self, session_id: UUID, sequence: int) -> Ingested | None:
        """Return what a batch was answered, None where it was never accepted."""

    async def ingest(self, batch: Batch) -> None:
        """Store the scores of a batch, what it was answered, and how far its session is, in one statement."""

    async def finish(self, session: Session, outcome: Outcome) -> None:
        """Store that a session has ended and forget what scoring needed; a visitor's final score joins the others."""

    async def scored(self, session_id: UUID) -> Scored:
        """Return a session, locked, with what the rules came to; raises NotFound."""

    async def hold_off_erasures(self) -> None:
        """Let no erasure begin until the unit ends; called before anything is locked that an erasure changes."""

    async def refine(self, session: Session, reading: qd.Reading, by: RefinedBy) -> None:
        """Store what a model made of a session; a visitor's score joins the others."""

    async def stop(self, consent_ids: Sequence[UUID], now: datetime) -> list[UUID]:
        """Stop every running session that rests on these consents; return which."""

    async def began_before(self, consent_id: UUID, moment: datetime) -> bool:
        """Whether a session of a consent that began before a moment still keeps what was measured."""

    async def heard_since(self, session: Session, moment: datetime) -> bool:
        """Whether a session has begun, or a batch of it has come, after a moment."""

    async def match(self, session: Session, person_id: UUID) -> None:
        """Store who the visitor of a session was: the session, its scores and its consent become the person's."""

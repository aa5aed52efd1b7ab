"""Writes down what happens with one person: interactions, facts, objections, and the marks they leave on a QD curve."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from app.demo import history
from app.demo.chance import between, identifier, likely, pick
from app.demo.people import Person
from app.demo.team import User
from app.demo.voice import Spoken
from app.demo.words.pools import Saying
from app.demo.world import World
from domain.access import Actor
from domain.interactions import Direction, InteractionKind
from domain.people import FactKind, FactSource
from domain.perception import ConsentPurpose
from domain.threads import MessageKind

_SUMMARY_LENGTH: Final = 160
_CHATTY_AUDIT: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Touch:
    """A dated event that moves a QD curve by `gain`. A visit that was measured lasts `minutes` and has a SESSION."""

    at: datetime
    gain: float
    valence: float
    strong: bool = False
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    id: UUID
    interaction_id: UUID
    at: datetime
    inbound: bool
    kind: MessageKind
    text: str | None
    author: User | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote that a proposal may rest on."""

    interaction_id: UUID
    quote: str
    saying: Saying
    learned: str
    at: datetime
    filed: bool
    """Whether a fact was made of it by a model, and approved."""


@dataclass(slots=True)
class Diary:
    """Everything of one person. Each method returns the interaction's id, or None where it lies in the future."""

    world: World
    person: Person
    random: Random
    messages: list[Message] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    open_tasks: list[tuple[datetime, UUID, str]] = field(default_factory=list)
    last_contact: datetime | None = None
    answered_at: datetime | None = None
    visited_at: datetime | None = None
    unanswered: list[datetime] = field(default_factory=list)
    measurements: dict[ConsentPurpose, list[tuple[datetime, User]]] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def message(
        self, at: datetime, author: User | None, text: str | None, kind: MessageKind = MessageKind.TEXT, label: str = ""
    ) -> UUID | None:
        """Note a message of the thread; without an author it is the person's. `label` stands in for missing text."""
        if at >= self.world.now:
            return None
        interaction_id = identifier(self.random, at)
        message = Message(identifier(self.random, at), interaction_id, at, author is None, kind, text, author)
        self.messages.append(message)
        summary = text or label
        if len(summary) > _SUMMARY_LENGTH:
            summary = f"{summary[: _SUMMARY_LENGTH - 3]}..."
        self._interaction(interaction_id, InteractionKind.MESSAGE, at, author, summary, thread_message_id=message.id)
        return interaction_id

    def call(self, at: datetime, caller: User, summary: str, seconds: int, *, inbound: bool = False) -> UUID | None:
        if at >= self.world.now:
            return None
        interaction_id = identifier(self.random, at)
        self._interaction(
            interaction_id, InteractionKind.CALL, at, caller, summary, inbound=inbound, duration_seconds=seconds
        )
        return interaction_id

    def email(self, at: datetime, author: User | None, subject: str, body: str, summary: str) -> UUID | None:
        if at >= self.world.now:
            return None
        interaction_id = identifier(self.random, at)
        self._interaction(
            interaction_id, InteractionKind.EMAIL, at, author, summary, email_subject=subject, email_body=body
        )
        return interaction_id

    def visit(self, at: datetime, host: User, property_id: UUID, summary: str) -> UUID | None:
        if at >= self.world.now:
            return None
        interaction_id = identifier(self.random, at)
        self._interaction(
            interaction_id, InteractionKind.VISIT, at, host, summary, inbound=True, property_id=property_id
        )
        return interaction_id

    def note(self, at: datetime, author: User, text: str) -> UUID | None:
        if at >= self.world.now:
            return None
        interaction_id = identifier(self.random, at)
        summary = text if len(text) <= _SUMMARY_LENGTH else f"{text[: _SUMMARY_LENGTH - 3]}..."
        self._interaction(interaction_id, InteractionKind.NOTE, at, author, summary, text=text)
        return interaction_id

    def touch(self, at: datetime, gain: float, valence: float, *, strong: bool = False, minutes: int = 0) -> None:
        """Let the curve react to something that happened at `at`."""
        if at < self.world.now:
            self.touches.append(Touch(at, gain, valence, strong, minutes))

    def fact(
        self, at: datetime, interaction_id: UUID, saying: Saying, learned: str, spoken: Spoken,
        *, budget: tuple[Decimal, str],
    ) -> None:  # fmt: skip
        """Note what was learned from something said, with the words that prove it."""
        if spoken.quote is None:
            raise ValueError(f"nothing is quoted in {spoken.text!r}")
        if not likely(self.random, 0.82):
            self.evidence.append(Evidence(interaction_id, spoken.quote, saying, learned, at, filed=False))
            return
        extracted_at = min(at + timedelta(minutes=between(self.random, 1, 40)), self.world.now)
        by_person = likely(self.random, 0.15)
        if not by_person:
            self.evidence.append(Evidence(interaction_id, spoken.quote, saying, learned, at, filed=True))
        amount, currency = budget if saying.kind is FactKind.BUDGET else (None, None)
        self.world.batch.add(
            "facts", id=identifier(self.random, extracted_at), person_id=self.person.id,
            interaction_id=interaction_id, kind=saying.kind.name, text=learned, quote=spoken.quote,
            confidence=1.0 if by_person else round(between(self.random, 0.58, 0.97), 2),
            source=(FactSource.PERSON if by_person else FactSource.MODEL).name, amount_amount=amount,
            amount_currency=currency, extracted_at=extracted_at, created_at=extracted_at, updated_at=extracted_at,
        )  # fmt: skip

    def news(self, among: Sequence[Saying], *, in_india: bool, villa: bool) -> Saying:
        """Return something that suits and, if there is any such thing left, that the person has not said before."""
        suited = [saying for saying in among if saying.suits(in_india=in_india, villa=villa)]
        fresh = [saying for saying in suited if saying.learned not in self._said]
        saying = pick(self.random, fresh or suited)
        self._said.add(saying.learned)
        return saying

    def measured(self, at: datetime, purpose: ConsentPurpose, by: User) -> None:
        """Note that something needed a consent at that moment; the earliest is when it was asked for, by whom."""
        if at < self.world.now:
            self.measurements.setdefault(purpose, []).append((at, by))

    def _interaction(
        self, interaction_id: UUID, kind: InteractionKind, at: datetime, author: User | None, summary: str,
        *, inbound: bool = False, **details: object,
    ) -> None:  # fmt: skip
        direction = None
        if kind is not InteractionKind.NOTE:
            direction = (Direction.INBOUND if inbound or author is None else Direction.OUTBOUND).name
        self.world.batch.add(
            "interactions", id=interaction_id, kind=kind.name, person_id=self.person.id, direction=direction,
            summary=summary, occurred_at=at, author_noun=author and "users", author_id=author and author.id,
            created_at=at, **details,
        )  # fmt: skip
        self.world.pace.interactions += 1
        self._remember_contact(kind, at, direction)
        if kind is InteractionKind.MESSAGE and at < self.world.now - _CHATTY_AUDIT:
            return
        actor = Actor("users", author.id) if author else Actor("system_actors", self.world.firm.robot)
        self.world.recent.note(at, actor, history.interaction_logged(interaction_id, self.person.id, kind.name))

    def _remember_contact(self, kind: InteractionKind, at: datetime, direction: str | None) -> None:
        """Keep what the next best action asks: a note is no contact; a call, a visit or our word is an answer."""
        if kind is InteractionKind.NOTE:
            return
        self.last_contact = max(at, self.last_contact or at)
        if direction == Direction.OUTBOUND.name or kind in {InteractionKind.CALL, InteractionKind.VISIT}:
            self.answered_at = max(at, self.answered_at or at)
            if kind is InteractionKind.VISIT:
                self.visited_at = max(at, self.visited_at or at)
        else:
            self.unanswered.append(at)

"""Tells the story of one lead: what happened between its stages, in the order in which it happened."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from app.demo.calls import Telephone
from app.demo.chance import at_local_hour, between, days, likely, pick, whole
from app.demo.conversations import Chat
from app.demo.details import Details, Search, lasting
from app.demo.diary import Diary
from app.demo.pipeline import LeadPlan
from app.demo.team import User
from app.demo.voice import Voice
from app.demo.words import letters, visits
from domain.leads import LeadSource, LeadStage
from domain.perception import ConsentPurpose

_VISIT_HOURS: Final = (10.5, 11, 11.5, 12, 15.5, 16, 16.5, 17)
_LAST_HOUR: Final = 20.2
_FIRST_HOUR: Final = 9.0


class Calendar:
    """One person's days: unhurried things happen on days of their own, in waking hours."""

    def __init__(self, now: datetime) -> None:
        self._taken: set[int] = set()
        self._now = now

    def take(self, wanted: datetime, hour: float, offset: timedelta) -> datetime:
        """Return `hour` on the local day of `wanted`, or of the next day on which nothing happens yet."""
        at = at_local_hour(wanted, hour, offset)
        while at.toordinal() in self._taken and at < self._now:
            at += days(1)
        self._taken.add(at.toordinal())
        return at


class LeadStory:
    """Tells one lead. `tell` writes its interactions; the lead's own row is app/demo/deals.py's.

    `visit_at` is the first visit once it is arranged, which may still lie ahead.
    """

    def __init__(self, diary: Diary, plan: LeadPlan, calendar: Calendar, adviser: str, referrer: str) -> None:
        self.plan, self._diary, self._calendar = plan, diary, calendar
        self._random, self._world = diary.random, diary.world
        self.visit_at: datetime | None = None
        broker = plan.assignee or plan.team.senior
        self.search = Search(
            plan.person, plan.household, broker, self._superior(broker), self._world.firm.plan.name,
            plan.unit, plan.other, plan.budget, adviser, referrer,
        )  # fmt: skip
        city = self.search.city
        self._offset = city.offset
        details = Details(self._random, lasting(self._random, self.search), plan.created_at, city.offset)
        self.voice = Voice(self._random, self._world.ledger, details, in_india=city.in_india, villa=plan.unit.villa)
        self._chat = Chat(diary, self.voice, self.search)
        self._telephone = Telephone(diary, self.voice, self.search)

    def tell(self) -> None:
        """Write everything from the first message to the last."""
        moves = self.plan.moves
        self._begin(moves[0].at)
        for index, move in enumerate(moves[1:], start=1):
            until = moves[index + 1].at if index + 1 < len(moves) else self._open_end(move.at)
            self._enter(move.stage, move.at)
            self._between(move.stage, self.visit_at or move.at, until)

    def _superior(self, broker: User) -> User:
        team = self.plan.team
        return team.senior if broker is not team.senior else self._world.firm.users[1]

    def _open_end(self, since: datetime) -> datetime:
        """Return until when a lead that moves no further is still being talked to."""
        if self.plan.stage is LeadStage.LOST:
            return since
        most = days(60 if self.plan.stage is LeadStage.WON else 40)
        return min(self._world.now, since + most)

    def _begin(self, at: datetime) -> None:
        diary, plan = self._diary, self.plan
        if plan.source is LeadSource.WALK_IN and plan.assignee:
            diary.note(at + timedelta(minutes=6), plan.assignee, self.voice.fill(letters.NOTES))
        self._chat.opening(at, plan.source)

    def _enter(self, stage: LeadStage, at: datetime) -> None:
        """Tell what brings a lead into a stage."""
        if stage is LeadStage.CONTACTED:
            self._chat.first_reply(at)
            if likely(self._random, 0.12):
                self._letter("brochure", at + timedelta(hours=2))
        elif stage is LeadStage.QUALIFIED:
            self._qualify(at)
        elif stage is LeadStage.VISIT:
            self._visit(at)
        elif stage is LeadStage.NEGOTIATION:
            self._negotiate(at)
        elif stage is LeadStage.WON:
            self._chat.booking(at)
            self._letter("booking", at + timedelta(hours=3))
        elif self.plan.lost_reason is not None:
            self._chat.goodbye(at - timedelta(hours=1), self.plan.lost_reason)

    def _qualify(self, at: datetime) -> None:
        if likely(self._random, 0.72):
            self._telephone.qualifying(at - timedelta(minutes=20))
        else:
            self._chat.questions(at - timedelta(hours=2))
        if likely(self._random, 0.6):
            self._letter("cost_sheet" if likely(self._random, 0.5) else "brochure", at + timedelta(hours=2))

    def _visit(self, at: datetime) -> None:
        """Arrange a visit for one of the next days; now and then a second one with the family follows."""
        day = at + days(whole(self._random, 1, 2))
        self.visit_at = at_local_hour(day, pick(self._random, _VISIT_HOURS), self._offset)
        self._chat.arrangement(at - timedelta(minutes=30), self.visit_at)
        self._see(self.visit_at)
        if likely(self._random, 0.22):
            again = self._calendar.take(self.visit_at + days(between(self._random, 3, 9)), 11.5, self._offset)
            if again < self._next_after(at):
                self._see(again)

    def _see(self, at: datetime) -> None:
        diary, search = self._diary, self.search
        if at >= self._world.now:
            return
        if likely(self._random, 0.6):
            self._chat.arrival(at)
        minutes = whole(self._random, 35, 80)
        measured = likely(self._random, 0.62)
        if measured:
            diary.measured(at, ConsentPurpose.SHOWROOM_ENGAGEMENT, search.broker)
        self.voice.details.begin(at)
        diary.visit(at, search.broker, self.plan.unit.id, self.voice.fill(visits.VISIT_SUMMARIES))
        liked = likely(self._random, 0.72)
        gain = between(self._random, 12, 22) if liked else between(self._random, 3, 9)
        diary.touch(at, gain, 0.7 if liked else -0.1, strong=True, minutes=minutes if measured else 0)
        if likely(self._random, 0.5):
            diary.note(at + timedelta(minutes=minutes + 20), search.broker, self.voice.fill(letters.NOTES))
        if likely(self._random, 0.85):
            self._chat.afterwards(at + timedelta(hours=between(self._random, 3, 5)), liked=liked)

    def _negotiate(self, at: datetime) -> None:
        if likely(self._random, 0.3):
            self._letter("offer", at - timedelta(hours=1))
            self._diary.touch(at - timedelta(hours=1), between(self._random, 8, 14), 0.5, strong=True)
        else:
            self._chat.offer(at - timedelta(hours=1))
        if likely(self._random, 0.75):
            self._telephone.bargaining(at + timedelta(hours=between(self._random, 2, 3)))

    def _next_after(self, at: datetime) -> datetime:
        return next((move.at for move in self.plan.moves if move.at > at), self._world.now)

    def _between(self, stage: LeadStage, since: datetime, until: datetime) -> None:
        """Fill the time after a stage with what suits it, on days of their own."""
        if stage is LeadStage.LOST:
            return
        talk = self._world.pace.talk
        count = min(9, int(_USUAL[stage] * talk * between(self._random, 0.4, 1.6) + self._random.random()))
        span = until - since
        for wanted in sorted(since + days(0.8) + span * self._random.random() for _ in range(count)):
            at = self._calendar.take(wanted, between(self._random, _FIRST_HOUR, _LAST_HOUR), self._offset)
            if at >= until or at <= since:
                continue
            self._occasion(stage)(at)

    def _occasion(self, stage: LeadStage) -> Callable[[datetime], object]:
        """Return something that may happen in a stage."""
        chat, telephone = self._chat, self._telephone
        call = telephone.check_in
        occasions: dict[LeadStage, tuple[Callable[[datetime], object], ...]] = {
            LeadStage.CONTACTED: (chat.questions, chat.nudge, chat.questions, call, self._note),
            LeadStage.QUALIFIED: (chat.questions, chat.questions, chat.nudge, call, self._cost_sheet, self._note),
            LeadStage.VISIT: (chat.family, chat.questions, call, self._cost_sheet, self._note),
            LeadStage.NEGOTIATION: (chat.offer, chat.family, telephone.bargaining, chat.questions, self._note),
            LeadStage.WON: (chat.aftercare, chat.aftercare, self._note),
        }
        return pick(self._random, occasions[stage])

    def _note(self, at: datetime) -> None:
        self.voice.details.begin(at)
        self._diary.note(at, self.search.broker, self.voice.fill(letters.NOTES))

    def _cost_sheet(self, at: datetime) -> None:
        self._letter("cost_sheet", at)

    def _letter(self, kind: str, at: datetime) -> None:
        """Send an e-mail; an offer comes from the client."""
        self.voice.details.begin(at)
        fill = self.voice.fill
        author = None if kind == "offer" else self.search.broker
        self._diary.email(
            at, author, fill(letters.EMAIL_SUBJECTS[kind]), fill(letters.EMAIL_BODIES[kind]),
            fill(letters.EMAIL_SUMMARIES[kind]),
        )  # fmt: skip


_USUAL: Final = {
    LeadStage.CONTACTED: 1.1,
    LeadStage.QUALIFIED: 1.4,
    LeadStage.VISIT: 1.4,
    LeadStage.NEGOTIATION: 1.8,
    LeadStage.WON: 2.0,
}

"""Proposals: what a model and an import would change, some still to be decided, and people entered twice."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from app.demo import history
from app.demo.chance import between, days, generator, identifier, likely, pick, weighted
from app.demo.diary import Diary, Evidence
from app.demo.people import Person
from app.demo.pipeline import LeadPlan
from app.demo.portrait import add_person
from app.demo.team import Firm
from app.demo.world import World
from domain.access import Actor, Role
from domain.jobs import MOST_ATTEMPTS, InferenceTask, JobKind, JobStatus, payload_hash, payload_text
from domain.people import FactKind
from domain.proposals import ProposalKind, ProposalSourceKind, ProposalStatus

_MODEL: Final = "qwen2.5-32b-instruct"
_PROMPT: Final = {ProposalKind.LEAD_TAG: "lead_tagger/1", ProposalKind.FACT: "facts/5"}
_TAG_OF: Final = {FactKind.BUDGET: "cash", FactKind.TIMELINE: "urgent", FactKind.PREFERENCE: "end-use"}
_STATUSES: Final = (
    (ProposalStatus.PENDING, 50),
    (ProposalStatus.APPROVED, 30),
    (ProposalStatus.REJECTED, 14),
    (ProposalStatus.EXPIRED, 6),
)
_CHANCE: Final = 0.12
_NOBODY_THERE: Final = 0.2
_REACH: Final = 28
"""Only evidence of the last so many days is proposed upon."""


@dataclass(frozen=True, slots=True)
class _Suggestion:
    """What is proposed; `done` says whether it is so already, as it is once somebody has approved it."""

    kind: ProposalKind
    source: ProposalSourceKind
    subject: Actor | None
    changes: list[dict[str, object]]
    reason: str
    evidence: list[dict[str, str]]
    done: bool = False
    asked_by: Actor | None = None
    """Who had a model look for it; in a job, where the product has one for that."""


def suggest(diary: Diary, plans: list[LeadPlan]) -> None:
    """Turn some of what a person said lately into proposals about their latest lead or themselves."""
    world = diary.world
    random = generator(world.firm.plan.slug, "suggestion", diary.person.id)
    fresh = [item for item in diary.evidence if item.at > world.now - days(_REACH)]
    if not plans or not fresh or not likely(random, _CHANCE if world.pace.people > _EARLY else 1.0):
        return
    evidence = pick(random, fresh)
    at = min(world.now, evidence.at + days(between(random, 0.01, 0.6)))
    _write(world, random, at, _tag(plans[-1], evidence) if likely(random, 0.5) else _fact(diary.person, evidence))


_EARLY: Final = 40
"""The first people always get a proposal, so that the smallest seed has some."""


def _quotes(evidence: Evidence) -> list[dict[str, str]]:
    return [{"text": evidence.quote, "interaction_id": str(evidence.interaction_id)}]


def _tag(plan: LeadPlan, evidence: Evidence) -> _Suggestion:
    tag = _TAG_OF.get(evidence.saying.kind, "loan")
    others = [each for each in plan.tags if each != tag]
    return _Suggestion(
        ProposalKind.LEAD_TAG, ProposalSourceKind.MODEL, Actor("leads", plan.id),
        [{"field": "tags", "before": others, "after": [*others, tag]}], f"The client said so: {evidence.learned}",
        _quotes(evidence), done=tag in plan.tags, asked_by=Actor("users", plan.assignee.id) if plan.assignee else None,
    )  # fmt: skip


def _fact(person: Person, evidence: Evidence) -> _Suggestion:
    kind = evidence.saying.kind.name
    return _Suggestion(
        ProposalKind.FACT, ProposalSourceKind.MODEL, Actor("people", person.id),
        [{"field": "fact", "before": None, "after": {"kind": kind, "text": evidence.learned}}],
        f"Heard in a conversation: {evidence.learned}", _quotes(evidence), done=evidence.filed,
    )  # fmt: skip


def _write(world: World, random: Random, at: datetime, suggestion: _Suggestion) -> None:
    drawn = weighted(random, _STATUSES)
    # What was approved is so, and what is not so yet was not approved.
    other = ProposalStatus.PENDING if drawn is ProposalStatus.APPROVED else drawn
    status = ProposalStatus.APPROVED if suggestion.done else other
    proposal_id = identifier(random, at)
    decided_at = None if status is ProposalStatus.PENDING else min(world.now, at + days(between(random, 0.1, 3)))
    by_person = status in {ProposalStatus.APPROVED, ProposalStatus.REJECTED}
    decider = _decider(random, world.firm) if by_person else None
    by_model = suggestion.source is ProposalSourceKind.MODEL
    job_id = _tagged(world, random, at, suggestion) if suggestion.asked_by else None
    subject = suggestion.subject
    world.batch.add(
        "proposals", id=proposal_id, kind=suggestion.kind.name, status=status.name,
        subject_noun=subject and subject.noun, subject_id=subject and subject.id,
        changes=json.dumps(suggestion.changes), reason=suggestion.reason,
        evidence=json.dumps(suggestion.evidence), source_kind=suggestion.source.name,
        job_id=job_id, model=_MODEL if by_model else None, prompt_version=_PROMPT.get(suggestion.kind), created_at=at,
        decided_at=decided_at, decided_by_noun=decider and "users", decided_by_id=decider and decider.id,
        comment="Not what they meant." if status is ProposalStatus.REJECTED else None,
    )  # fmt: skip
    if decided_at and decider:
        world.recent.note(decided_at, decider, history.proposal_decided(proposal_id, status.name))


def _tagged(world: World, random: Random, at: datetime, suggestion: _Suggestion) -> UUID:
    """Write the job in which a model was asked about a lead; now and then one before it found no model there."""
    if likely(random, _NOBODY_THERE):
        gone = {"error_code": "UNAVAILABLE", "error_message": "No model can answer now. nim: it does not answer."}
        _job(world, random, at - timedelta(minutes=9), suggestion, JobStatus.FAILED, **gone, error_retryable=True)
    return _job(world, random, at, suggestion, JobStatus.SUCCEEDED)


def _job(
    world: World, random: Random, at: datetime, suggestion: _Suggestion, status: JobStatus, **error: object
) -> UUID:
    job_id, begun, asked_by, subject = (
        identifier(random, at),
        at - timedelta(seconds=7),
        suggestion.asked_by,
        suggestion.subject,
    )
    payload = {"leadId": str(subject and subject.id)}
    world.batch.add(
        "jobs", id=job_id, kind=JobKind.INFERENCE.name, status=status.name, task=InferenceTask.LEAD_TAGGER.name,
        priority=0, attempt=3 if error else 1, max_attempts=MOST_ATTEMPTS, turn_at=begun,
        requested_by_noun=asked_by and asked_by.noun, requested_by_id=asked_by and asked_by.id,
        subject_noun=subject and subject.noun, subject_id=subject and subject.id, payload=payload_text(payload),
        payload_hash=payload_hash(payload), model=None if error else _MODEL, submitted_count=1,
        completed_count=0 if error else 1, failed_count=1 if error else 0, created_at=begun, started_at=begun,
        finished_at=at, **error,
    )  # fmt: skip
    return job_id


def _decider(random: Random, firm: Firm) -> Actor:
    user = pick(random, firm.teams).senior if likely(random, 0.6) else firm.user(Role.SALES_DIRECTOR)
    return Actor("users", user.id)


def add_duplicate(world: World, random: Random, person: Person) -> None:
    """Enter a person a second time, as an import does: same phone or same e-mail, the name written otherwise."""
    at = _lately(world, random, person)
    initial = f"{person.given[0]}. {person.family}"
    by_phone = person.email is None or likely(random, 0.6)
    twin = Person(
        identifier(random, at), person.given, person.family, person.woman, person.culture, person.city,
        person.phone if by_phone else world.registry.spare_phone(person.city), None if by_phone else person.email,
        person.contact_type, None, at,
    )  # fmt: skip
    full_name = initial if by_phone else person.full_name
    add_person(world, twin, full_name=full_name)
    before, after = {"id": f"person_{twin.id}"}, {"id": f"person_{person.id}"}
    _write(world, random, at, _Suggestion(
        ProposalKind.MATCH, ProposalSourceKind.IMPORT, Actor("people", twin.id),
        [{"field": "person", "before": before, "after": after}],
        f"Same {'phone number' if by_phone else 'e-mail address'} as {person.full_name}.",
        [{"text": person.phone if by_phone else str(person.email)}],
    ))  # fmt: skip


def import_rows(world: World, person: Person) -> None:
    """Let the list of a fair name a person's city otherwise, and name somebody who is not known."""
    random = generator(world.firm.plan.slug, "import", person.id)
    at = _lately(world, random, person)
    here, name = person.city, f"{pick(random, _GUESTS)} {person.family}"
    there = pick(random, [city for city in world.cities if city is not here] or [here])
    _write(world, random, at, _Suggestion(
        ProposalKind.IMPORT, ProposalSourceKind.IMPORT, Actor("people", person.id),
        [{"field": "city", "before": here.name, "after": there.name}], _LIST,
        [{"text": f"{person.full_name}, {there.name}"}],
    ))  # fmt: skip
    details = {"fullName": name, "phone": world.registry.spare_phone(here), "city": here.name}
    _write(world, random, at, _Suggestion(
        ProposalKind.IMPORT, ProposalSourceKind.IMPORT, None,
        [{"field": field, "before": None, "after": text} for field, text in details.items()], _LIST,
        [{"text": ", ".join(details.values())}],
    ))  # fmt: skip


def _lately(world: World, random: Random, person: Person) -> datetime:
    """Return when something was imported: after the person was known, and not so long ago that nobody decides it."""
    return max(min(world.now, person.created_at + days(between(random, 3, 60))), world.now - days(_REACH))


_LIST: Final = "In the guest list of the property fair."
_GUESTS: Final = ("Asha", "Omar", "Leena", "Rohan", "Farah", "Vikram")

"""Tags that a model reads out of what is known of a lead: proposed, or set at once where the settings allow it.

Nothing is taken on a model's word: a tag is one of the tenant's catalogue, and rests on words that stand where the
model says they do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from domain import leads
from domain.access import Actor
from domain.asking import Asking, everybody, note_answer, question
from domain.inference import InferenceTask
from domain.interactions import Heard
from domain.jobs import Lease, Outcome, RunningJob, Succeeded
from domain.leads import MOST_TAGS, Described, LeadUpdate
from domain.people.facts import Learned
from domain.proposals.kinds import ProposalKind, ProposalSourceKind
from domain.proposals.store import Evidence, FieldChange, Origin, Proposal
from domain.proposals.use_cases import propose, replace_pending
from domain.proposals.wanted import TAGS
from domain.structured import Answer, Identity
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_HEARD: Final = 30
"""How many interactions a model is shown, the newest."""
SHORTEST_QUOTE: Final = 3
"""Letters and digits: less is found anywhere."""
LONGEST_REASON: Final = 2000


@dataclass(frozen=True, slots=True)
class LeadTag:
    """A lead that a model should find tags for."""

    lead_id: UUID


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is known of a lead, and whoever is connected with it."""

    lead: Described
    facts: Sequence[Learned]
    heard: Sequence[Heard]
    people: Sequence[Identity]


@dataclass(frozen=True, slots=True)
class Found:
    """A tag with what it rests on."""

    tag: str
    reason: str
    evidence: tuple[Evidence, ...]


async def request(unit: Unit, command: LeadTag) -> UUID:
    """Let a model look for tags of a lead that the caller may change; return the job. Raises NotFound."""
    lead = await unit.leads.get_for_update(command.lead_id)
    about = Actor("leads", lead.id)
    return await unit.jobs.enqueue(question(InferenceTask.LEAD_TAGGER, about, {"leadId": str(lead.id)}))


async def dossier(unit: Unit, lead_id: UUID) -> Dossier:
    """Return all that is known of a lead; raises NotFound."""
    lead = await unit.leads.described(lead_id)
    person_id = lead.lead.person_id
    return Dossier(
        lead,
        await unit.people.learned(person_id),
        await unit.interactions.heard(person_id, MOST_HEARD),
        await unit.people.spellings(person_id),
    )


def variables(known: Dossier) -> dict[str, object]:
    """Return what the prompt is filled with. Interactions have short names in it, which models do not misspell."""
    lead = known.lead
    return {
        "lead": {
            "stage": lead.lead.stage.name,
            "source": lead.source.name,
            "budget": None if lead.budget is None else f"{lead.budget.amount} {lead.budget.currency}",
            "qualification": None if lead.qualification is None else lead.qualification.name,
            "tags": list(lead.lead.tags),
        },
        "facts": [{"kind": fact.kind.name, "text": fact.text, "quote": fact.quote} for fact in known.facts],
        "interactions": [
            {
                "id": name,
                "kind": heard.kind.name,
                "direction": None if heard.direction is None else heard.direction.name,
                "at": heard.occurred_at.isoformat(timespec="minutes"),
                "text": heard.text,
            }
            for name, heard in _named(known.heard).items()
        ],
        "allowed_tags": list(lead.catalogue),
    }


def supported(value: Mapping[str, object], known: Dossier) -> list[Found]:
    """Return the tags of an answer that the lead lacks, that the catalogue has, and that words in the dossier support.

    Evidence that does not stand where it is said to stand is dropped, and a tag that has none left.
    """
    catalogue = {tag.casefold(): tag for tag in known.lead.catalogue}
    had = {tag.casefold() for tag in known.lead.lead.tags}
    found: dict[str, Found] = {}
    for each in _objects(value["tags"]):
        tag = catalogue.get(" ".join(str(each["tag"]).split()).casefold())
        evidence = tuple(_proven(_objects(each["evidence"]), known))
        if tag is not None and tag.casefold() not in had and evidence:
            found.setdefault(tag, Found(tag, str(each["reason"]), evidence))
    return list(found.values())


class LeadTagger:
    """Runs the jobs that `request` makes. `at_once` are the tags that it sets without asking anybody."""

    def __init__(self, asking: Asking, at_once: Iterable[str] = ()) -> None:
        """Ask through `asking`."""
        self._asking = asking
        self._at_once = frozenset(tag.casefold() for tag in at_once)

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Ask the model outside of any unit, and write what it found in one."""
        lead_id = UUID(str(job.payload["leadId"]))
        async with lease.unit() as unit:
            if await unit.proposals.made_by(job.id):
                return Succeeded()
            known = await dossier(unit, lead_id)
            given = variables(known)
            people = await everybody(unit, given, known.people)
        if not known.lead.catalogue or not (known.heard or known.facts):
            async with lease.unit() as unit:
                await unit.jobs.count(job.id, completed=1)
            return Succeeded()
        answer = await self._asking.ask(job, lease, InferenceTask.LEAD_TAGGER, given, people=people)
        if not isinstance(answer, Answer):
            return answer
        async with lease.unit() as unit:
            # Read again: what is quoted must still be there.
            found = supported(answer.value, await dossier(unit, lead_id))
            await self._keep(unit, lead_id, job, answer, found)
            await note_answer(unit, job, answer)
        return Succeeded()

    async def _keep(self, unit: Unit, lead_id: UUID, job: RunningJob, answer: Answer, found: list[Found]) -> None:
        if not found:
            return
        subject = Actor("leads", lead_id)
        # A proposal comes before its subject, as in every unit that locks both.
        waiting = await unit.proposals.pending(subject, ProposalKind.LEAD_TAG)
        lead = await unit.leads.get_for_update(lead_id)
        had = {tag.casefold() for tag in lead.tags}
        new = [each for each in found if each.tag.casefold() not in had][: MOST_TAGS - len(lead.tags)]
        set_now = [each.tag for each in new if each.tag.casefold() in self._at_once]
        asked = [each for each in new if each.tag.casefold() not in self._at_once]
        before = [*lead.tags, *set_now]
        if set_now:
            await leads.update(unit, LeadUpdate(lead_id, tags=before))
        if set_now or asked:
            await replace_pending(unit, waiting)
        if asked:
            after = [*before, *(each.tag for each in asked)]
            await propose(
                unit,
                Proposal(
                    id=new_id(),
                    kind=ProposalKind.LEAD_TAG,
                    subject=subject,
                    changes=(FieldChange(TAGS, before, after),),
                    origin=Origin(
                        ProposalSourceKind.MODEL,
                        job.id,
                        answer.model,
                        f"lead_tagger/{answer.prompt_version}",
                        answer.prompt_hash,
                    ),
                    created_at=unit.now,
                    reason=_reason(asked),
                    evidence=tuple(dict.fromkeys(quote for each in asked for quote in each.evidence)),
                ),
            )


def _reason(found: Sequence[Found]) -> str:
    """Say for each tag why, in at most as many characters as a reason has."""
    lines = [f"{each.tag}: {' '.join(each.reason.split())}" for each in found]
    return "\n".join(lines)[:LONGEST_REASON]


def _named(heard: Sequence[Heard]) -> dict[str, Heard]:
    return {f"c{number}": each for number, each in enumerate(heard, start=1)}


def _proven(evidence: Iterable[Mapping[str, object]], known: Dossier) -> Iterable[Evidence]:
    heard = _named(known.heard)
    learned = [text for fact in known.facts for text in (fact.text, fact.quote or "")]
    for each in evidence:
        quote, name = " ".join(str(each["quote"]).split()), each["interaction"]
        if sum(character.isalnum() for character in quote) < SHORTEST_QUOTE:
            continue
        if name is None and any(_says(text, quote) for text in learned):
            yield Evidence(quote)
        elif isinstance(name, str) and name in heard and _says(heard[name].text, quote):
            yield Evidence(quote, heard[name].id)


def _says(text: str, quote: str) -> bool:
    """Whether words stand in a text, however they are spaced, composed and capitalised."""
    return _folded(quote) in _folded(text)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _objects(value: object) -> list[Mapping[str, object]]:
    """Return a list of objects: the shape of an answer was checked before."""
    return cast("list[Mapping[str, object]]", value)

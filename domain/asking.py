"""How a job asks a model: the job itself, the port, and how its attempt ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

from domain.access import Actor
from domain.inference import InferenceTask, ModelRefused, ModelUnavailable, provider_id, texts_in, words_of
from domain.jobs import Cancelled, Failed, JobKind, Lease, NewJob, RunningJob
from domain.structured import Answer, AnswerRefused, Check, Identity

if TYPE_CHECKING:
    from domain.unit import Unit

Refusal: TypeAlias = AnswerRefused | ModelRefused | ModelUnavailable


class Asking(Protocol):
    """Asks with the prompts of this installation, within the lease of a job."""

    async def ask(
        self,
        job: RunningJob,
        lease: Lease,
        task: InferenceTask,
        variables: Mapping[str, object],
        *,
        people: Sequence[Identity],
        check: Check | None = None,
    ) -> Answer | Failed | Cancelled:
        """Ask a task's prompt, or return how the attempt ends: nobody answered, or nobody wants it any more.

        What goes in and what comes back is told by domain.structured. Raises LeaseLost as soon as the lease is lost.
        """


async def everybody(
    unit: Unit, variables: Mapping[str, object], connected: Sequence[Identity] = (), *, by_any_part: bool = False
) -> list[Identity]:
    """Return all whom the tenant knows and who may be named in what a model is asked.

    These are whoever is `connected` with whom it is about, and everybody else who is named with their whole name. A
    part of it is enough `by_any_part`: for what is about nobody, and loses nothing by a word that is a name elsewhere.
    """
    said = words_of(texts_in(variables))
    known = {name for each in connected for name in each.names}
    found = [name for name in await unit.inference.names_among(sorted(said)) if name not in known]
    others = [name for name in found if by_any_part or words_of([name]) <= said]
    return [*connected, *(Identity(names=(name,)) for name in others)]


def question(task: InferenceTask, about: Actor, payload: Mapping[str, object], key: str | None = None) -> NewJob:
    """Return a job that asks one question about a row; a `key` lets it be asked once only."""
    return NewJob(
        kind=JobKind.INFERENCE,
        task=task,
        payload=payload,
        subject=about,
        items=1,
        key=key,
        # The question takes a place of whichever provider it goes to, and only while it is there.
        takes_slot=False,
    )


async def note_answer(unit: Unit, job: RunningJob, answer: Answer) -> None:
    """Store who answered the one question of a job and of which prompt, and that it has been answered."""
    await unit.jobs.served_by(
        job.id, provider_id=provider_id(answer.provider), model=answer.model,
        prompt_version=answer.prompt_version, prompt_hash=answer.prompt_hash,
    )  # fmt: skip
    await unit.jobs.count(job.id, completed=1)


def failed(error: Refusal) -> Failed:
    """Return how an attempt ends that got no usable answer."""
    match error:
        case AnswerRefused():
            return Failed("ANSWER_REFUSED", error.message, retryable=False)
        case ModelRefused():
            return Failed(error.refusal.name, error.message, error.retryable, _after(error.retry_after))
        case ModelUnavailable():
            return Failed("UNAVAILABLE", error.message, retryable=True, retry_after=_after(error.retry_after))


def _after(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)

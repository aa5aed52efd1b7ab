"""How a job asks a model: the port, and how its attempt ends where no usable answer comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol, TypeAlias

from domain.inference import InferenceTask, ModelRefused, ModelUnavailable
from domain.jobs import Cancelled, Failed, Lease, RunningJob
from domain.structured import Answer, AnswerRefused, Check, Identity

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

"""What is submitted: one request or a batch of them, each addressed by its own id, and what becomes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.errors import Invalid, Issue
from domain.inference.models import Message, ProviderSwitch
from domain.inference.providers import LONGEST_MODEL, Provider
from domain.jobs import ITEM_EVENT, Failed, InferenceTask, JobKind, NewJob, RunningJob
from domain.values import new_ids

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_ITEMS: Final = 1000
MOST_MESSAGES: Final = 100
LONGEST_REQUEST_ID: Final = 200
ROLES: Final = frozenset({"system", "user", "assistant"})
BATCH: Final = "items"
"""In the payload of a job whose work is in its items, and nowhere else."""
MODEL: Final = "model"
"""In its payload too: which model was asked for. The job's own `model` is the one that answered last."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """One request of a batch."""

    request_id: str
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class InferenceSubmit:
    """What is asked of models: one item or many."""

    task: InferenceTask
    items: Sequence[NewItem]
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A request that still waits for its answer."""

    id: UUID
    request_id: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class PromptUsed:
    """The prompt that an answer came of; `hash` is the SHA-256 of its file in hexadecimal digits."""

    version: str
    hash: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model answered to an item. A count is None where the provider does not count."""

    provider: Provider
    model: str
    text: str
    value: Mapping[str, object] | None
    repaired: bool
    prompt_tokens: int | None
    completion_tokens: int | None
    prompt: PromptUsed | None = None


class InferenceStore(Protocol):
    """Items of inference jobs, and what is switched of providers."""

    async def add_items(self, job_id: UUID, items: Sequence[tuple[UUID, NewItem]]) -> None:
        """Store the items of a new job, in their order."""

    async def begin_items(self, job_id: UUID) -> list[Item]:
        """Return the items that have no answer yet, in their order.

        Of a job that was asked to begin again, those that had failed are among them, and the job counts anew.
        """

    async def finish_item(self, item_id: UUID, attempt: int, result: Answered | Failed, now: datetime) -> bool:
        """Store what became of an item, for good if it failed; false where that is known already."""

    async def names_among(self, words: Sequence[str]) -> list[str]:
        """Return the full names, of the tenant's people and users, of which a part is among these words."""

    async def counts(self, job_id: UUID) -> tuple[int, int]:
        """Return how many items of a job have an answer, and how many have failed for good."""

    async def switch_for_update(self, provider: Provider) -> ProviderSwitch:
        """Return what is switched of a provider, and lock it."""

    async def save_switch(self, provider_id: UUID, switch: ProviderSwitch, now: datetime) -> None:
        """Store what is switched of a provider."""


def check_submit(command: InferenceSubmit) -> None:
    """Make sure that a batch can be done; raises Invalid with every issue."""
    if not 1 <= len(command.items) <= MOST_ITEMS:
        raise Invalid(f"A batch has 1 to {MOST_ITEMS} items.", field="items")
    issues = []
    if command.model is not None and not 1 <= len(command.model.strip()) <= LONGEST_MODEL:
        issues.append(Issue("model", f"A model's name has 1 to {LONGEST_MODEL} characters."))
    seen: set[str] = set()
    for number, item in enumerate(command.items):
        path = f"items.{number}"
        if not 1 <= len(item.request_id) <= LONGEST_REQUEST_ID:
            issues.append(Issue(f"{path}.requestId", f"A request id has 1 to {LONGEST_REQUEST_ID} characters."))
        elif item.request_id in seen:
            issues.append(Issue(f"{path}.requestId", "Another item of the batch has this request id."))
        seen.add(item.request_id)
        issues += _messages(item, path)
    if issues:
        raise Invalid(issues=tuple(issues))


def _messages(item: NewItem, path: str) -> list[Issue]:
    if not 1 <= len(item.messages) <= MOST_MESSAGES:
        return [Issue(f"{path}.messages", f"An item has 1 to {MOST_MESSAGES} messages.")]
    issues = []
    for number, message in enumerate(item.messages):
        if message.role not in ROLES:
            issues.append(Issue(f"{path}.messages.{number}.role", "A role is system, user or assistant."))
        if not message.content.strip():
            issues.append(Issue(f"{path}.messages.{number}.content", "A message says something."))
    if all(message.role == "system" for message in item.messages):
        issues.append(Issue(f"{path}.messages", "Somebody other than the system says something."))
    return issues


def items_hash(items: Sequence[NewItem]) -> str:
    """Return SHA-256 over the items as canonical JSON, in hexadecimal digits."""
    content = [
        {"requestId": item.request_id, "messages": [[each.role, each.content] for each in item.messages]}
        for item in items
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def wanted_model(job: RunningJob) -> str | None:
    """Return the model that was asked for, if one was."""
    model = job.payload.get(MODEL)
    return model if isinstance(model, str) else None


async def submit(unit: Unit, command: InferenceSubmit) -> UUID:
    """Ask models for something; return the job's id. The items are stored with it or not at all. Raises Invalid."""
    check_submit(command)
    job_id = await unit.jobs.enqueue(
        NewJob(
            kind=JobKind.INFERENCE,
            task=command.task,
            payload={BATCH: items_hash(command.items), MODEL: command.model},
            items=len(command.items),
            model=command.model,
            # Each request takes a place of the provider that it goes to, and only while it is there.
            takes_slot=False,
        )
    )
    await unit.inference.add_items(job_id, list(zip(new_ids(len(command.items)), command.items, strict=True)))
    return job_id


async def finish_item(unit: Unit, job: RunningJob, item: Item, result: Answered | Failed) -> bool:
    """Store what became of an item, once; false where it was known. The unit is one of the job's lease."""
    if not await unit.inference.finish_item(item.id, job.attempt, result, unit.now):
        return False
    done = isinstance(result, Answered)
    await unit.jobs.count(job.id, completed=int(done), failed=int(not done))
    if isinstance(result, Answered):
        prompt = result.prompt
        await unit.jobs.served_by(
            job.id, provider_id=result.provider.id, model=result.model,
            prompt_version=None if prompt is None else prompt.version,
            prompt_hash=None if prompt is None else prompt.hash,
        )  # fmt: skip
    unit.record(
        Change(
            action=AuditAction.UPDATE,
            event=ITEM_EVENT,
            noun="jobs",
            id=job.id,
            payload=(("item", str(item.id)), *_prompt_of(result)),
        )
    )
    return True


def _prompt_of(result: Answered | Failed) -> tuple[tuple[str, str], ...]:
    prompt = result.prompt if isinstance(result, Answered) else None
    return () if prompt is None else (("promptVersion", prompt.version), ("promptHash", prompt.hash))

"""Rows of jobs: as they are made, and as the rules and the workers see them."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import RowMapping

from db.jobs import tickets
from domain.access import Actor
from domain.jobs import (
    SLOT_OF,
    Failed,
    InferenceTask,
    Job,
    JobKind,
    JobStatus,
    NewJob,
    RenderWorkflow,
    RoomType,
    RunningJob,
    Slot,
    ahead,
)
from domain.values import new_id

LONGEST_CODE: Final = 60


def new_row(job: NewJob, payload: str, digest: str) -> dict[str, object]:
    """Return a job that is to be stored, with its ticket, as JSON takes it."""
    slot = SLOT_OF[job.kind] if job.takes_slot else None
    return {
        "id": str(new_id()), "kind": job.kind.name, "task": job.task and job.task.name, "priority": job.priority,
        "max_attempts": job.max_attempts, "ahead": ahead(job.priority).total_seconds(), "not_before": job.not_before,
        "deadline_at": job.deadline_at, "slot_kind": slot and slot.name,
        "subject_noun": job.subject and job.subject.noun, "subject_id": job.subject and str(job.subject.id),
        "key": job.key, "payload": orjson.Fragment(payload), "payload_hash": digest, "model": job.model,
        "submitted_count": job.items, "workflow": job.workflow and job.workflow.name,
        "room_type": job.room_type and job.room_type.name, "keywords": list(job.keywords), "prompt": job.prompt,
        "photo_id": job.photo_id and str(job.photo_id), "entrypoint": tickets.entrypoint(job.kind, slot),
    }  # fmt: skip


def error_row(error: Failed | None) -> tuple[str | None, str | None, bool | None]:
    """Return a failure as it is stored: whatever a handler made of it, the end of its attempt can be written."""
    if error is None:
        return None, None, None
    code, message = (
        text.replace("\x00", "").encode("utf-8", "replace").decode() or "?" for text in (error.code, error.message)
    )
    return code[:LONGEST_CODE], message, error.retryable


def job_of(row: RowMapping) -> Job:
    """Return a row as the rules see it."""
    return Job(
        id=row["id"],
        kind=JobKind[row["kind"]],
        status=JobStatus[row["status"]],
        attempt=row["attempt"],
        max_attempts=row["max_attempts"],
        priority=row["priority"],
        deadline_at=row["deadline_at"],
        cancel_requested_at=row["cancel_requested_at"],
    )


def running_of(row: RowMapping, slot: Slot | None) -> RunningJob:
    """Return a row as a worker sees it."""
    return RunningJob(
        tenant_id=row["tenant_id"],
        id=row["id"],
        kind=JobKind[row["kind"]],
        attempt=row["attempt"],
        max_attempts=row["max_attempts"],
        payload=row["payload"],
        payload_hash=row["payload_hash"],
        requested_by=Actor(row["requested_by_noun"], row["requested_by_id"]),
        task=None if row["task"] is None else InferenceTask[row["task"]],
        subject=None if row["subject_noun"] is None else Actor(row["subject_noun"], row["subject_id"]),
        model=row["model"],
        workflow=None if row["workflow"] is None else RenderWorkflow[row["workflow"]],
        room_type=None if row["room_type"] is None else RoomType[row["room_type"]],
        keywords=tuple(row["keywords"]),
        prompt=row["prompt"],
        prompt_version=row["prompt_version"],
        prompt_hash=row["prompt_hash"],
        photo_id=row["photo_id"],
        deadline_at=row["deadline_at"],
        seconds_left=row["seconds_left"],
        slot=slot,
    )

"""Rows of jobs as the rules and the workers see them."""

from __future__ import annotations

from sqlalchemy import RowMapping

from domain.access import Actor
from domain.jobs import InferenceTask, Job, JobKind, JobStatus, RenderWorkflow, RoomType, RunningJob, Slot


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
        photo_id=row["photo_id"],
        deadline_at=row["deadline_at"],
        slot=slot,
    )

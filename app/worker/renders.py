"""Runs renders: a photograph goes to a worker, and what comes back is cleaned and kept under job and attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.worker.leases import until_ended
from domain.assets import EXTENSIONS, FILMS, PICTURES, ContentCheck, ContentRefused, ObjectStore
from domain.errors import Unavailable
from domain.jobs import Cancelled, Failed, Lease, LeaseLost, Outcome, RenderWorkflow, RunningJob, SlotKind, Succeeded
from domain.renders import (
    Asset,
    RenderedFile,
    Renderer,
    RenderFault,
    RenderOrder,
    RenderStep,
    Words,
    keep_outputs,
    plain_words,
    words_of,
)
from domain.values import new_id

MOST_FILES: Final = 16
"""How many files of an attempt that failed are looked for, and removed."""


Expand = Callable[[RunningJob, Lease], Awaitable[Words | None]]
"""Has a model write what a picture shows; None where none can, or none is asked."""
WorkerId = Callable[[str], UUID]


@dataclass(frozen=True, slots=True)
class _Made:
    """What a worker made of the photograph `content`."""

    worker: str
    content: bytes
    files: tuple[RenderedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderHandler:
    """The handler of render jobs."""

    renderer: Renderer
    objects: ObjectStore
    contents: ContentCheck
    expand: Expand | None
    worker_id: WorkerId

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Render once; what an earlier attempt kept or left at a worker is taken up."""
        try:
            async with lease.unit() as unit:
                if await unit.renders.has_outputs(job.id):
                    return Succeeded()
                photo = await unit.renders.get(_photo_id(job))
            made = await until_ended(lease, self._make(job, lease, photo))
            if isinstance(made, Cancelled):
                # Where the lease is lost instead, what runs at a worker is the next attempt's to take up, or to stop.
                await self.renderer.stop(job.id, job.attempt)
                return made
            await self._keep(job, lease, photo, made)
            await self.renderer.forget(made.worker, job.id, job.attempt)
        except RenderFault as fault:
            return Failed(fault.code, fault.message, retryable=fault.retryable, retry_after=fault.retry_after)
        except Unavailable as error:
            return Failed(error.code, error.message, retryable=True)
        return Succeeded()

    async def _make(self, job: RunningJob, lease: Lease, photo: Asset) -> _Made:
        """Render. Raises LeaseLost and RenderFault."""

        async def told(step: RenderStep) -> None:
            await lease.progress(step.value, step.most, step.step)

        content = await self._read(photo)
        words = await self._words(job, lease)
        async with self._worker(job, lease) as worker:
            async with lease.unit() as unit:
                await unit.jobs.rendered_by(job.id, worker_id=self.worker_id(worker), prompt=words.text)
            if job.attempt > 1:
                await self.renderer.stop(job.id, job.attempt, but=worker)
            files = await self.renderer.render(worker, _order(job, words, photo, content), told)
        return _Made(worker, content, files)

    async def _read(self, photo: Asset) -> bytes:
        size = await self.objects.size(photo.object_key)
        if size is None:
            raise RenderFault("PHOTO_MISSING", "The photograph is not in the asset store any more.")
        return b"".join([piece async for piece in self.objects.read(photo.object_key, 0, size - 1)])

    async def _words(self, job: RunningJob, lease: Lease) -> Words:
        """Return what the worker is told: what it was told before, what a model writes, or the keywords alone."""
        if job.prompt is not None:
            return words_of(job.prompt)
        written = None if self.expand is None else await self.expand(job, lease)
        return written or plain_words(_workflow(job), job.room_type, job.keywords)

    @asynccontextmanager
    async def _worker(self, job: RunningJob, lease: Lease) -> AsyncIterator[str]:
        """Give a worker that answers and has what the workflow needs: the one whose slot the job has, or another."""
        able = await self.renderer.able(_workflow(job))
        if job.slot is not None and job.slot.resource in able:
            yield job.slot.resource
            return
        # The slot that came with the job stays held: nothing else is to be sent to a worker that does not answer.
        async with lease.slot(SlotKind.COMFYUI, able) as slot:
            yield slot.resource

    async def _keep(self, job: RunningJob, lease: Lease, photo: Asset, made: _Made) -> None:
        """Put the files into the store, and then name them in the database."""
        await self._forget_earlier(job)
        stored: list[str] = []
        try:
            kept = [await self._store(job, photo, file, at, stored) for at, file in enumerate(made.files, start=1)]
            small = None
            if photo.thumbnail_key is None:
                small = await self._small(
                    f"{_folder(job, job.attempt)}/photo", photo.content_type, made.content, stored
                )
            async with lease.unit() as unit:
                await keep_outputs(unit, job.id, job.attempt, kept)
                if small is not None:
                    await unit.renders.set_thumbnail(photo.id, small)
        except (LeaseLost, RenderFault):
            # After any other error the unit may have been committed; then these files have names.
            for key in stored:
                with suppress(Unavailable):
                    await self.objects.delete(key)
            raise

    async def _store(self, job: RunningJob, photo: Asset, file: RenderedFile, place: int, stored: list[str]) -> Asset:
        try:
            kept = await self.contents.check(file.content_type, file.content)
        except ContentRefused as error:
            raise RenderFault("OUTPUT_REFUSED", f"The render made a file that is not kept: {error.message}") from error
        name = f"{_folder(job, job.attempt)}/{place}"
        key = f"{name}.{EXTENSIONS[file.content_type]}"
        small = await self._small(name, file.content_type, kept.content, stored)
        stored.append(key)
        await self.objects.put(key, kept.content, file.content_type)
        return Asset(
            id=new_id(),
            object_key=key,
            thumbnail_key=small,
            content_type=file.content_type,
            bytes=len(kept.content),
            width=kept.width,
            height=kept.height,
            created_by=photo.created_by,
        )

    async def _small(self, name: str, content_type: str, content: bytes, stored: list[str]) -> str | None:
        made = await self.contents.thumbnail(content_type, content)
        if made is None:
            return None
        key = f"{name}-small.webp"
        stored.append(key)
        await self.objects.put(key, made, "image/webp")
        return key

    async def _forget_earlier(self, job: RunningJob) -> None:
        """Remove what earlier attempts stored before they were killed: nothing names it."""
        for attempt in range(1, job.attempt):
            for place in range(1, MOST_FILES + 1):
                name = f"{_folder(job, attempt)}/{place}"
                keys = [f"{name}-small.webp", *(f"{name}.{EXTENSIONS[each]}" for each in PICTURES | FILMS)]
                found = [key for key in keys if await self.objects.size(key) is not None]
                for key in found:
                    await self.objects.delete(key)
                if not found:
                    break


def _order(job: RunningJob, words: Words, photo: Asset, content: bytes) -> RenderOrder:
    return RenderOrder(
        job_id=job.id,
        attempt=job.attempt,
        workflow=_workflow(job),
        prompt=words.shows,
        negative=words.without,
        content=content,
        content_type=photo.content_type,
    )


def _folder(job: RunningJob, attempt: int) -> str:
    return f"renders/{job.tenant_id}/{job.id}/{attempt}"


def _photo_id(job: RunningJob) -> UUID:
    if job.photo_id is None:
        raise RenderFault("PHOTO_MISSING", "This render has no photograph.")
    return job.photo_id


def _workflow(job: RunningJob) -> RenderWorkflow:
    if job.workflow is None:
        raise RenderFault("WORKFLOW_UNAVAILABLE", "This render has no workflow.")
    return job.workflow

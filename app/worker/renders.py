"""Runs renders: a photograph goes to a worker, and what comes back is cleaned and kept under job and attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.worker.leases import until_ended
from domain.assets import EXTENSIONS, ContentCheck, ContentRefused, ObjectStore
from domain.errors import Unavailable
from domain.jobs import Cancelled, Failed, Lease, LeaseLost, Outcome, RenderWorkflow, RunningJob, SlotKind, Succeeded
from domain.renders import (
    WHOLE,
    Asset,
    RenderedFile,
    Renderer,
    RenderFault,
    RenderOrder,
    RenderStep,
    Words,
    Written,
    keep_outputs,
    plain_words,
    words_of,
)
from domain.values import new_id

PHOTO: Final = "photo"
"""What the small picture of the photograph is called beside the results."""
WAITS: Final = "Waiting for a render worker"

Expand = Callable[[RunningJob, Lease], Awaitable[Words | None]]
"""Has a model write what a picture shows; None where none can, or none is asked."""
WorkerId = Callable[[str], UUID]


@dataclass(frozen=True, slots=True)
class _Made:
    """What a worker made of the photograph `content`, as `words` told it."""

    worker: str
    content: bytes
    files: tuple[RenderedFile, ...]
    words: Words


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
            await self._note(job, lease, worker, words)
            if job.attempt > 1:
                await self.renderer.stop(job.id, job.attempt, but=worker)
            files = await self.renderer.render(worker, _order(job, words, photo, content), told)
        return _Made(worker, content, files, words)

    async def _note(self, job: RunningJob, lease: Lease, worker: str, words: Words) -> None:
        """Keep which worker has the render and what it is told, and who wrote that."""
        by = words.by
        async with lease.unit() as unit:
            await unit.jobs.rendered_by(
                job.id,
                worker_id=self.worker_id(worker),
                prompt=words.text,
                prompt_version=None if by is None else by.prompt_version,
                prompt_hash=None if by is None else by.prompt_hash,
            )
            if by is not None:
                await unit.jobs.served_by(job.id, model=by.model)

    async def _read(self, photo: Asset) -> bytes:
        size = await self.objects.size(photo.object_key)
        if size is None:
            raise RenderFault("PHOTO_MISSING", "The photograph is not in the asset store any more.")
        return b"".join([piece async for piece in self.objects.read(photo.object_key, 0, size - 1)])

    async def _words(self, job: RunningJob, lease: Lease) -> Words:
        """Return what the worker is told: what it was told before, what a model writes, or the keywords alone."""
        if job.prompt is not None:
            return words_of(job.prompt, _written(job))
        written = None if self.expand is None else await self.expand(job, lease)
        return written or plain_words(_workflow(job), job.room_type, job.keywords)

    @asynccontextmanager
    async def _worker(self, job: RunningJob, lease: Lease) -> AsyncIterator[str]:
        """Give a worker that answers and has what the workflow needs: the one whose slot the job has, or another."""
        able = await self.renderer.able(_workflow(job))
        if job.slot is not None and job.slot.resource in able:
            yield job.slot.resource
            return
        await lease.progress(0, WHOLE, WAITS)
        # The slot that came with the job stays held: nothing else is to be sent to a worker that does not answer.
        async with lease.slot(SlotKind.COMFYUI, able) as slot:
            yield slot.resource

    async def _keep(self, job: RunningJob, lease: Lease, photo: Asset, made: _Made) -> None:
        """Put the files into the store, and then name them in the database."""
        async with lease.unit() as unit:
            # Before anything is stored: an attempt that is killed from here on leaves files that no row names.
            await unit.renders.announce(job.id, job.attempt, _announced(job, made.files))
        stored: list[str] = []
        try:
            kept = [await self._store(job, photo, file, at, stored) for at, file in enumerate(made.files, start=1)]
            small = None
            if photo.thumbnail_key is None:
                small = await self._small(f"{_folder(job)}/{PHOTO}", photo.content_type, made.content, stored)
            async with lease.unit() as unit:
                await keep_outputs(unit, job.id, job.attempt, kept, made.words.by)
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
        name = f"{_folder(job)}/{place}"
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
        key = _small_key(name)
        stored.append(key)
        await self.objects.put(key, made, "image/webp")
        return key


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


def _folder(job: RunningJob) -> str:
    return f"renders/{job.tenant_id}/{job.id}/{job.attempt}"


def _announced(job: RunningJob, files: Sequence[RenderedFile]) -> list[str]:
    """Return every key under which this attempt may store something."""
    names = {f"{place}": EXTENSIONS[file.content_type] for place, file in enumerate(files, start=1)}
    folder = _folder(job)
    whole = [f"{folder}/{name}.{extension}" for name, extension in names.items()]
    return [*whole, *(_small_key(f"{folder}/{name}") for name in (*names, PHOTO))]


def _small_key(name: str) -> str:
    return f"{name}-small.webp"


def _written(job: RunningJob) -> Written | None:
    """Return who wrote what an earlier attempt was told; None where no model did."""
    if job.prompt_version is None or job.prompt_hash is None:
        return None
    return Written(job.model, job.prompt_version, job.prompt_hash)


def _photo_id(job: RunningJob) -> UUID:
    if job.photo_id is None:
        raise RenderFault("PHOTO_MISSING", "This render has no photograph.")
    return job.photo_id


def _workflow(job: RunningJob) -> RenderWorkflow:
    if job.workflow is None:
        raise RenderFault("WORKFLOW_UNAVAILABLE", "This render has no workflow.")
    return job.workflow

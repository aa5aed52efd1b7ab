"""Jobs as clients see them: one interface with a type per kind.

The fields here are those that the row of a job answers. Fields that lead elsewhere are added to these classes by who
makes what they lead to, with a link of the same name in `db/jobs/source.py`: to `RenderJob` its `photo`, `worker` and
`outputs` (renders).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import jobs as domain
from domain.access import Permission
from domain.jobs import (
    JOB_EVENTS,
    JOB_FRAMES,
    PROGRESS_FRAME,
    InferenceTask,
    JobKind,
    JobStatus,
    JobUpdateKind,
    RenderWorkflow,
    RoomType,
)
from graph.assets import Asset
from graph.connections import Connection
from graph.context import Info
from graph.declaration import (
    Node,
    by_id,
    column,
    connection,
    kind,
    link,
    links,
    noun,
    paid,
    payload,
    reference,
    root,
    value,
)
from graph.enums import described
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime, EventCursor
from graph.subscriptions.declaration import Only, event, stream
from resolvers import jobs as resolve

if TYPE_CHECKING:
    from graph.access import Actor
    from graph.fleet import Worker
    from graph.inference import InferenceItem, InferenceProvider

described(
    JobStatus,
    "Where a job stands.",
    QUEUED="It waits for its turn, or to be tried again.",
    RUNNING="A worker is at it.",
    SUCCEEDED="Everything that was asked for is there.",
    PARTIAL="Some items have an answer, and some have failed for good.",
    FAILED="It failed for good; `error` says why.",
    CANCELLED="Somebody did not want it any more.",
)
described(
    InferenceTask,
    "What a model is asked to do.",
    CHAT="Answer messages.",
    QD_CALCULATOR="Refine how interested somebody was in a session.",
    LEAD_TAGGER="Propose tags of a lead.",
    CCTV_PROFILER="Say what kind of visitor a camera saw.",
    RISK_ANALYZER="Say how risky it is what a camera saw.",
    PROMPT_EXPANDER="Write the prompt of a render.",
)
described(
    RenderWorkflow,
    "What is made of a photograph.",
    STAGING="The room, furnished.",
    IMAGE_TO_VIDEO="A short video.",
    POSTER="A poster.",
)
described(
    RoomType,
    "What a photographed room is.",
    LIVING_ROOM="A living room.",
    BEDROOM="A bedroom.",
    KITCHEN="A kitchen.",
    BATHROOM="A bathroom.",
    DINING_ROOM="A dining room.",
    OFFICE="An office.",
    BALCONY="A balcony.",
)


@strawberry.input(description="Which jobs; every entry narrows the list.")
class JobFilter:
    """The filter of job lists."""

    statuses: list[JobStatus] | None = optional("Stands at one of these.")


@value("job_errors", description="Why a job failed, or why it is tried again.")
class JobError:
    """An error."""

    code: str = column("What went wrong, in one word.")
    message: str = column("What went wrong, in a sentence.")
    retryable: bool = column("Whether the same work may succeed another time.")


@value("render_progress", description="How far a render is.")
class RenderProgress:
    """A progress."""

    value: int = column("What is done.")
    max: int = column("What there is to do.")
    step: str | None = column("What is being done now.")


@noun(
    "jobs",
    prefix="job",
    description="Work for a model or a machine. Each kind is a type of its own.",
    filter=JobFilter,
    orders={"CREATED_AT": "When it was asked for."},
    interface=True,
)
class Job(Node):
    """A job."""

    status: JobStatus = column("Where it stands.")
    created_at: DateTime = column("When it was asked for.")
    started_at: DateTime | None = column("When it was first begun.")
    finished_at: DateTime | None = column("When it ended, however it did.")
    requested_by: Actor | None = reference("Who asked for it.")
    waits_for: str | None = column("Why it cannot begin, where the mode of the machines keeps it waiting.")
    error: JobError | None = column("Why it failed; of one that is queued again, why its last attempt did.")


@kind(of=Job, member=JobKind.INFERENCE, description="Work for a model.")
class InferenceJob(Job):
    """An inference job."""

    task: InferenceTask = column("What the model is asked to do.")
    model: str | None = column("Which model: the one that was asked for, and then the one that answered last.")
    submitted_count: int = column("How many items were submitted.")
    completed_count: int = column("How many have an answer.")
    failed_count: int = column("How many have failed for good.")
    payload_hash: str = column("SHA-256 of what was submitted, in hexadecimal digits.")
    provider: InferenceProvider | None = link("Which provider answered last.")
    items: Connection[InferenceItem] = connection("What was submitted, in that order, and what became of each.")


@kind(of=Job, member=JobKind.RENDER, description="Work for a render worker.")
class RenderJob(Job):
    """A render job."""

    workflow: RenderWorkflow = column("What is made.")
    room_type: RoomType | None = column("What the room is.")
    keywords: list[str] = column("What it is to look like.")
    prompt: str | None = column("What the render worker was told; null until it was.")
    prompt_version: str | None = column(
        "Which version of the prompt a model was asked with for that; null without one."
    )
    prompt_hash: str | None = column("SHA-256 of the file of that prompt, in hexadecimal digits; null without one.")
    attempt: int = column("Which attempt this is: the first is 1, 0 before it.")
    progress: RenderProgress | None = column("How far it is; null before anything is known.")
    photo: Asset | None = link("The photograph that it is made of.")
    worker: Worker | None = link("Which worker has it, or had it last; for those who see the fleet.")
    outputs: list[Asset] = links("What was made; empty until the job has succeeded.")


@root
class JobQuery:
    """Root fields that read jobs."""

    jobs: Connection[Job] = connection(
        "The jobs you may see: those that you and your team asked for.", Permission.JOB_READ
    )
    inference_job: InferenceJob | None = by_id(
        "One inference job, or null; null for a job of another kind.", Permission.JOB_READ
    )
    render_job: RenderJob | None = by_id(
        "One render job, or null; null for a job of another kind.", Permission.JOB_READ
    )


@event(
    "job_updates",
    description="What happens with a job. Progress and text are told once, to whoever follows at that moment.",
    interface=True,
)
class JobUpdate:
    """An update."""

    cursor: EventCursor = column("Follow from here; progress and text repeat the last position.")
    job: Job = link("The job, as it is now.")


@kind(of=JobUpdate, member=JobUpdateKind.STATE, description="A job was queued, begun, ended, or asked to stop.")
class JobStateChanged(JobUpdate):
    """A change of state."""


@kind(of=JobUpdate, member=JobUpdateKind.ITEM, description="An item has an answer, or failed for good.")
class JobItemFinished(JobUpdate):
    """An end of an item."""

    item: InferenceItem = link("The item.")


@kind(of=JobUpdate, member=JobUpdateKind.PROGRESS, description="A job has got on.")
class JobProgressed(JobUpdate):
    """A progress."""

    progress: RenderProgress = column("How far it is.")


@kind(of=JobUpdate, member=JobUpdateKind.TEXT, description="More text of an item.")
class JobTextDelta(JobUpdate):
    """A piece of text."""

    request_id: str = column("Of which item.")
    attempt: int = column("Of which attempt: a new one begins the text again.")
    text: str = column("What was added.")


@root
class JobSubscription:
    """Root fields that tell of jobs."""

    job_updates: JobUpdate = stream(
        "What happens with the jobs that you may see.",
        Permission.JOB_READ,
        kinds=JOB_EVENTS,
        only=(Only("job_id", "jobs", ("subject_id",), "Only of this job."),),
        frames=JOB_FRAMES,
        newest={PROGRESS_FRAME},
    )


@strawberry.input(description="A job that is not wanted any more.")
class JobCancelInput:
    """A cancellation."""

    job_id: strawberry.ID = argument("Which job.", of="jobs")


@strawberry.input(description="A job that is to begin again.")
class JobRetryInput:
    """Another try."""

    job_id: strawberry.ID = argument("Which job.", of="jobs")
    idempotency_key: str | None = once()


@payload("The job that was cancelled.")
class JobCancelPayload:
    """The answer of jobCancel."""

    job: Job = link("The job. A running one ends as soon as its worker hears of it.")


@payload("The job that begins again.")
class JobRetryPayload:
    """The answer of jobRetry."""

    job: Job = link("The job, queued.")


@root
class JobMutation:
    """Mutations of jobs."""

    @mutation("Cancel a job: at once while it waits, and soon while it runs. One that has finished is refused.")
    async def job_cancel(self, info: Info, input: JobCancelInput) -> JobCancelPayload:
        """Cancel a job."""
        return paid(JobCancelPayload, job=await resolve.job_cancel(info.context, unpacked(input, domain.JobCancel)))

    @mutation("Let a job that failed, was cancelled or was done in part begin again.")
    async def job_retry(self, info: Info, input: JobRetryInput) -> JobRetryPayload:
        """Try again."""
        job = await resolve.job_retry(info.context, unpacked(input, domain.JobRetry), key_of(input.idempotency_key))
        return paid(JobRetryPayload, job=job)

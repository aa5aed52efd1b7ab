"""How jobs are read: whoever asked for one sees it, a senior what the team asked for, a director all of them.

What hangs on a job is declared by who makes it, here and in `graph/jobs.py`: the items of an inference job and the
provider that answers it (inference), and a render job's outputs, photograph and worker (renders).
"""

from __future__ import annotations

from db.jobs.tables import jobs
from db.reading.events import event
from db.reading.fields import boolean, enum, integer, text, texts, time, value
from db.reading.source import Computed, Filter, Link, Ordering, Reference, Through, source
from db.reading.writer import Alias, Writer
from domain.fleet import FleetMode
from domain.jobs import SLOT_OF, UPDATE_KINDS, SlotKind

FORBIDDEN = {FleetMode.LLM_FIRST: SlotKind.COMFYUI, FleetMode.MEDIA_FIRST: SlotKind.LLM}
"""What each mode keeps waiting where every GPU is wanted by both kinds."""


def _asked_for(w: Writer, t: Alias) -> str | None:
    """Keys and the system ask for work too, so it is the actor who is compared and not only users."""
    if w.unrestricted:
        return None
    return f"({t.requested_by_id} = any({w.members}) or {t.requested_by_id} = {w.viewer})"


def _position(w: Writer, t: Alias, key: str) -> str:
    """Order the files of a render as they were made."""
    output = w.alias("render_outputs")
    return (
        f"(select {output.position} from render_outputs {output.name} where {output.tenant_id} = {w.tenant}"
        f" and {output.job_id} = {key} and {output.asset_id} = {t.id})"
    )


def _waits_for(w: Writer, t: Alias) -> str:
    """Write why a queued job cannot begin, where every slot of its kind is closed: that is what a mode does.

    A mode that serves the kind keeps nothing closed: the other kind's work ends there, and lets go of its memory.
    """
    s, o, m = w.alias("slots"), w.alias("slots"), w.alias("fleet_modes")
    kinds = " ".join(f"when '{kind.name}' then '{slot.name}'" for kind, slot in SLOT_OF.items())
    needed = f"case {t.kind} {kinds} end"
    closed = (
        f"exists (select from slots {s.name} where {s.kind} = {needed}) and not exists"
        f" (select from slots {o.name} where {o.kind} = {needed} and {o.open})"
    )
    forbids = " ".join(f"when '{mode.name}' then '{slot.name}'" for mode, slot in FORBIDDEN.items())
    sentence = (
        f"select case when {needed} = case {m.mode} {forbids} end"
        f" then concat('The mode is ', {m.mode}, ': this begins when the machines serve it again.')"
        f" else concat('The machines are changing over to ', {m.mode}, ': this begins when they have.') end"
        f" from fleet_modes {m.name} order by {m.since} desc, {m.id} desc limit 1"
    )
    return f"case when {t.status} = 'QUEUED' and {closed} then ({sentence}) end"


JOBS = source(
    "jobs",
    jobs,
    prefix="job",
    visible=_asked_for,
    default_order=("CREATED_AT", True),
    columns={
        "kind": enum("kind"),
        "status": enum("status"),
        "attempt": integer("attempt"),
        "created_at": time("created_at"),
        "started_at": time("started_at", null=True),
        "finished_at": time("finished_at", null=True),
        "error": value(
            {
                "code": text("error_code"),
                "message": text("error_message"),
                "retryable": boolean("error_retryable"),
            },
            null=lambda t: f"{t.error_code} is null",
        ),
        # A job of another kind has none, and is asked for its own and for the other kind's fields in one row.
        "task": enum(lambda t: f"coalesce({t.task}, '')"),
        "model": text("model", null=True),
        "submitted_count": integer("submitted_count"),
        "completed_count": integer("completed_count"),
        "failed_count": integer("failed_count"),
        "payload_hash": text("payload_hash"),
        "waits_for": text(Computed(_waits_for), null=True),
        "workflow": enum(lambda t: f"coalesce({t.workflow}, '')"),
        "room_type": enum("room_type", null=True),
        "keywords": texts("keywords"),
        "prompt": text("prompt", null=True),
        "prompt_hash": text("prompt_hash", null=True),
        "prompt_version": text("prompt_version", null=True),
        "progress": value(
            {
                "value": integer("progress_value"),
                "max": integer("progress_max"),
                "step": text("progress_step", null=True),
            },
            null=lambda t: f"{t.progress_value} is null",
        ),
    },
    links={
        "items": Link("inference_items", remote="job_id"),
        "provider": Link("inference_providers", local="provider_id"),
        "outputs": Link("assets", remote=Through("render_outputs", "job_id", "asset_id"), sort=_position),
        "photo": Link("assets", local="photo_id"),
        "worker": Link("workers", local="render_worker_id"),
        "requested_by": Reference("requested_by_noun", "requested_by_id"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
    filters={"statuses": Filter("text[]", lambda _w, t, value: f"{t.status} = any({value})")},
)


def _told_as(t: Alias) -> str:
    cases = " ".join(f"when '{event}' then '{kind.name}'" for event, kind in UPDATE_KINDS.items())
    return f"case {t.kind} {cases} end"


# Of another kind of event nobody can ask for the item, or for a frame's entries.
JOB_UPDATES = event(
    {
        "kind": enum(_told_as),
        "job": Link("jobs", "subject_id"),
        "item": Link("inference_items", lambda _w, t: f"({t.payload} ->> 'item')::uuid"),
        "progress": value(
            {
                "value": integer(lambda t: f"({t.payload} ->> 'value')::integer"),
                "max": integer(lambda t: f"({t.payload} ->> 'max')::integer"),
                "step": text(lambda t: f"{t.payload} ->> 'step'", null=True),
            }
        ),
        "request_id": text(lambda t: f"{t.payload} ->> 'requestId'"),
        "attempt": integer(lambda t: f"({t.payload} ->> 'attempt')::integer"),
        "text": text(lambda t: f"{t.payload} ->> 'text'"),
    }
)

"""How inference is read: an item is seen by whoever sees its job, a provider by everybody."""

from __future__ import annotations

from typing import Final

from db.inference.tables import inference_items, inference_providers
from db.jobs.source import JOBS
from db.jobs.tables import jobs
from db.reading.fields import boolean, document, enum, integer, text, value
from db.reading.source import Computed, Link, Ordering, source
from db.reading.writer import Alias, Writer
from db.visibility import everyone
from domain.jobs import FINISHED

_ENDED: Final = ", ".join(sorted(f"'{status.name}'" for status in FINISHED))


def _of_job(w: Writer, t: Alias) -> str | None:
    """Show the items of a job to those who see it."""
    if w.unrestricted:
        return None
    job = w.alias(jobs)
    return (
        f"exists (select from jobs {job.name} where {job.tenant_id} = {w.tenant} and {job.id} = {t.job_id}"
        f" and ({JOBS.visible(w, job)}))"
    )


def _status(w: Writer, t: Alias) -> str:
    """An item that nobody got to before its job ended is what the job is: cancelled, or failed."""
    job = w.alias(jobs)
    return (
        f"case when {t.status} <> 'QUEUED' then {t.status} else coalesce((select {job.status} from jobs {job.name}"
        f" where {job.tenant_id} = {w.tenant} and {job.id} = {t.job_id} and {job.status} in ({_ENDED})), 'QUEUED') end"
    )


INFERENCE_PROVIDERS = source(
    "inference_providers",
    inference_providers,
    prefix="inferenceprovider",
    visible=everyone,
    default_order=("NAME", False),
    columns={"name": text("name"), "kind": enum("kind")},
    orders={"NAME": Ordering(lambda t: t.column("name"), "text")},
)

INFERENCE_ITEMS = source(
    "inference_items",
    inference_items,
    prefix="inferenceitem",
    visible=_of_job,
    default_order=("NUMBER", False),
    columns={
        "request_id": text("request_id"),
        "status": enum(Computed(_status)),
        "attempt": integer("attempt"),
        "model": text("model", null=True),
        "output": value(
            {
                "text": text("output_text", null=True),
                "json": document("output_json", null=True),
                "repaired": boolean("repaired"),
            },
            null=lambda t: f"{t.output_text} is null",
        ),
        "usage": value(
            {"prompt_tokens": integer("prompt_tokens"), "completion_tokens": integer("completion_tokens")},
            null=lambda t: f"{t.prompt_tokens} is null",
        ),
        "error": value(
            {
                "code": text("error_code"),
                "message": text("error_message"),
                "retryable": boolean("error_retryable"),
            },
            null=lambda t: f"{t.error_code} is null",
        ),
    },
    links={"provider": Link("inference_providers", local="provider_id")},
    orders={"NUMBER": Ordering(lambda t: t.number, "integer")},
)

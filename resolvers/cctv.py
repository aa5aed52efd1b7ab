"""The edge of the use cases about cameras."""

from __future__ import annotations

from domain import cctv
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.CCTV_WRITE)
async def cctv_event_ingest(context: Context, command: cctv.CctvEventIngest, idempotency_key: str) -> cctv.Ingested:
    """Keep an event. What is kept of the key is made of the plate's token, as what is kept of the event is."""
    seen = cctv.seen(command, context.cameras, context.caller.tenant_id)
    return await perform(context, cctv.ingest, seen, idempotency_key)


@allow(Permission.CCTV_WRITE)
async def detection_batch_submit(
    context: Context, command: cctv.DetectionBatchSubmit, idempotency_key: str | None
) -> cctv.Ingested:
    """Keep a batch of detections and let a model score it."""
    return await perform(context, cctv.submit, command, idempotency_key)

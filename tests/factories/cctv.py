"""Camera events."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def event(owner: "Connection[Record]", of: Tenant, **values: Any) -> UUID:
    """Make an event of an arriving car, seen now, of which no model has made anything yet."""
    event_id = new_id()
    values = {
        "kind": "ARRIVAL", "camera": "Gate", "at": datetime.now(UTC), "sent_by_noun": "users",
        "sent_by_id": next(iter(of.users.values())),
        "detections": json.dumps([{"label": "car", "confidence": 0.9}]), **values,
    }  # fmt: skip
    await insert(owner, "cctv_events", of.id, id=event_id, **values)
    return event_id

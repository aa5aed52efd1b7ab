"""Proposals that wait for a decision."""

import json
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def proposal(
    owner: "Connection[Record]",
    of: Tenant,
    *,
    lead_id: UUID | None = None,
    person_id: UUID | None = None,
    **values: Any,
) -> UUID:
    """Make a proposal about a lead or a person, or about nobody yet; by default a model's, to tag the lead."""
    proposal_id = new_id()
    subject = {"subject_noun": "leads", "subject_id": lead_id} if lead_id else {}
    subject = {"subject_noun": "people", "subject_id": person_id} if person_id else subject
    values = {
        "kind": "LEAD_TAG", "status": "PENDING", "source_kind": "MODEL", "model": "a-model", "prompt_version": "1",
        "changes": [{"field": "tags", "before": [], "after": ["cash"]}], "evidence": [], **subject, **values,
    }  # fmt: skip
    values |= {name: json.dumps(values[name]) for name in ("changes", "evidence")}
    await insert(owner, "proposals", of.id, id=proposal_id, **values)
    return proposal_id

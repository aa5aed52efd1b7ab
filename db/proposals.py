"""How proposals are stored, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Column, Index, RowMapping, text

from db.reading.fields import document, enum, time, value
from db.reading.fields import text as words
from db.reading.source import Filter, Link, Ordering, Reference, source
from db.reading.writer import Alias, Writer
from db.tables import (
    belongs_to_tenant,
    created_at,
    enum_text,
    found_by,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
)
from db.visibility import own_person, through_lead
from domain.access import Actor
from domain.proposals import (
    Evidence,
    FieldChange,
    Origin,
    Proposal,
    ProposalKind,
    ProposalSourceKind,
    ProposalStatus,
)

if TYPE_CHECKING:
    from db.unit import SqlUnit

# `changes` is a list of {field, before, after}, `evidence` a list of {text, interaction_id}.
proposals = tenant_table(
    "proposals",
    enum_text("kind", ProposalKind),
    enum_text("status", ProposalStatus),
    *pointer("subject"),
    Column("changes", JSON, nullable=False),
    prose("reason", 2000, nullable=True),
    Column("evidence", JSON, nullable=False),
    enum_text("source_kind", ProposalSourceKind),
    reference("job_id", nullable=True),
    prose("model", 200, nullable=True),
    prose("prompt_version", 100, nullable=True),
    prose("prompt_hash", 64, nullable=True),
    created_at(),
    moment("decided_at", nullable=True),
    *pointer("decided_by"),
    prose("comment", 2000, nullable=True),
    CheckConstraint("(status IN ('APPROVED', 'REJECTED')) = (decided_by_id IS NOT NULL)", name="decided_by_if_decided"),
    CheckConstraint("(status = 'PENDING') = (decided_at IS NULL)", name="decided_at_if_decided"),
    belongs_to_tenant(),
    ordered_by("created_at"),
    ordered_by("kind", "created_at"),
    ordered_by("status", "created_at"),
    ordered_by("kind", "status", "created_at"),
    found_by("subject_noun", "subject_id"),
    found_by("job_id"),
    # For the sweep, which looks in all tenants.
    Index("ix_proposals_pending", "created_at", postgresql_where=text("status = 'PENDING'")),
)


def _about_own(w: Writer, t: Alias) -> str | None:
    """Show what is about a lead or a person to whoever owns it: the evidence quotes what only they may read.

    What would make somebody new has no owner yet, and is for those who see everything.
    """
    if w.unrestricted:
        return None
    lead, person = through_lead("subject_id")(w, t), own_person("subject_id")(w, t)
    return f"case {t.subject_noun} when 'leads' then {lead} when 'people' then {person} else false end"


def _changes(_w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    return f'select * from json_to_recordset({t.changes}) as c(field text, "before" json, "after" json)'


FIELD_CHANGE: Final = value(
    {
        "field": words("field"),
        "before": document("before", null=True),
        "after": document("after", null=True),
    },
    rows=_changes,
    many=True,
)


def _evidence(_w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    return f'select * from json_to_recordset({t.evidence}) as e("text" text, interaction_id uuid)'


EVIDENCE: Final = value(
    {"text": words("text"), "interaction": Link("interactions", local="interaction_id")}, rows=_evidence, many=True
)

PROPOSAL_SOURCE: Final = value(
    {
        "kind": enum("source_kind"),
        "job": Link("jobs", local="job_id"),
        "model": words("model", null=True),
        "prompt_version": words("prompt_version", null=True),
    }
)

PROPOSALS = source(
    "proposals",
    proposals,
    prefix="proposal",
    visible=_about_own,
    default_order=("CREATED_AT", True),
    columns={
        "kind": enum("kind"),
        "status": enum("status"),
        "changes": FIELD_CHANGE,
        "reason": words("reason", null=True),
        "evidence": EVIDENCE,
        "source": PROPOSAL_SOURCE,
        "created_at": time("created_at"),
        "decided_at": time("decided_at", null=True),
    },
    links={
        "subject": Reference("subject_noun", "subject_id", frozenset({"leads", "people"})),
        "decided_by": Reference("decided_by_noun", "decided_by_id"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
    filters={
        "status": Filter("text", lambda _w, t, sent: f"{t.status} = {sent}"),
        "kind": Filter("text", lambda _w, t, sent: f"{t.kind} = {sent}"),
    },
)

_PENDING: Final = text("""
    select * from proposals where tenant_id = :tenant and subject_noun = :noun and subject_id = :subject
        and kind = :kind and status = 'PENDING'
    order by id for update
""")

_MADE: Final = text("select id from proposals where tenant_id = :tenant and job_id = :job limit 1")


class SqlProposals:
    """The proposal store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def get_for_update(self, proposal_id: UUID) -> Proposal:
        """Return a proposal that the caller may see and lock its row; raises NotFound."""
        return _proposal(await self._unit.visible_row(PROPOSALS, proposal_id))

    async def add(self, proposal: Proposal) -> None:
        """Store a new proposal."""
        subject, origin = proposal.subject, proposal.origin
        await self._unit.add(
            proposals, id=proposal.id, kind=proposal.kind.name, status=proposal.status.name,
            subject_noun=subject and subject.noun, subject_id=subject and subject.id,
            changes=[{"field": each.field, "before": each.before, "after": each.after} for each in proposal.changes],
            reason=proposal.reason,
            evidence=[
                {"text": each.text, "interaction_id": each.interaction_id and str(each.interaction_id)}
                for each in proposal.evidence
            ],
            source_kind=origin.kind.name, job_id=origin.job_id, model=origin.model,
            prompt_version=origin.prompt_version, prompt_hash=origin.prompt_hash, created_at=proposal.created_at,
        )  # fmt: skip

    async def end(self, proposal: Proposal, by: Actor | None, comment: str | None, now: datetime) -> None:
        """Store how a proposal ended, and its subject."""
        subject = proposal.subject
        await self._unit.change(
            proposals, proposal.id, status=proposal.status.name, decided_at=now, decided_by_noun=by and by.noun,
            decided_by_id=by and by.id, comment=comment, subject_noun=subject and subject.noun,
            subject_id=subject and subject.id,
        )  # fmt: skip

    async def pending(self, subject: Actor, kind: ProposalKind) -> list[Proposal]:
        """Return what else of a kind waits about a subject, and lock the rows."""
        given = {"tenant": self._unit.caller.tenant_id, "noun": subject.noun, "subject": subject.id, "kind": kind.name}
        found = await self._unit.connection.execute(_PENDING, given)
        return [_proposal(row) for row in found.mappings()]

    async def made_by(self, job_id: UUID) -> bool:
        """Whether a job has made a proposal."""
        given = {"tenant": self._unit.caller.tenant_id, "job": job_id}
        return (await self._unit.connection.execute(_MADE, given)).first() is not None


def _proposal(row: RowMapping) -> Proposal:
    subject_id = row["subject_id"]
    return Proposal(
        id=row["id"],
        kind=ProposalKind[row["kind"]],
        subject=None if subject_id is None else Actor(row["subject_noun"], subject_id),
        changes=tuple(FieldChange(**each) for each in row["changes"]),
        origin=Origin(
            ProposalSourceKind[row["source_kind"]],
            row["job_id"],
            row["model"],
            row["prompt_version"],
            row["prompt_hash"],
        ),
        created_at=row["created_at"],
        status=ProposalStatus[row["status"]],
        reason=row["reason"],
        evidence=tuple(_read_evidence(each) for each in row["evidence"]),
    )


def _read_evidence(kept: Mapping[str, str | None]) -> Evidence:
    interaction_id = kept.get("interaction_id")
    return Evidence(kept["text"] or "", UUID(interaction_id) if interaction_id else None)

"""Every source, in one catalogue, and the proof at start-up that the schema's declarations and `db` agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from db.access.source import API_KEYS, PERSISTED_OPERATIONS, SYSTEM_ACTORS, TENANTS, USERS
from db.assets.source import ASSETS, UPLOADS
from db.audit.source import ACTIVITY_ENTRIES, ACTIVITY_EVENTS, AUDIT_ENTRIES, EVENT_CURSOR
from db.canvases.source import (
    CANVAS_COMPONENTS,
    CANVAS_REVISIONS,
    CANVAS_UPDATES,
    CANVASES,
    MERGE_REQUEST_REVIEWS,
    MERGE_REQUESTS,
)
from db.cctv.source import CCTV_EVENTS
from db.events.tables import events
from db.fleet.source import HOSTS, WORKERS
from db.inference.source import INFERENCE_ITEMS, INFERENCE_PROVIDERS
from db.interactions.source import INTERACTIONS, OBJECTIONS, TRANSCRIPT_SEGMENTS
from db.jobs.source import JOB_UPDATES, JOBS
from db.leads.demographics import LEAD_DEMOGRAPHICS
from db.leads.pipeline import PIPELINE, PIPELINE_STAGE
from db.leads.source import LEADS, PROPERTY_INTERESTS, STAGE_CHANGES
from db.migrations.declared import NOUNS
from db.notifications import NOTIFICATION_EVENTS, NOTIFICATIONS
from db.opportunities import OPPORTUNITIES
from db.people.source import ACCOUNTS, DUPLICATE, FACTS, HOUSEHOLDS, PEOPLE, PERSON_ACCOUNT, RELATIONSHIPS
from db.perception.sessions import CONSENTS, ERASURES, PERCEPTION_SCORE_EVENTS, PERCEPTION_SESSIONS, SUMMARY
from db.perception.source import SENTIMENT_POINTS, SENTIMENT_SCATTER
from db.properties.source import PROJECTS, PROPERTIES, PROPERTY_MEDIA
from db.proposals import EVIDENCE, FIELD_CHANGE, PROPOSAL_SOURCE, PROPOSALS
from db.reading.source import Catalogue, Choice, Column, Entry, Link, Reference, Source, Value
from db.tasks import TASKS
from db.threads.source import THREAD_MESSAGE_EVENTS, THREAD_MESSAGES, THREADS
from db.videos import SCENES, VIDEOS
from domain.reading import Declaration, FieldDeclaration, FieldKind

TABLES: Final = NOUNS
"""Where every table is declared. Statements name those of other nouns, which are known once they are imported."""

CATALOGUE: Final = Catalogue()
CATALOGUE.add(TENANTS, USERS, SYSTEM_ACTORS, API_KEYS, PERSISTED_OPERATIONS, AUDIT_ENTRIES, ACTIVITY_ENTRIES)
CATALOGUE.add(PEOPLE, HOUSEHOLDS, RELATIONSHIPS, ACCOUNTS, FACTS)
CATALOGUE.add(LEADS, STAGE_CHANGES, PROPERTY_INTERESTS)
CATALOGUE.add(OPPORTUNITIES)
CATALOGUE.add(PROJECTS, PROPERTIES, PROPERTY_MEDIA, UPLOADS)
CATALOGUE.add(PROPOSALS)
CATALOGUE.add(INTERACTIONS, TRANSCRIPT_SEGMENTS, OBJECTIONS, TASKS)
CATALOGUE.add(CONSENTS, ERASURES, PERCEPTION_SESSIONS, VIDEOS, SCENES, NOTIFICATIONS)
CATALOGUE.add(THREADS, THREAD_MESSAGES)
CATALOGUE.add(JOBS)
CATALOGUE.add(INFERENCE_ITEMS, INFERENCE_PROVIDERS)
CATALOGUE.add(ASSETS)
CATALOGUE.add(HOSTS, WORKERS)
CATALOGUE.add(CANVASES, CANVAS_REVISIONS, CANVAS_COMPONENTS, MERGE_REQUESTS, MERGE_REQUEST_REVIEWS)
CATALOGUE.add(CCTV_EVENTS)
CATALOGUE.events = events
CATALOGUE.values |= {
    "activity_events": ACTIVITY_EVENTS,
    "canvas_updates": CANVAS_UPDATES,
    "event_cursor": EVENT_CURSOR,
    "evidence": EVIDENCE,
    "field_changes": FIELD_CHANGE,
    "job_updates": JOB_UPDATES,
    "lead_demographics": LEAD_DEMOGRAPHICS,
    "notification_events": NOTIFICATION_EVENTS,
    "perception_score_events": PERCEPTION_SCORE_EVENTS,
    "perception_summaries": SUMMARY,
    "person_accounts": PERSON_ACCOUNT,
    "person_duplicates": DUPLICATE,
    "pipeline": PIPELINE,
    "proposal_sources": PROPOSAL_SOURCE,
    "sentiment_points": SENTIMENT_POINTS,
    "sentiment_scatter": SENTIMENT_SCATTER,
    "pipeline_stage": PIPELINE_STAGE,
    "thread_message_events": THREAD_MESSAGE_EVENTS,
}


def disagreements(catalogue: Catalogue, declarations: Iterable[Declaration]) -> list[str]:
    """Return every declared field, filter or order that `db` lacks, and every promise that it cannot keep."""
    found: list[str] = []
    declared = list(declarations)
    values = {each.name: each for each in declared if each.prefix is None}
    for declaration in declared:
        if declaration.prefix is None:
            if declaration.name in catalogue.values:
                found += _inside(catalogue, catalogue.values[declaration.name], declaration, values)
            continue
        source = catalogue.sources.get(declaration.name)
        if source is None:
            found.append(f"{declaration.name}: no source has this name.")
            continue
        if source.prefix != declaration.prefix:
            found.append(f"{declaration.name}: the prefix is {declaration.prefix!r} in graph, {source.prefix!r} in db.")
        found += [problem for field in declaration.fields for problem in _field(catalogue, source, field, values)]
        found += _missing(declaration.name, "filter", declaration.filters, source.filters)
        found += _missing(declaration.name, "order", declaration.orders, source.orders)
    return found


def _field(
    catalogue: Catalogue, source: Source, field: FieldDeclaration, values: Mapping[str, Declaration]
) -> list[str]:
    name = f"{source.noun}.{field.name}"
    if field.name in {"id", "restricted_fields"}:
        return []
    if field.kind is FieldKind.COLUMN:
        return _column(catalogue, name, source.fields.get(field.name), field, values)
    link = source.links.get(field.name)
    if link is None:
        return [f"{name}: no link has this name."]
    return _link(catalogue, name, field, source, link)


def _column(
    catalogue: Catalogue, name: str, entry: Entry | None, field: FieldDeclaration, values: Mapping[str, Declaration]
) -> list[str]:
    if entry is None:
        return [f"{name}: no column has this name."]
    if _nullable(entry) and not field.nullable:
        return [f"{name}: not null in graph, but null or masked in db."]
    inside = values.get(field.target or "")
    return _inside(catalogue, entry, inside, values) if isinstance(entry, Value) and inside is not None else []


def _inside(
    catalogue: Catalogue, value: Value, declaration: Declaration, values: Mapping[str, Declaration]
) -> list[str]:
    """Compare a value's fields, and those of the values in it."""
    found: list[str] = []
    for field in declaration.fields:
        name, entry = f"{declaration.name}.{field.name}", value.fields.get(field.name)
        if not isinstance(entry, Link):
            found += _column(catalogue, name, entry, field, values)
        elif entry.target != field.target:
            found.append(f"{name}: leads to {field.target!r} in graph, to {entry.target!r} in db.")
        elif entry.target not in catalogue.sources:
            found.append(f"{name}: its target {entry.target!r} is no source.")
    return found


def _link(
    catalogue: Catalogue, name: str, field: FieldDeclaration, source: Source, link: Link | Reference
) -> list[str]:
    if isinstance(link, Reference):
        return [] if field.kind is FieldKind.REFERENCE and field.nullable else [f"{name}: a reference is nullable."]
    if link.target not in catalogue.sources:
        return [f"{name}: its target {link.target!r} is no source."]
    if field.target != link.target:
        return [f"{name}: leads to {field.target!r} in graph, to {link.target!r} in db."]
    if field.kind in {FieldKind.CONNECTION, FieldKind.LIST}:
        return [] if link.remote is not None else [f"{name}: a connection or a list needs a remote column."]
    column = source.table.columns[link.local] if isinstance(link.local, str) else None
    certain = column is not None and not column.nullable and link.mask is None
    return [] if field.nullable or certain else [f"{name}: not null in graph, but its key may be null."]


def _nullable(entry: Entry) -> bool:
    if entry.mask is not None:
        return True
    match entry:
        case Column():
            return entry.null
        case Value():
            return entry.null is not None
        case Choice():
            return True


def _missing(noun: str, what: str, wanted: Iterable[str], there: Mapping[str, object]) -> list[str]:
    return [f"{noun}: no {what} {name!r} in db." for name in wanted if name not in there]

"""How leads, their stage changes and their property interests are read."""

from __future__ import annotations

from db.leads.tables import leads, property_interests, stage_changes
from db.reading.conditions import contains
from db.reading.fields import enum, money, text, texts, time
from db.reading.source import Filter, Link, Ordering, Reference, source
from db.reading.writer import Alias, Writer
from db.visibility import OWN_LEAD, OWN_PERSON, any_of, own_lead, own_person, through_lead


def _next_task(w: Writer, t: Alias) -> str:
    task = w.alias("tasks")
    return (
        f"(select {task.id} from tasks {task.name} where {task.tenant_id} = {w.tenant} and {task.lead_id} = {t.id}"
        f" and {task.status} = 'OPEN' order by {task.due_or_never}, {task.id} limit 1)"
    )


def _of_person_named(w: Writer, t: Alias, value: str) -> str:
    person = w.alias("people")
    return (
        f"exists (select from people {person.name} where {person.tenant_id} = {w.tenant}"
        f" and {person.id} = {t.person_id} and {contains(person.search_name, value)})"
    )


LEADS = source(
    "leads",
    leads,
    prefix="lead",
    visible=own_lead,
    proves={OWN_LEAD: "id", OWN_PERSON: "person_id"},
    default_order=("CREATED_AT", True),
    columns={
        "stage": enum("stage"),
        "source": enum("source"),
        "qualification": enum("qualification", null=True),
        "tags": texts("tags"),
        "budget": money("budget", null=True),
        "lost_reason": enum("lost_reason", null=True),
        "stage_changed_at": time("stage_changed_at"),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
    },
    links={
        "person": Link("people", local="person_id"),
        "assignee": Link("users", local="assignee_id"),
        "next_task": Link("tasks", local=_next_task),
        "stage_history": Link("stage_changes", remote="lead_id"),
        "property_interests": Link("property_interests", remote="lead_id"),
        "opportunities": Link("opportunities", remote="lead_id"),
        "tasks": Link("tasks", remote="lead_id"),
    },
    orders={
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
        "STAGE": Ordering(lambda t: t.stage_position, "smallint"),
        "BUDGET": Ordering(lambda t: t.budget_hundredths, "bigint"),
    },
    filters={
        "stages": Filter("text[]", lambda _w, t, value: f"{t.stage} = any({value})"),
        "sources": Filter("text[]", lambda _w, t, value: f"{t.source} = any({value})"),
        "tags": Filter("text[]", lambda _w, t, value: f"{t.tags} @> {value}"),
        "assignee_ids": Filter("uuid[]", lambda _w, t, value: f"{t.assignee_id} = any({value})"),
        "updated_after": Filter("timestamptz", lambda _w, t, value: f"{t.updated_at} > {value}"),
        "search": Filter("text", _of_person_named),
    },
)

STAGE_CHANGES = source(
    "stage_changes",
    stage_changes,
    prefix="stagechange",
    visible=through_lead("lead_id"),
    default_order=("CREATED_AT", True),
    columns={
        "from_stage": enum("from_stage", null=True),
        "to_stage": enum("to_stage"),
        "at": time("at"),
        "note": text("note", null=True),
        "lost_reason": enum("lost_reason", null=True),
    },
    links={"by": Reference("by_noun", "by_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.at, "timestamptz")},
)

PROPERTY_INTERESTS = source(
    "property_interests",
    property_interests,
    prefix="propertyinterest",
    visible=any_of(through_lead("lead_id"), own_person("person_id")),
    default_order=("CREATED_AT", True),
    columns={
        "level": enum("level"),
        "configuration": text("configuration", null=True),
        "created_at": time("created_at"),
    },
    links={
        "property": Link("properties", local="property_id"),
        "project": Link("projects", local="project_id"),
        "lead": Link("leads", local="lead_id"),
        "person": Link("people", local="person_id"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)

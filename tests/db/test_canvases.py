"""Whom the kept rows of canvases are about: every noun says who is behind it, and is right."""

from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from asyncpg import Connection, Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.canvases.subjects import ABOUT_NOBODY, PEOPLE_OF, keep_subjects
from db.sources import CATALOGUE
from domain.access import Role
from domain.canvases import ColumnType, DataColumn, DataRows, Subject
from domain.values import new_id
from tests.factories import (
    canvases,
    cctv,
    inference,
    interactions,
    jobs,
    leads,
    people,
    perception,
    properties,
    proposals,
    tasks,
    threads,
)
from tests.factories.access import Tenant
from tests.factories.rows import insert

Owner: TypeAlias = "Connection[Record]"

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


def test_every_noun_says_who_is_behind_it() -> None:
    assert PEOPLE_OF.keys() | ABOUT_NOBODY == CATALOGUE.sources.keys()
    assert not PEOPLE_OF.keys() & ABOUT_NOBODY


async def kept(engine: AsyncEngine, owner: Owner, tenant: Tenant, *subjects: Subject) -> set[Subject]:
    """Keep rows that were read from these; whom they are about."""
    columns = (DataColumn("n", "N", ColumnType.NUMBER),)
    rows = DataRows(columns, [{"n": 1}], truncated=False, as_of=AT, subjects=frozenset(subjects))
    digest = await canvases.data(owner, tenant, author=Role.ADMIN, rows=[{"n": 1}], known_by=rows.digest)
    async with engine.begin() as connection:
        await connection.execute(text("select set_config('app.tenant_id', :t, true)"), {"t": str(tenant.id)})
        await keep_subjects(connection, tenant.id, rows)
    found = await owner.fetch("SELECT * FROM canvas_data_subjects WHERE digest = $1", digest)
    return {(row["subject_noun"], row["subject_id"]) for row in found}


async def of_each(owner: Owner, tenant: Tenant, person: UUID) -> dict[str, UUID]:
    """Make a row of every noun that is about a person."""
    of: dict[str, UUID] = {"people": person}
    of["leads"] = await people.lead(owner, tenant, person_id=person)
    of["opportunities"] = await leads.opportunity(owner, tenant, lead_id=of["leads"], person_id=person)
    of["property_interests"] = await properties.interest(
        owner, tenant, person_id=person, project_id=await properties.project(owner, tenant)
    )
    of["interactions"] = call = await interactions.interaction(owner, tenant, person_id=person)
    of["transcript_segments"] = await interactions.segment(owner, tenant, call_id=call, text="Hello.", start_ms=0)
    of["objections"] = await interactions.objection(owner, tenant, call_id=call)
    of["facts"] = await people.fact(owner, tenant, person_id=person)
    of["tasks"] = await tasks.task(owner, tenant, lead_id=of["leads"])
    of["proposals"] = await proposals.proposal(owner, tenant, lead_id=of["leads"])
    of["threads"] = await threads.thread(owner, tenant, person_id=person)
    of["thread_messages"] = await threads.message(owner, tenant, thread_id=of["threads"], sent_at=AT)
    of["consents"] = await perception.consent(owner, tenant, person_id=person, granted_at=AT)
    of |= {noun: new_id() for noun in ("stage_changes", "erasures", "activity_entries")}
    await insert(owner, "stage_changes", tenant.id, id=of["stage_changes"], lead_id=of["leads"], to_stage="NEW", at=AT)
    await insert(
        owner, "erasures", tenant.id, id=of["erasures"], consent_id=of["consents"], person_id=person, scope="SUBJECT",
        status="DONE", requested_by_noun="users", requested_by_id=tenant.users[Role.ADMIN], requested_at=AT,
        finished_at=AT,
    )  # fmt: skip
    await insert(
        owner, "activity_entries", tenant.id, id=of["activity_entries"], kind="LEAD_CREATED", summary="New lead",
        person_id=person, at=AT, sequence=1, actor_noun="users", actor_id=tenant.users[Role.ADMIN],
    )  # fmt: skip
    return of


async def test_behind_each_row_the_people_whom_it_is_about_are_found(
    write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant
) -> None:
    owner = owner_connection
    household = await people.household(owner, tenant)
    asha, omar = [await people.person(owner, tenant, household_id=household) for _ in range(2)]
    of = await of_each(owner, tenant, asha)
    session = await perception.session(
        owner, tenant, consent_id=of["consents"], started_by_id=tenant.users[Role.ADMIN], person_id=asha
    )
    tie = await people.relationship(owner, tenant, person_id=omar, other_id=asha)
    arrival, passing = [await cctv.event(owner, tenant, session_id=each) for each in (session, None)]
    nobodys = await threads.thread(owner, tenant, address="+971500000000")

    apart = {"cctv_events", "households", "inference_items", "jobs", "perception_sessions", "relationships"}
    assert PEOPLE_OF.keys() == of.keys() | apart
    for noun, row_id in of.items():
        assert await kept(write_engine, owner, tenant, (noun, row_id)) == {("people", asha)}, noun
    both = {("people", asha), ("people", omar)}
    assert await kept(write_engine, owner, tenant, ("households", household)) == both
    fact = await proposals.proposal(owner, tenant, person_id=omar)
    assert await kept(write_engine, owner, tenant, ("proposals", fact), ("proposals", of["proposals"])) == both
    assert await kept(write_engine, owner, tenant, ("relationships", tie)) == both
    seen = {("people", asha), ("perception_sessions", session)}
    assert await kept(write_engine, owner, tenant, ("perception_sessions", session)) == seen
    assert await kept(write_engine, owner, tenant, ("cctv_events", arrival), ("cctv_events", passing)) == seen
    everything = [
        *of.items(),
        ("perception_sessions", session),
        ("cctv_events", arrival),
        ("users", tenant.users[Role.ADMIN]),
    ]
    assert await kept(write_engine, owner, tenant, *everything) == seen
    assert await kept(write_engine, owner, tenant, ("threads", nobodys), ("users", new_id())) == set()


async def test_behind_work_for_models_are_those_whom_it_is_about_and_itself(
    write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant
) -> None:
    """Itself, too: what a client asks is about whoever is named in it, which nobody knows yet."""
    owner, admin = owner_connection, tenant.users[Role.ADMIN]
    asha = await people.person(owner, tenant)
    consent = await perception.consent(owner, tenant, person_id=asha, granted_at=AT)
    visit = await perception.session(owner, tenant, consent_id=consent, started_by_id=admin, person_id=asha)
    event = await cctv.event(owner, tenant, session_id=visit)
    about = {
        "people": asha, "leads": await people.lead(owner, tenant, person_id=asha), "perception_sessions": visit,
        "cctv_events": event,
    }  # fmt: skip
    for noun, row_id in about.items():
        work = await jobs.job(owner, tenant, requested_by=admin, subject_noun=noun, subject_id=row_id)
        item = await inference.item(owner, tenant, job_id=work)
        seen = {("people", asha)}
        if noun in {"perception_sessions", "cctv_events"}:
            seen.add(("perception_sessions", visit))
        assert await kept(write_engine, owner, tenant, ("jobs", work)) == seen | {("jobs", work)}
        assert await kept(write_engine, owner, tenant, ("inference_items", item)) == seen | {("inference_items", item)}
    nobodys = await jobs.job(owner, tenant, requested_by=admin)
    assert await kept(write_engine, owner, tenant, ("jobs", nobodys)) == {("jobs", nobodys)}


async def test_behind_a_match_is_the_visit_that_it_speaks_of(
    write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant
) -> None:
    asha = await people.person(owner_connection, tenant)
    consent = await perception.consent(owner_connection, tenant, granted_at=AT, subject_kind="VISITOR")
    visit = await perception.session(
        owner_connection, tenant, consent_id=consent, started_by_id=tenant.users[Role.ADMIN]
    )
    changes = [{"field": "session", "before": None, "after": {"id": f"session_{visit}"}}]
    match, erased = [
        await proposals.proposal(
            owner_connection, tenant, person_id=asha, kind="MATCH", source_kind="RULES", changes=each
        )
        for each in (changes, [])
    ]
    found = await kept(write_engine, owner_connection, tenant, ("proposals", match), ("proposals", erased))
    assert found == {("people", asha), ("perception_sessions", visit)}

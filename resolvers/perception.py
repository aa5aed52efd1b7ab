"""The edge of the perception use cases."""

from __future__ import annotations

from uuid import UUID

from domain import cctv, leads, perception
from domain.access import Permission
from domain.errors import Invalid, Issue
from domain.leads import LeadSource
from domain.people import details
from domain.unit import Unit
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.PERCEPTION_WRITE)
async def consent_grant(context: Context, command: perception.ConsentGrant, idempotency_key: str | None) -> UUID:
    """Record a consent."""
    return await perform(context, perception.grant, command, idempotency_key)


@allow(Permission.PERCEPTION_WRITE)
async def consent_withdraw(context: Context, command: perception.ConsentWithdraw) -> perception.Withdrawn:
    """Take a consent back, and begin with the erasure; the sweep goes on with what is more than one unit erases."""
    done = await perform(context, perception.withdraw, command)
    if done.erasure_id is not None:
        await perform(context, perception.run, done.erasure_id)
    return done


@allow(Permission.PERCEPTION_WRITE)
async def perception_session_start(
    context: Context, command: perception.SessionStart, idempotency_key: str | None
) -> UUID:
    """Begin to measure somebody who consented; what cameras saw of their arrival becomes evidence of it."""
    return await perform(context, _start, command, idempotency_key)


@allow(Permission.PERCEPTION_WRITE)
async def perception_ingest(context: Context, command: perception.PerceptionIngest) -> perception.Ingested:
    """Score a batch of packets."""
    return await perform(context, perception.ingest, command, brief=True)


@allow(Permission.PERCEPTION_WRITE)
async def perception_session_complete(context: Context, command: perception.SessionComplete) -> UUID:
    """End a session and sum it up."""

    async def complete(unit: Unit, command: perception.SessionComplete) -> UUID:
        return await perception.complete(unit, command, context.after_session)

    return await perform(context, complete, command)


@allow(Permission.PERCEPTION_WRITE)
async def perception_session_match(context: Context, command: perception.SessionMatch) -> perception.Matched:
    """Store who the visitor of a session was. Somebody new becomes a person and a lead, by the rules of both."""

    async def match(unit: Unit, command: perception.SessionMatch) -> perception.Matched:
        matched = await perception.match(unit, command, _open_lead)
        await cctv.settle(unit, matched.session_id)
        return matched

    return await perform(context, match, command)


async def _start(unit: Unit, command: perception.SessionStart) -> UUID:
    session_id = await perception.start(unit, command)
    await cctv.gather(unit, session_id)
    return session_id


async def _open_lead(unit: Unit, visitor: perception.WalkInLead) -> tuple[UUID, UUID]:
    try:
        made = await details.create(unit, details.PersonCreate(full_name=visitor.full_name, phone=visitor.phone))
    except Invalid as error:
        issues = (Issue(f"target.newLead.{issue.field}", issue.message) for issue in error.issues)
        raise Invalid(issues=tuple(issues)) from error
    lead_id = await leads.create(unit, leads.LeadCreate(made.person_id, LeadSource.WALK_IN))
    return made.person_id, lead_id

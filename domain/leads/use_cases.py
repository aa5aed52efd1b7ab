"""What is done with leads: open, move, update and assign them, and note what their people want."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain import notifications
from domain.access import Actor
from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Invalid, Issue
from domain.leads.rules import (
    PersonFollowed,
    PersonNotFollowed,
    check_active,
    check_assignee,
    check_move,
    check_taking,
    has_new_tag,
    normalised_tags,
)
from domain.leads.store import Lead, LeadAssign, LeadCreate, LeadMove, LeadUpdate, PropertyInterestSet
from domain.notifications import News, NotificationKind
from domain.values import UNSET, new_id

if TYPE_CHECKING:
    from domain.unit import Unit

TAGGED: Final = "Somebody else gives your lead a tag that it did not have."
"""The rule behind LEAD_TAGGED."""


async def create(unit: Unit, command: LeadCreate) -> UUID:
    """Open a lead. It belongs to whoever opens it unless another assignee is named.

    A lead shows a person's contact details to whoever works on it, so nobody opens one for a person whom somebody else
    follows already. Raises NotFound, OutsideTeam, AssigneeNotActive or PersonFollowed.
    """
    assignee_id = command.assignee_id or unit.caller.user_id
    check_assignee(unit.caller, assignee_id)
    await check_active(unit, assignee_id)
    client = await unit.leads.client(command.person_id, "personId")
    if client.followed and not client.own:
        raise PersonFollowed(field="personId")
    lead_id = new_id()
    await unit.leads.add(lead_id, replace(command, person_id=client.id, assignee_id=assignee_id), unit.now)
    await unit.people.touch(client.id)
    unit.record(
        Change(
            action=AuditAction.CREATE,
            event="LeadCreated",
            noun="leads",
            id=lead_id,
            fields=("person", "source", "assignee", *(("budget",) if command.budget else ())),
            person_id=client.id,
            activity=CrmActivityKind.LEAD_CREATED,
            summary=f"New lead from {command.source.name}",
        )
    )
    return lead_id


async def move(unit: Unit, command: LeadMove) -> UUID:
    """Move a lead and remember by whom."""
    lead = await unit.leads.get_for_update(command.lead_id)
    check_move(lead, command)
    note = (command.note or "").strip() or None
    await unit.leads.set_stage(lead, replace(command, note=note), unit.caller.actor, unit.now)
    await unit.people.touch(lead.person_id)
    unit.record(
        Change(
            action=AuditAction.UPDATE,
            event="LeadMoved",
            noun="leads",
            id=lead.id,
            fields=("stage",),
            person_id=lead.person_id,
            payload=(("fromStage", lead.stage.name), ("toStage", command.to_stage.name)),
            activity=CrmActivityKind.LEAD_ADVANCED,
            summary=f"Lead moved from {lead.stage.name} to {command.to_stage.name}",
        )
    )
    return lead.id


async def update(unit: Unit, command: LeadUpdate) -> UUID:
    """Store what is known better about a lead. A command that gives nothing changes nothing."""
    wanted = _checked(command)
    lead = await unit.leads.get_for_update(command.lead_id)
    names = ("source", "qualification", "tags", "budget")
    given = tuple(name for name in names if getattr(wanted, name) is not UNSET)
    if given:
        await unit.leads.set_details(wanted, unit.now)
        await unit.people.touch(lead.person_id)
        unit.record(_updated(lead, "LeadUpdated", given))
    if isinstance(wanted.tags, list) and has_new_tag(lead, wanted.tags):
        await _tell_tagged(unit, lead)
    return lead.id


async def assign(unit: Unit, command: LeadAssign) -> UUID:
    """Give a lead to somebody, or to nobody. Assigning it to who has it changes nothing.

    Raises NotFound, OutsideTeam or AssigneeNotActive.
    """
    lead = await unit.leads.get_for_update(command.lead_id)
    check_taking(unit.caller, lead)
    check_assignee(unit.caller, command.assignee_id)
    if command.assignee_id != lead.assignee_id:
        if command.assignee_id is not None:
            await check_active(unit, command.assignee_id)
        await unit.leads.set_assignee(lead.id, command.assignee_id, unit.now)
        await unit.people.touch(lead.person_id)
        unit.record(_updated(lead, "LeadAssigned", ("assignee",)))
    return lead.id


async def set_interest(unit: Unit, command: PropertyInterestSet) -> UUID:
    """Note how much a person wants something; said again, the level is changed.

    Raises Invalid, NotFound or PersonNotFollowed.
    """
    if command.property_id is None and command.project_id is None:
        raise Invalid("An interest is in a property or in a project.", field="propertyId")
    # The lead comes before its person, as in every unit that locks both.
    lead = None if command.lead_id is None else await unit.leads.get_for_update(command.lead_id)
    client = await unit.leads.client(command.person_id, "personId")
    if lead is not None and lead.person_id != client.id:
        raise Invalid("This lead is another person's.", field="leadId")
    if lead is None and not client.own:
        raise PersonNotFollowed(field="personId")
    if command.property_id is not None:
        project_id = await unit.leads.project_of(command.property_id, "propertyId")
        if command.project_id not in {None, project_id}:
            raise Invalid("This property belongs to another project.", field="projectId")
    kept = await unit.leads.keep_interest(replace(command, person_id=client.id), unit.now)
    await unit.people.touch(client.id)
    unit.record(
        Change(
            action=AuditAction.CREATE if kept.created else AuditAction.UPDATE,
            event="PropertyInterestSet",
            noun="property_interests",
            id=kept.id,
            fields=("level", *(("configuration",) if command.configuration is not UNSET else ())),
            person_id=client.id,
            payload=(("level", command.level.name),),
        )
    )
    return kept.id


async def _tell_tagged(unit: Unit, lead: Lead) -> None:
    """Tell whoever works on a lead that it has a new tag, unless they gave it."""
    if lead.assignee_id is None or lead.assignee_id == unit.caller.user_id:
        return
    told = News(NotificationKind.LEAD_TAGGED, TAGGED, "A lead has a new tag", Actor("leads", lead.id))
    await notifications.tell(unit, told, await unit.notifications.following(None, lead.assignee_id))


def _checked(command: LeadUpdate) -> LeadUpdate:
    always = ("source", "tags")
    missing = [Issue(name, f"A lead always has {name}.") for name in always if getattr(command, name) is None]
    if missing:
        raise Invalid(issues=tuple(missing))
    return replace(command, tags=normalised_tags(command.tags)) if isinstance(command.tags, list) else command


def _updated(lead: Lead, event: str, fields: tuple[str, ...]) -> Change:
    return Change(AuditAction.UPDATE, event, "leads", lead.id, fields, lead.person_id)

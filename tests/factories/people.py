"""People and leads."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.access import Role
from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def person(owner: "Connection[Record]", of: Tenant, *, full_name: str = "Asha Rao", **values: Any) -> UUID:
    """Make a person."""
    person_id = new_id()
    await insert(owner, "people", of.id, id=person_id, full_name=full_name, **values)
    return person_id


async def client(owner: "Connection[Record]", of: Tenant, role: Role = Role.JUNIOR_BROKER, **values: Any) -> UUID:
    """Make a person with a lead that the user of a role works on."""
    person_id, _ = await client_and_lead(owner, of, role, **values)
    return person_id


async def client_and_lead(
    owner: "Connection[Record]", of: Tenant, role: Role = Role.JUNIOR_BROKER, **values: Any
) -> tuple[UUID, UUID]:
    """Make a person with a lead that the user of a role works on; return both."""
    person_id = await person(owner, of, **values)
    return person_id, await lead(owner, of, person_id=person_id, assignee_id=of.users[role])


async def lead(owner: "Connection[Record]", of: Tenant, *, person_id: UUID, **values: Any) -> UUID:
    """Make a lead, NEW from the website unless told otherwise."""
    lead_id = new_id()
    values = {"stage": "NEW", "source": "WEBSITE", "stage_changed_at": datetime.now(UTC), **values}
    await insert(owner, "leads", of.id, id=lead_id, person_id=person_id, **values)
    return lead_id


async def household(owner: "Connection[Record]", of: Tenant, *, name: str = "The Khans") -> UUID:
    """Make a household without members."""
    household_id = new_id()
    await insert(owner, "households", of.id, id=household_id, name=name)
    return household_id


async def relationship(
    owner: "Connection[Record]", of: Tenant, *, person_id: UUID, other_id: UUID, kind: str = "SPOUSE"
) -> UUID:
    """Make one direction of a tie."""
    relationship_id = new_id()
    await insert(owner, "relationships", of.id, id=relationship_id, person_id=person_id, other_id=other_id, kind=kind)
    return relationship_id


async def account(owner: "Connection[Record]", of: Tenant, *, name: str = "Khan Textiles") -> UUID:
    """Make a company."""
    account_id = new_id()
    await insert(owner, "accounts", of.id, id=account_id, name=name, kind="COMPANY")
    return account_id


async def fact(owner: "Connection[Record]", of: Tenant, *, person_id: UUID, **values: Any) -> UUID:
    """Make what a model read about a person: a preference, unless told otherwise."""
    fact_id = new_id()
    values = {
        "kind": "PREFERENCE", "text": "A sea view", "confidence": 0.8, "source": "MODEL",
        "extracted_at": datetime(2026, 1, 1, tzinfo=UTC), **values,
    }  # fmt: skip
    await insert(owner, "facts", of.id, id=fact_id, person_id=person_id, **values)
    return fact_id

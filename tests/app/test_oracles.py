"""Nobody learns from an answer, nor from the work behind it, whether an account or a record is there.

The work is counted, not timed: statements of both pools, and rounds of Argon2.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from asyncpg import Connection, Record
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.access.passwords import Argon2Passwords
from app.wiring import System
from domain.access import Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import access
from tests.factories.access import Tenant
from tests.factories.people import lead, person
from tests.factories.rows import insert


class Counting(PasswordHasher):
    """Argon2 that counts its rounds."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.rounds = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.rounds += 1
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.rounds += 1
        return super().verify(hash, password)


@dataclass(slots=True)
class Work:
    """Runs operations and counts what they cost."""

    api: Api
    hasher: Counting
    engine: AsyncEngine
    written: int = 0

    def count(self, *_: object) -> None:
        self.written += 1

    async def of(self, name: str, **variables: Any) -> tuple[Answer, tuple[int, int, int]]:
        """Return the answer, and its rounds of Argon2, read statements and written statements."""
        rounds, written = self.hasher.rounds, self.written
        answer = await self.api.run(name, **variables)
        return answer, (self.hasher.rounds - rounds, self.api.statements, self.written - written)


@pytest.fixture
async def work(system: System, tenant: Tenant) -> AsyncIterator[Work]:
    """The system with passwords that are counted."""
    hasher = Counting()
    passwords = Argon2Passwords(hasher)
    engine = system.units._engine
    counted = Work(Api(replace(system, sign_in=replace(system.sign_in, passwords=passwords)), tenant), hasher, engine)
    event.listen(engine.sync_engine, "before_cursor_execute", counted.count)
    yield counted
    event.remove(engine.sync_engine, "before_cursor_execute", counted.count)
    passwords.close()


async def test_signing_in_costs_the_same_whoever_is_not_let_in(
    work: Work, tenant: Tenant, other_tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    emails = [f"{new_id()}@test.example" for _ in range(4)]
    known, foreign, unset = emails[1:]
    await access.password(owner_connection, tenant, tenant.users[Role.ADMIN], email=known, secret="right")
    foreigner = other_tenant.users[Role.JUNIOR_BROKER]
    await access.password(owner_connection, other_tenant, foreigner, email=foreign, secret="right")
    without = {"user_id": tenant.users[Role.SALES_DIRECTOR], "email_normalised": unset, "password_hash": None}
    await insert(owner_connection, "sign_ins", tenant.id, **without)

    # What is done once in a process is done for whoever comes first, be it a stranger.
    await work.of("Login", role=None, email=f"{new_id()}@test.example", password="wrong")
    found = [await work.of("Login", role=None, email=email, password="wrong") for email in emails]
    assert found[0][0]["data"]["login"]["message"] == "The e-mail address or the password is wrong."
    assert [answer for answer, _ in found] == [found[0][0]] * 4
    assert len({cost for _, cost in found}) == 1, dict(zip(emails, found, strict=True))


async def test_refreshing_costs_the_same_for_any_token_that_is_none(work: Work) -> None:
    tokens = ("", "x", "y" * 43, str(new_id()), "é")
    found = [await work.of("SessionRefresh", role=None, refreshToken=token) for token in tokens]
    assert [each for each in found if each != found[0]] == []


@pytest.mark.parametrize("role", [Role.JUNIOR_BROKER, Role.SENIOR_BROKER])
async def test_a_record_out_of_sight_costs_and_reads_like_none(
    role: Role, work: Work, tenant: Tenant, other_tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    """One of nobody's, one of another's in the same tenant, one of another tenant's, and one that never was."""
    hidden_person = await person(owner_connection, tenant)
    other = {"assignee_id": tenant.users[Role.ADMIN]}
    hidden = await lead(owner_connection, tenant, person_id=hidden_person, **other)
    foreign = await lead(owner_connection, other_tenant, person_id=await person(owner_connection, other_tenant))
    for name, variables in {
        "query ($leadId: ID!) { lead(id: $leadId) { id stage } }": {},
        "query ($leadId: ID!) { node(id: $leadId) { id } }": {},
        "LeadMove": {"toStage": "CONTACTED"},
        "LeadUpdate": None,
    }.items():
        found = []
        for lead_id in (new_id(), hidden, foreign):
            named = f"lead_{lead_id}"
            given = {"input": {"leadId": named}} if variables is None else {"leadId": named} | variables
            found.append(await work.of(name, role=role, **given))
        assert [each for each in found if each != found[0]] == [], name

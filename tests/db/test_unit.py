"""A unit of work is all or nothing: each of its writes is made to fail in turn, and nothing at all is left of it.

And the numbers that a tenant's units get are gapless and in commit order, however many of them run at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import asyncpg
import pytest
from asyncpg import Connection, Record
from sqlalchemy.exc import DBAPIError

from db.roles import set_tenant
from domain.access import Role
from domain.audit import GENESIS
from domain.leads import LeadCreate, LeadMove, LeadSource, LeadStage
from domain.people.merge import PersonMerge
from domain.threads import MessageSend
from graph.context import GraphContext
from resolvers import leads as resolve
from resolvers import people as resolve_people
from resolvers import threads as resolve_threads
from tests.api import Api
from tests.factories import people, perception, tasks, threads
from tests.factories.access import Tenant
from tests.factories.rows import insert

Owner: TypeAlias = "Connection[Record]"
Attempt: TypeAlias = Callable[[], Awaitable[object]]

TABLES: Final = (
    "leads",
    "stage_changes",
    "people",
    "audit_entries",
    "events",
    "activity_entries",
    "tenant_heads",
    "idempotency_keys",
    "threads",
    "thread_messages",
    "interactions",
    "facts",
    "tasks",
    "consents",
    "relationships",
    "person_accounts",
    "person_duplicates",
    "property_interests",
)
"""What the mutations of this module write to."""

# Counts the rows that this tenant's transaction writes, over all tables, and fails at the one whose turn it is.
FAULT: Final = """
CREATE FUNCTION fail_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    nth integer := coalesce(nullif(current_setting('test.write', true), ''), '0')::integer + 1;
BEGIN
    IF NEW.tenant_id = '{tenant}' THEN
        PERFORM set_config('test.write', nth::text, true);
        IF nth = {turn} THEN
            RAISE EXCEPTION 'write % fails: % of %', nth, TG_OP, TG_TABLE_NAME USING ERRCODE = 'P0001';
        END IF;
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGER: Final = """
CREATE TRIGGER fail_in_turn AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION fail_in_turn()
"""


class Faults:
    """Makes the n-th write of a tenant fail."""

    def __init__(self, owner: Owner, tenant: Tenant) -> None:
        self._owner = owner
        self._tenant = tenant

    async def at(self, turn: int) -> None:
        """Let the write of this number fail; 0 is none."""
        fault = FAULT.format(tenant=self._tenant.id, turn=turn)
        await self._owner.execute(fault.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))


@pytest.fixture
async def faults(owner_connection: Owner, tenant: Tenant) -> AsyncIterator[Faults]:
    made = Faults(owner_connection, tenant)
    await made.at(0)
    for table in TABLES:
        await owner_connection.execute(TRIGGER.format(table=table))
    yield made
    await owner_connection.execute("DROP FUNCTION fail_in_turn CASCADE")


async def everything(owner: Owner, tenant: Tenant) -> dict[str, list[str]]:
    """Every row of every table of a tenant, as text."""
    await set_tenant(owner, tenant.id)
    names = await owner.fetch(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'"
    )
    return {
        name: [
            row[0]
            for row in await owner.fetch(f'SELECT t::text FROM "{name}" t WHERE tenant_id = $1 ORDER BY 1', tenant.id)
        ]
        for (name,) in names
    }


def admin(api: Api) -> GraphContext:
    return api.context(api.tenant.caller(Role.ADMIN))


async def failing_in_turn(faults: Faults, owner: Owner, tenant: Tenant, attempt: Attempt) -> list[str]:
    """Fail each write of an attempt in turn; return what failed, once an attempt got through."""
    before, failed = await everything(owner, tenant), []
    for turn in range(1, 100):
        await faults.at(turn)
        try:
            await attempt()
        except DBAPIError as error:
            failed.append(str(error.orig).partition("fails: ")[2])
            assert await everything(owner, tenant) == before, failed
        else:
            return failed
    raise AssertionError(failed)


async def test_a_lead_is_opened_whole_or_not_at_all(
    api: Api, tenant: Tenant, owner_connection: Owner, faults: Faults
) -> None:
    person = await people.person(owner_connection, tenant)
    command = LeadCreate(person, LeadSource.PORTAL)

    failed = await failing_in_turn(
        faults, owner_connection, tenant, lambda: resolve.lead_create(admin(api), command, "one")
    )

    assert failed == [
        "INSERT of idempotency_keys",
        "INSERT of leads",
        "INSERT of stage_changes",
        "UPDATE of people",
        "UPDATE of idempotency_keys",
        "INSERT of audit_entries",
        "INSERT of events",
        "INSERT of activity_entries",
        "UPDATE of tenant_heads",
    ]


async def test_a_lead_is_moved_whole_or_not_at_all(
    api: Api, tenant: Tenant, owner_connection: Owner, faults: Faults
) -> None:
    person = await people.person(owner_connection, tenant)
    lead = await people.lead(owner_connection, tenant, person_id=person)

    failed = await failing_in_turn(
        faults, owner_connection, tenant,
        lambda: resolve.lead_move(admin(api), LeadMove(lead, LeadStage.VISIT, LeadStage.NEW)),
    )  # fmt: skip

    assert failed == [
        "UPDATE of leads",
        "INSERT of stage_changes",
        "UPDATE of people",
        "INSERT of audit_entries",
        "INSERT of events",
        "INSERT of activity_entries",
        "UPDATE of tenant_heads",
    ]


async def test_people_are_merged_whole_or_not_at_all(
    api: Api, tenant: Tenant, owner_connection: Owner, faults: Faults
) -> None:
    keep, gone = [await people.person(owner_connection, tenant) for _ in range(2)]
    friend = await people.person(owner_connection, tenant, full_name="A Friend")
    await people.lead(owner_connection, tenant, person_id=gone)
    await people.fact(owner_connection, tenant, person_id=gone)
    await tasks.task(owner_connection, tenant, person_id=gone)
    await threads.thread(owner_connection, tenant, person_id=gone)
    await people.relationship(owner_connection, tenant, person_id=friend, other_id=gone)
    await perception.consent(owner_connection, tenant, person_id=gone, granted_at=datetime(2026, 1, 1, tzinfo=UTC))
    company = await people.account(owner_connection, tenant)
    await insert(owner_connection, "person_accounts", tenant.id, person_id=gone, account_id=company)
    command = PersonMerge(keep, [gone], dry_run=False)

    failed = await failing_in_turn(
        faults, owner_connection, tenant, lambda: resolve_people.person_merge(admin(api), command, "one")
    )

    assert failed == [
        "INSERT of idempotency_keys",
        "UPDATE of relationships",
        "INSERT of person_accounts",
        "UPDATE of leads",
        "UPDATE of facts",
        "UPDATE of tasks",
        "UPDATE of threads",
        "UPDATE of consents",
        # The newest score of each of three sources, the heir, the details, the next step.
        *["UPDATE of people"] * 6,
        "UPDATE of idempotency_keys",
        "INSERT of audit_entries",
        "INSERT of events",
        "INSERT of activity_entries",
        "UPDATE of tenant_heads",
    ]


async def test_a_message_is_sent_whole_or_not_at_all(
    api: Api, tenant: Tenant, owner_connection: Owner, faults: Faults
) -> None:
    person = await people.person(owner_connection, tenant)
    thread = await threads.thread(owner_connection, tenant, person_id=person)
    await threads.provider(owner_connection, tenant)
    command = MessageSend(thread, "See you at noon.")

    failed = await failing_in_turn(
        faults, owner_connection, tenant, lambda: resolve_threads.message_send(admin(api), command, "one")
    )

    assert failed == [
        "INSERT of idempotency_keys",
        "INSERT of thread_messages",
        "UPDATE of threads",
        "INSERT of interactions",
        "UPDATE of people",
        "UPDATE of idempotency_keys",
        *["INSERT of audit_entries"] * 2,
        *["INSERT of events"] * 2,
        "INSERT of activity_entries",
        "UPDATE of tenant_heads",
    ]


async def test_a_commit_that_fails_leaves_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person = await people.person(owner_connection, tenant)
    before = await everything(owner_connection, tenant)
    # A deferred constraint is checked by the commit itself, when every statement has succeeded.
    await owner_connection.execute(
        FAULT.format(tenant=tenant.id, turn=1)
        + ";"
        + "CREATE CONSTRAINT TRIGGER fail_in_turn AFTER UPDATE ON tenant_heads DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION fail_in_turn()"
    )
    try:
        with pytest.raises(DBAPIError, match="UPDATE of tenant_heads"):
            await resolve.lead_create(admin(api), LeadCreate(person, LeadSource.PORTAL), "one")
    finally:
        await owner_connection.execute("DROP FUNCTION fail_in_turn CASCADE")

    assert await everything(owner_connection, tenant) == before


async def test_twenty_units_at_once_get_gapless_numbers(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person = await people.person(owner_connection, tenant)
    commands = [LeadCreate(person, source) for source in list(LeadSource) * 3][:20]

    made = await asyncio.gather(*(resolve.lead_create(admin(api), command, None) for command in commands))

    await set_tenant(owner_connection, tenant.id)
    found = await owner_connection.fetch(
        "SELECT e.sequence, a.sequence AS audited, e.subject_id = a.subject_id AS same, a.previous_hash, a.hash"
        " FROM events e JOIN audit_entries a ON a.tenant_id = e.tenant_id AND a.sequence = e.sequence"
        " WHERE e.tenant_id = $1 ORDER BY e.sequence",
        tenant.id,
    )
    head = await owner_connection.fetchrow("SELECT * FROM tenant_heads WHERE tenant_id = $1", tenant.id)
    assert len(set(made)) == 20
    assert [row["sequence"] for row in found] == list(range(1, 21))
    assert all(row["same"] for row in found)
    assert [row["previous_hash"] for row in found] == [GENESIS, *(row["hash"] for row in found[:-1])]
    assert head is not None
    assert (head["event_sequence"], head["audit_sequence"], head["audit_hash"]) == (20, 20, found[-1]["hash"])


async def test_units_that_fail_leave_no_gap(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person = await people.person(owner_connection, tenant)
    lead = await people.lead(owner_connection, tenant, person_id=person)
    moves = [LeadMove(lead, LeadStage.VISIT, LeadStage.NEW) for _ in range(10)]
    opens = [LeadCreate(person, LeadSource.PORTAL) for _ in range(10)]

    answers: list[Any] = await asyncio.gather(
        *(resolve.lead_move(admin(api), command) for command in moves),
        *(resolve.lead_create(admin(api), command, None) for command in opens),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, Exception) for answer in answers) == 9
    sequences = await owner_connection.fetch(
        "SELECT sequence FROM events WHERE tenant_id = $1 ORDER BY sequence", tenant.id
    )
    assert [row["sequence"] for row in sequences] == list(range(1, 12))


async def test_a_reader_never_sees_a_number_before_a_smaller_one(
    api: Api, tenant: Tenant, owner_connection: Owner, owner_dsn: str
) -> None:
    person = await people.person(owner_connection, tenant)
    reader = await asyncpg.connect(owner_dsn)
    await set_tenant(reader, tenant.id)
    done = asyncio.Event()
    seen: list[tuple[int, int]] = []

    async def watch() -> None:
        while not done.is_set():
            row = await reader.fetchrow(
                "SELECT count(*), coalesce(max(sequence), 0) FROM events WHERE tenant_id = $1", tenant.id
            )
            assert row is not None
            seen.append((row[0], row[1]))

    watching = asyncio.create_task(watch())
    try:
        await asyncio.gather(
            *(resolve.lead_create(admin(api), LeadCreate(person, LeadSource.PORTAL), None) for _ in range(20))
        )
    finally:
        done.set()
        await watching
        await reader.close()

    assert len(set(seen)) > 1
    assert [count for count, _ in seen] == [greatest for _, greatest in seen]

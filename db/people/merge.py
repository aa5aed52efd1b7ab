"""How everything that belongs to absorbed people comes to the one who is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.people.tables import people
from db.tables import metadata
from domain.leads import InterestLevel
from domain.people import RecordKind
from domain.people.consents import HeldConsent, Narrowed
from domain.perception import ConsentPurpose, Modality, QdSource

BELONGINGS: Final = {
    RecordKind.LEAD: "leads",
    RecordKind.OPPORTUNITY: "opportunities",
    RecordKind.PROPERTY_INTEREST: "property_interests",
    RecordKind.INTERACTION: "interactions",
    RecordKind.FACT: "facts",
    RecordKind.TASK: "tasks",
    RecordKind.THREAD: "threads",
    RecordKind.CONSENT: "consents",
    RecordKind.RELATIONSHIP: "relationships",
    RecordKind.QD_SCORE: "qd_scores",
}
"""The tables whose rows belong to a person by `person_id`."""

MEASUREMENTS: Final = ("perception_sessions", "erasures")
"""What hangs on a person's scores and consents, and goes where they go."""

LOCKED_FIRST: Final = ("opportunities", "tasks", "leads", "threads")
"""What units lock before its person, because they begin with it."""

_LEVELS: Final = " ".join(f"when '{level.name}' then {rank}" for rank, level in enumerate(InterestLevel))

# What the survivor has already, or what would tie a person to themselves, before the rest moves. `:people` are all of
# them, the survivor too.
_JOIN: Final = (
    # The same wish noted for both: the stronger one stays.
    f"""
    delete from property_interests where tenant_id = :tenant and id in (
        select id from (
            select id, row_number() over (
                partition by lead_id, property_id, project_id
                order by case level {_LEVELS} end desc, (person_id = :survivor) desc, updated_at desc, id desc) as n
            from property_interests where tenant_id = :tenant and person_id = any(:people)) ranked
        where n > 1)
    """,
    """
    delete from relationships
    where tenant_id = :tenant and person_id = any(:people) and other_id = any(:people)
    """,
    """
    delete from relationships where tenant_id = :tenant and id in (
        select id from (
            select id, row_number() over (
                partition by other_id, kind order by (person_id = :survivor) desc, created_at, id) as n
            from relationships where tenant_id = :tenant and person_id = any(:people)
            union all
            select id, row_number() over (
                partition by person_id, kind order by (other_id = :survivor) desc, created_at, id)
            from relationships where tenant_id = :tenant and other_id = any(:people)) ranked
        where n > 1)
    """,
    "update relationships set other_id = :survivor where tenant_id = :tenant and other_id = any(:absorbed)",
    """
    insert into person_accounts (tenant_id, person_id, account_id, title, created_at)
    select distinct on (account_id) tenant_id, cast(:survivor as uuid), account_id, title, created_at
    from person_accounts where tenant_id = :tenant and person_id = any(:absorbed)
    order by account_id, title nulls last, created_at
    on conflict do nothing
    """,
    "delete from person_accounts where tenant_id = :tenant and person_id = any(:absorbed)",
    "delete from person_duplicates where tenant_id = :tenant and (person_id = any(:people) or other_id = any(:people))",
    # What canvases have kept about the absorbed is about the survivor, for whom an erasure looks for it.
    """
    insert into canvas_data_subjects (tenant_id, digest, subject_noun, subject_id)
    select tenant_id, digest, subject_noun, cast(:survivor as uuid) from canvas_data_subjects
    where tenant_id = :tenant and subject_noun = 'people' and subject_id = any(:absorbed)
    on conflict do nothing
    """,
    # What is proposed about the absorbed is about the survivor.
    """
    update proposals set subject_id = :survivor
    where tenant_id = :tenant and subject_noun = 'people' and subject_id = any(:absorbed)
    """,
    # The feed follows the person; the audit chain and the events say what happened and stay.
    "update activity_entries set person_id = :survivor where tenant_id = :tenant and person_id = any(:absorbed)",
)

# Nobody is absorbed by somebody who was absorbed: a look-up follows one step.
_FORWARD: Final = text("""
    update people set merged_into_id = :survivor, updated_at = :now
    where tenant_id = :tenant and (id = any(:absorbed) or merged_into_id = any(:absorbed))
""")


async def lock_belongings(connection: AsyncConnection, tenant_id: UUID, person_ids: Sequence[UUID]) -> None:
    """Lock what other units lock before its person, so that a merge and they do not wait for each other.

    What is added before the people are locked too is missed: such a unit is run again.
    """
    for table in LOCKED_FIRST:
        await connection.execute(
            text(f"select from {table} where tenant_id = :tenant and person_id = any(:people) order by id for update"),
            {"tenant": tenant_id, "people": list(person_ids)},
        )


async def belongings(
    connection: AsyncConnection, tenant_id: UUID, person_ids: Sequence[UUID]
) -> Mapping[RecordKind, int]:
    """Return how many rows of each kind these people have."""
    counts = " union all ".join(
        f"select '{kind.name}', count(*) from {table} where tenant_id = :tenant and person_id = any(:people)"
        for kind, table in BELONGINGS.items()
    )
    rows = await connection.execute(text(counts), {"tenant": tenant_id, "people": list(person_ids)})
    return {RecordKind[name]: count for name, count in rows}


async def absorb(
    connection: AsyncConnection, tenant_id: UUID, survivor_id: UUID, absorbed_ids: Sequence[UUID], now: datetime
) -> None:
    """Move every row, join what would be there twice, and lead the absorbed ids to the survivor."""
    given = {"tenant": tenant_id, "survivor": survivor_id, "absorbed": list(absorbed_ids), "now": now}
    everybody = given | {"people": [survivor_id, *absorbed_ids]}
    for statement in _JOIN:
        clause = text(statement)
        await connection.execute(clause, {name: everybody[name] for name in clause.compile().params})
    for name in (*BELONGINGS.values(), *MEASUREMENTS):
        table = metadata.tables[name]
        values: dict[str, object] = {"person_id": survivor_id}
        if "updated_at" in table.columns:
            values["updated_at"] = now
        moved = update(table).where(table.c.tenant_id == tenant_id, table.c.person_id.in_(absorbed_ids))
        await connection.execute(moved.values(**values))
    for source in QdSource:
        await _take_newest_score(connection, source, everybody)
    await connection.execute(_FORWARD, given)


async def _take_newest_score(connection: AsyncConnection, source: QdSource, everybody: dict[str, object]) -> None:
    """Keep the newest score of one source that any of the people has."""
    prefix = f"{source.name.lower()}_qd_"
    names = ", ".join(column.name for column in people.columns if column.name.startswith(prefix))
    given = {name: everybody[name] for name in ("tenant", "survivor", "people")}
    await connection.execute(
        text(
            f"update people set ({names}) = (select {names} from people where tenant_id = :tenant and id = any(:people)"
            f" order by {prefix}at desc nulls last, id = :survivor desc limit 1)"
            " where tenant_id = :tenant and id = :survivor"
        ),
        given,
    )


async def consents(connection: AsyncConnection, tenant_id: UUID, person_ids: Sequence[UUID]) -> list[HeldConsent]:
    """Return the consents of these people and lock them."""
    table = metadata.tables["consents"]
    rows = await connection.execute(
        select(
            table.c.id, table.c.person_id, table.c.purpose, table.c.modality,
            table.c.granted_at, table.c.expires_at, table.c.withdrawn_at,
        )
        .where(table.c.tenant_id == tenant_id, table.c.person_id.in_(person_ids))
        .order_by(table.c.id)
        .with_for_update()
    )  # fmt: skip
    return [
        HeldConsent(
            row.id, row.person_id, ConsentPurpose[row.purpose], Modality[row.modality],
            row.granted_at, row.expires_at, row.withdrawn_at,
        )
        for row in rows
    ]  # fmt: skip


async def narrow(connection: AsyncConnection, tenant_id: UUID, changes: Sequence[Narrowed]) -> None:
    """End consents earlier."""
    table = metadata.tables["consents"]
    for change in changes:
        values = {"withdrawn_at": change.withdrawn_at} if change.withdrawn_at else {"expires_at": change.expires_at}
        await connection.execute(
            update(table).where(table.c.tenant_id == tenant_id, table.c.id == change.id).values(**values)
        )

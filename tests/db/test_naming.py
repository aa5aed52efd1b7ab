"""Somebody is found in texts however they are written there, by PostgreSQL, and others are not."""

from typing import TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.naming import mentions, naming
from tests.factories import people
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

FOUND = text(f"select {mentions('cast(:content as text)')}")
CALLED = {
    "Priya Sharma": {
        "Priya Sharma", "PRIYA", "sharma, priya", "Priya's", "Sharma-ji", "Priyaben", "priya_sharma", "priyasharma1990",
        "Prïya", "Pri\u200bya", "\uff30\uff52\uff49\uff59\uff41", '{"a": "Hello.\\nPriya"}', "Al-Sharma",
    },
    "Rashid Al Maktoum": {"rashid", "AlMaktoum", "al-maktoum"},
    "Sean O\u2019Neil": {"O'Neil", "o\u2019neil", "SEAN"},
    "José Ñúñez": {"Jose", "JOSÉ", "nunez", "Jose\u0301"},
    "प्रिया शर्मा": {"प्रिया और", "श्री शर्मा"},
    "راشد آل مكتوم": {"وراشد قال"},
    "Анна Петрова": {"ПЕТРОВА", "анна", "Петровой, Петрова"},
}  # fmt: skip
OTHERS = {
    "Priya Sharma": {"Priyanka", "Sharman", "Apriya", "a priori", ""},
    "Rashid Al Maktoum": {"et al.", "al fresco", "bin"},
    "Ali An": {"align", "and another", "Italian"},
    "A. B.": {"a", "b", "A. B."},
}


async def found(engine: AsyncEngine, tenant: Tenant, content: str, person_id: UUID | None) -> bool:
    async with engine.begin() as connection:
        await connection.execute(text("select set_config('app.tenant_id', :t, true)"), {"t": str(tenant.id)})
        called = await naming(connection, tenant.id, person_id)
        given = {"content": content, "names": called.names, "phones": called.phones}
        return bool((await connection.execute(FOUND, given)).scalar_one())


async def missed(
    engine: AsyncEngine, owner: Owner, tenant: Tenant, texts: dict[str, set[str]], *, wanted: bool
) -> list[tuple[str, str]]:
    """Return the texts of which it is not so."""
    wrong = []
    for name, contents in texts.items():
        person = await people.person(owner, tenant, full_name=name)
        wrong += [(name, each) for each in contents if await found(engine, tenant, each, person) is not wanted]
    return wrong


async def test_a_name_is_found_in_every_spelling(
    write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant
) -> None:
    assert await missed(write_engine, owner_connection, tenant, CALLED, wanted=True) == []


async def test_other_words_are_nobodys_name(write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant) -> None:
    assert await missed(write_engine, owner_connection, tenant, OTHERS, wanted=False) == []


@pytest.mark.parametrize(
    ("content", "is_found"),
    [
        ("+91 98200 00001", True), ("09820000001", True), ("98200-00001.", True), ("٩٨٢٠٠٠٠٠٠١", True),
        ("९८२०० ००००१", True), ("98200 00002", False), ("P.S@Example.com", True), ("ps@example.com", False),
        ("Meera", True), ("98111 22233", True),
    ],
)  # fmt: skip
async def test_phones_e_mails_and_those_who_were_absorbed(
    write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant, content: str, *, is_found: bool
) -> None:
    person = await people.person(
        owner_connection, tenant, primary_phone_e164="+919820000001", primary_email="P.S@example.com"
    )
    await people.person(
        owner_connection, tenant, full_name="Meera Iyer", merged_into_id=person, primary_phone_raw="98111 22233"
    )
    assert await found(write_engine, tenant, content, person) is is_found


async def test_nobody_is_found_nowhere(write_engine: AsyncEngine, tenant: Tenant) -> None:
    assert not await found(write_engine, tenant, "Asha Rao, +919820000001", None)

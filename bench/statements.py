"""The very statements that the product sends, for the servers that show the limit.

The product itself is asked, in this process, and what its read pool was given is noted: nothing here knows how a
document becomes a statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from unittest.mock import patch
from uuid import UUID

import httpx
from asyncpg import Record

from app.asgi import application
from app.database import Database
from app.settings import Settings
from app.wiring import system
from bench.documents import Question
from db.engine import ReadPool

ANSWERS: Final = "select convert_to("
"""How the statement of a whole document begins."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its arguments."""

    sql: str
    arguments: tuple[object, ...]


async def statements(
    settings: Settings, database: Database, token: str, asked: Sequence[Question]
) -> dict[str, Statement]:
    """Return the statement of each question, as the bearer of `token`; raises ValueError where one does not compile."""
    noted: list[Statement] = []
    fetch = ReadPool.fetch

    async def noting(pool: ReadPool, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        noted.append(Statement(sql, arguments))
        return await fetch(pool, tenant_id, sql, *arguments)

    found: dict[str, Statement] = {}
    with patch.object(ReadPool, "fetch", noting):
        async with system(settings, database) as made:
            transport = httpx.ASGITransport(app=application(made))
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
                for question in asked:
                    noted.clear()
                    answer = await client.post("/graphql", content=question.body())
                    compiled = [each for each in noted if each.sql.startswith(ANSWERS)]
                    if answer.status_code != httpx.codes.OK or len(compiled) != 1:
                        raise ValueError(f"{question.name} was not answered by one statement: {answer.text[:300]}")
                    found[question.name] = compiled[0]
    return found


def literal(value: object) -> str:  # noqa: PLR0911 -- one for each type.
    """Write an argument as PostgreSQL reads it from text: a cast in the statement says what it is."""
    match value:
        case None:
            return "NULL"
        case bool():
            return f"'{value}'"
        case bytes():
            return f"'\\x{value.hex()}'"
        case datetime():
            return f"'{value.isoformat()}'"
        case timedelta():
            return f"'{value // timedelta(microseconds=1)} microseconds'"
        case list() | tuple():
            inner = ",".join("NULL" if each is None else f'"{each}"' for each in value)
            return "'{" + inner.replace("'", "''") + "}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"

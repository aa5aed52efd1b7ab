"""Cursors: made by PostgreSQL, read by Python, and refused when anything about them was changed."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.engine import ReadPool
from db.leads.source import LEADS
from db.reading.cursors import CursorKey, Position, Sort, read, write
from db.reading.writer import Writer
from domain.access import Caller, Role
from domain.errors import Invalid
from domain.signing import CURSOR_SIGNATURE
from domain.values import new_id

KEY = CursorKey(b"secret")
SORT = Sort("leads", "CREATED_AT", LEADS.orders["CREATED_AT"], descending=True)
TENANT = UUID("01a1fd26-6ca5-720f-837e-19b0e7b0af9a")


def made(value: str, row_id: UUID, tenant_id: UUID = TENANT, key: CursorKey = KEY) -> str:
    """Make a cursor in Python as PostgreSQL makes it."""
    text = f'["leads","CREATED_AT","{value}","{row_id}"]'.encode()
    return base64.b64encode(text + key.sign(str(tenant_id).encode() + text, CURSOR_SIGNATURE)).decode()


async def test_postgresql_makes_what_python_reads(read_pool: ReadPool) -> None:
    row_id = new_id()
    w = Writer(Caller(TENANT, new_id(), Role.ADMIN, ()))
    t = w.alias("leads")
    cursor = write(w, KEY, SORT, t)
    row = f"SELECT '{row_id}'::uuid AS id, '2026-11-20T10:00:00.25Z'::timestamptz AS created_at"
    sql = f"SELECT {cursor} FROM ({row}) {t.name}"
    [[answered]] = await read_pool.fetch(TENANT, sql, *w.values)
    assert answered == made("2026-11-20 10:00:00.25+00", row_id)
    assert read(KEY, TENANT, SORT, answered, "after") == Position("2026-11-20 10:00:00.25+00", row_id)


@given(position=st.integers(min_value=0, max_value=150), bit=st.integers(min_value=0, max_value=7))
def test_a_cursor_with_any_bit_turned_is_refused(position: int, bit: int) -> None:
    raw = bytearray(base64.b64decode(made("2026-11-20 10:00:00+00", TENANT)))
    raw[position % len(raw)] ^= 1 << bit
    with pytest.raises(Invalid, match="not one of ours"):
        read(KEY, TENANT, SORT, base64.b64encode(raw).decode(), "after")


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(Invalid, match="not one of ours"):
        read(KEY, TENANT, SORT, text, "before")


def test_another_tenants_cursor_is_refused() -> None:
    with pytest.raises(Invalid, match="not one of ours"):
        read(KEY, TENANT, SORT, made("2026-11-20 10:00:00+00", TENANT, tenant_id=new_id()), "after")


def test_another_installations_cursor_is_refused() -> None:
    with pytest.raises(Invalid, match="not one of ours"):
        read(KEY, TENANT, SORT, made("2026-11-20 10:00:00+00", TENANT, key=CursorKey(b"other")), "after")


def test_a_cursor_of_another_order_says_which() -> None:
    budget = Sort("leads", "BUDGET", LEADS.orders["BUDGET"], descending=True)
    with pytest.raises(Invalid) as refused:
        read(KEY, TENANT, budget, made("2026-11-20 10:00:00+00", TENANT), "after")
    assert refused.value.message == "This cursor belongs to leads ordered by CREATED_AT."
    assert refused.value.field == "after"

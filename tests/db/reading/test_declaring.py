"""What a declaration or a statement gets wrong fails at once, by its name."""

import pytest

from db.reading.reads import SqlReads
from db.reading.source import Catalogue
from db.reading.writer import Writer
from db.sources import CATALOGUE
from domain.access import Role
from domain.reading import Request, Selected
from tests.api import Api


def test_a_source_is_declared_once() -> None:
    leads = CATALOGUE.sources["leads"]
    with pytest.raises(ValueError, match="Source 'leads' is declared twice"):
        Catalogue().add(leads, leads)


def test_a_column_that_a_table_lacks_is_named(api: Api) -> None:
    w = Writer(api.tenant.caller(Role.ADMIN))
    assert w.alias("leads").stage == "t1.stage"
    with pytest.raises(AttributeError, match="Table 'leads' has no column 'mood'"):
        _ = w.alias("leads").mood


def test_a_statement_signs_with_the_keys_that_it_was_given_and_no_others(api: Api) -> None:
    w, keys = Writer(api.tenant.caller(Role.ADMIN)), api.system.answers.keys
    with pytest.raises(TypeError, match="prints no rows, and so no addresses"):
        _ = w.asset_key
    with pytest.raises(TypeError, match="and so no position"):
        _ = w.event_key
    w = Writer(api.tenant.caller(Role.ADMIN), keys.asset, keys.event)
    assert (w.asset_key, w.event_key) == (keys.asset, keys.event)


async def test_a_page_needs_a_link_that_leads_to_rows(api: Api) -> None:
    reads = SqlReads(CATALOGUE, api.system.pool, api.system.answers.keys)
    request = Request("leads", (Selected("id"),), link=("audit_entries", "actor"))
    with pytest.raises(TypeError, match=r"audit_entries\.actor is no link"):
        await reads.pages(api.tenant.caller(Role.ADMIN), request, ["1"])

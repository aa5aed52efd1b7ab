"""How the leads of a filter are spread: each part is one statement's subquery, made only when it is selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, cast

from db.leads.pipeline import given_filter
from db.leads.source import LEADS
from db.reading.conditions import matching
from db.reading.fields import decimal, enum, integer, text, value
from db.reading.source import Rows, Value
from db.reading.writer import Alias, Writer
from domain.errors import Invalid
from domain.leads import LeadQualification, LeadSource, LeadStage, budget_bounds

UNKNOWN: Final = "UNKNOWN"
MOST_CITIES: Final = 100

Arguments = Mapping[str, object]


def _counted(column: Callable[[Alias], str], names: list[str]) -> Rows:
    """Count every name of an enumeration in its order, those that no lead has too."""

    def rows(w: Writer, _t: Alias, arguments: Arguments) -> str:
        lead = w.alias("leads")
        counted = (
            f"select {column(lead)} as key, count(*) as count from leads {lead.name}"
            f" where {matching(w, LEADS, lead, given_filter(arguments))} group by 1"
        )
        return (
            "select k.key, coalesce(c.count, 0) as count"
            f" from unnest({w.bind(names, 'text[]')}) with ordinality k(key, position)"
            f" left join ({counted}) c on c.key = k.key order by k.position"
        )

    return rows


def _cities(w: Writer, _t: Alias, arguments: Arguments) -> str:
    """The cities where the most leads live; a person without a city is in none."""
    first = cast("int", arguments["first"])
    if not 0 <= first <= MOST_CITIES:
        raise Invalid(f"`first` is from 0 to {MOST_CITIES}; {first} was asked for.", field="first")
    lead, person = w.alias("leads"), w.alias("people")
    return (
        f"select {person.city} as key, count(*) as count from leads {lead.name}"
        f" join people {person.name} on {person.tenant_id} = {w.tenant} and {person.id} = {lead.person_id}"
        f" where {person.city} is not null and {matching(w, LEADS, lead, given_filter(arguments))}"
        f" group by {person.city} order by count(*) desc, {person.city} limit {w.bind(first, 'bigint')}"
    )


def _bands(w: Writer, _t: Alias, arguments: Arguments) -> str:
    """Every band of a currency in order; budgets in other currencies are in none."""
    currency = str(arguments["currency"])
    bounds = w.bind(list(budget_bounds(currency)), "numeric(18,2)[]")
    bound_currency = w.bind(currency, "text")
    lead = w.alias("leads")
    counted = (
        f"select width_bucket({lead.budget_amount}, {bounds}) as band, count(*) as count from leads {lead.name}"
        f" where {lead.budget_currency} = {bound_currency}"
        f" and {matching(w, LEADS, lead, given_filter(arguments))} group by 1"
    )
    return (
        f"select ({bounds})[k.band] as low, ({bounds})[k.band + 1] as high, {bound_currency} as currency,"
        f" coalesce(c.count, 0) as count from generate_series(0, cardinality({bounds})) k(band)"
        f" left join ({counted}) c on c.band = k.band order by k.band"
    )


def _buckets(rows: Rows) -> Value:
    return value({"key": text("key"), "count": integer("count")}, rows=rows, many=True)


def _bound(name: str) -> Value:
    """An end of a band as money; none where the band is open."""
    return value({"amount": decimal(name), "currency": enum("currency")}, null=lambda t: f"{getattr(t, name)} is null")


def _names(members: type[Enum]) -> list[str]:
    return [member.name for member in members]


LEAD_DEMOGRAPHICS: Final = value(
    {
        "by_source": _buckets(_counted(lambda t: t.source, _names(LeadSource))),
        "by_qualification": _buckets(
            _counted(lambda t: f"coalesce({t.qualification}, '{UNKNOWN}')", [*_names(LeadQualification), UNKNOWN])
        ),
        "by_stage": _buckets(_counted(lambda t: t.stage, _names(LeadStage))),
        "by_city": _buckets(_cities),
        "by_budget_band": value(
            {"min": _bound("low"), "max": _bound("high"), "count": integer("count")}, rows=_bands, many=True
        ),
    }
)

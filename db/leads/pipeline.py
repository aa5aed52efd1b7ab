"""The pipeline: how many leads stand in each stage, what they would spend, and the leads themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from db.leads.source import LEADS
from db.reading.conditions import matching
from db.reading.fields import decimal, enum, integer, value
from db.reading.source import Link
from db.reading.writer import Alias, Writer
from domain.leads import LeadStage

Arguments = Mapping[str, object]


def given_filter(arguments: Arguments) -> Mapping[str, object]:
    """Return the filter that a root value was asked with; none is an empty one."""
    return cast("Mapping[str, object]", arguments.get("filter") or {})


def _stages(w: Writer, _t: Alias, arguments: Arguments) -> str:
    """One row per stage, in the order of the pipeline: the leads are read once, whatever is selected of them."""
    lead = w.alias("leads")
    counted = (
        f"select {lead.stage}, {lead.budget_currency} as currency, count(*) as leads,"
        f" sum({lead.budget_amount}) as amount from leads {lead.name}"
        f" where {matching(w, LEADS, lead, given_filter(arguments))} group by {lead.stage}, {lead.budget_currency}"
    )
    summed = (
        "select c.stage, sum(c.leads) as leads,"
        " array_agg(c.amount order by c.currency) filter (where c.currency is not null) as amounts,"
        " array_agg(c.currency order by c.currency) filter (where c.currency is not null) as currencies"
        f" from ({counted}) c group by c.stage"
    )
    return (
        "select k.stage, coalesce(s.leads, 0) as lead_count, s.amounts, s.currencies"
        f" from unnest({w.bind([stage.name for stage in LeadStage], 'text[]')}) with ordinality k(stage, position)"
        f" left join ({summed}) s on s.stage = k.stage order by k.position"
    )


PIPELINE_STAGE: Final = value(
    {
        "stage": enum("stage"),
        "lead_count": integer("lead_count"),
        "budget_totals": value(
            {"amount": decimal("amount"), "currency": enum("currency")},
            rows=lambda _w, t, _arguments: f"select * from unnest({t.amounts}, {t.currencies}) m(amount, currency)",
            many=True,
        ),
        "leads": Link("leads", remote="stage", key="stage", key_type="text"),
    },
    rows=_stages,
    many=True,
)

PIPELINE: Final = value({"stages": PIPELINE_STAGE})

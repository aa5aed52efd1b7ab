"""How people are read, and what of them is masked."""

from __future__ import annotations

from collections.abc import Mapping

from db.people.tables import people
from db.reading.fields import choice, enum, number, text, time, value
from db.reading.source import Filter, Link, Ordering, Value, source
from db.reading.writer import Alias, Writer
from db.visibility import known_person, own_person


def _not_absorbed(_w: Writer, t: Alias) -> str:
    return f"{t.merged_into_id} is null"


def _latest_qd(arguments: Mapping[str, object]) -> Value:
    """The read model of one source: columns such as `rules_qd_score`."""
    prefix = f"{getattr(arguments['source'], 'name', arguments['source'])}".lower() + "_qd"
    leaves = ("score", "engagement", "valence", "attention", "confidence")
    return value(
        {
            "at": time(f"{prefix}_at"),
            "kind": enum(f"{prefix}_kind"),
            "source": enum(lambda _t: f"'{prefix.removesuffix('_qd').upper()}'"),
            **{leaf: number(f"{prefix}_{leaf}", null=leaf != "score") for leaf in leaves},
        },
        null=lambda t: f"{getattr(t, prefix + '_at')} is null",
    )


PEOPLE = source(
    "people",
    people,
    prefix="person",
    visible=_not_absorbed,
    forwards="merged_into_id",
    default_order=("FULL_NAME", False),
    columns={
        "full_name": text("full_name"),
        "city": text("city", null=True),
        "primary_phone": value(
            {"e164": text("primary_phone_e164"), "country": text("primary_phone_country", null=True)},
            null=lambda t: f"{t.primary_phone_e164} is null",
            mask=own_person(),
        ),
        "primary_email": text("primary_email", null=True, mask=own_person()),
        "contact_type": enum("contact_type", null=True, mask=known_person()),
        "latest_qd": choice(_latest_qd, mask=known_person()),
        "last_contacted_at": time("last_contacted_at", null=True, mask=known_person()),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
    },
    links={"leads": Link("leads", remote="person_id")},
    orders={
        "FULL_NAME": Ordering(lambda t: t.full_name, "text"),
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
    },
    filters={
        "search": Filter("text", lambda _w, t, value: f"{t.search_name} like '%' || lower({value}) || '%'"),
        "updated_after": Filter("timestamptz", lambda _w, t, value: f"{t.updated_at} > {value}"),
        "cities": Filter("text[]", lambda _w, t, value: f"{t.city} = any({value})"),
    },
)

"""How people, households, relationships, accounts and facts are read, and what of them is masked."""

from __future__ import annotations

from collections.abc import Mapping

from db.people.tables import accounts, facts, households, people, relationships
from db.perception.source import asked_source, qd_series
from db.reading.conditions import contains
from db.reading.fields import choice, enum, money, number, text, texts, time, value
from db.reading.source import Filter, Link, Ordering, Value, source
from db.reading.statements import LARGEST_PAGE
from db.reading.writer import Alias, Writer
from db.visibility import everyone, known_person, own_person
from domain.errors import Invalid


def _not_absorbed(_w: Writer, t: Alias) -> str:
    return f"{t.merged_into_id} is null"


def _not_dismissed(_w: Writer, t: Alias) -> str:
    return f"{t.dismissed_at} is null"


def _with_known_member(w: Writer, t: Alias) -> str | None:
    """Show a household to whoever sees one of its members in full."""
    person = w.alias("people")
    known = known_person()(w, person)
    if known is None:
        return None
    return (
        f"exists (select from people {person.name} where {person.tenant_id} = {w.tenant}"
        f" and {person.household_id} = {t.id} and {known})"
    )


def _latest_qd(arguments: Mapping[str, object]) -> Value:
    """The read model of one source: columns such as `rules_qd_score`."""
    prefix = f"{asked_source(arguments).name.lower()}_qd"
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


def _duplicates(w: Writer, t: Alias, arguments: Mapping[str, object]) -> str:
    """Write who somebody may be, the surest first; nobody for those who see only a name and a city."""
    first = arguments["first"]
    if not isinstance(first, int) or not 0 <= first <= LARGEST_PAGE:
        raise Invalid(f"`first` is from 0 to {LARGEST_PAGE}; {first} was asked for.", field="first")
    d = w.alias("person_duplicates")
    of_person = f"{d.tenant_id} = {w.tenant} and {d.person_id} = {t.id}"
    own, known = own_person("other_id")(w, d), known_person()(w, t)
    found = f"select {d.other_id}, {d.score}, {d.evidence} from person_duplicates {d.name} where {of_person}"
    if own is not None:
        # A number or an address in common would tell whose a masked one is.
        found = (
            f"select {d.other_id}, case when own.own then {d.score} else {d.name_score} end as score,"
            f" case when own.own then {d.evidence} else '{{NAME}}'::text[] end as evidence"
            f" from person_duplicates {d.name}, lateral (select {own} as own) own"
            f" where {of_person} and (own.own or {d.name_score} is not null)"
        )
    return f"{found}{f' and {known}' if known else ''} order by score desc, other_id limit {w.bind(first, 'bigint')}"


def _accounts(w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    known = known_person()(w, t)
    account = w.alias("accounts")
    return (
        f"select m.account_id, m.title from person_accounts m join accounts {account.name}"
        f" on {account.tenant_id} = m.tenant_id and {account.id} = m.account_id"
        f" where m.tenant_id = {w.tenant} and m.person_id = {t.id}{f' and {known}' if known else ''}"
        f" order by {account.column('name')}, m.account_id"
    )


def _searched(w: Writer, t: Alias, value: str) -> str:
    """Write that a name holds the text; for those who may see how to reach the person, an address or a number too.

    A number is found by its digits, however it is written: `050 123` and `+971 50 123` are the same beginning.
    """
    own = own_person()(w, t)
    digits = f"ltrim(regexp_replace({value}, '[^0-9]', '', 'g'), '0')"
    contact = (
        f"({contains(t.search_contact, value)} or ({value} !~ '[[:alpha:]@]' and length({digits}) >= 3"
        f" and strpos({t.primary_phone_e164}, {digits}) > 0))"
    )
    return f"({contains(t.search_name, value)} or ({contact}{f' and {own}' if own else ''}))"


DUPLICATE = value(
    {"person": Link("people", local="other_id"), "score": number("score"), "evidence": texts("evidence")},
    rows=_duplicates,
    many=True,
)

PERSON_ACCOUNT = value(
    {"account": Link("accounts", local="account_id"), "title": text("title", null=True)}, rows=_accounts, many=True
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
        "qd_series": qd_series(),
        "last_contacted_at": time("last_contacted_at", null=True, mask=known_person()),
        "next_best_action": value(
            {
                "kind": enum("next_best_action_kind"),
                "title": text("next_best_action_title"),
                "reason": text("next_best_action_reason"),
                "due_at": time("next_best_action_due_at", null=True),
                "computed_at": time("next_best_action_computed_at"),
            },
            null=lambda t: f"{t.next_best_action_kind} is null",
            mask=known_person(),
        ),
        "duplicates": DUPLICATE,
        "accounts": PERSON_ACCOUNT,
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
    },
    links={
        "household": Link("households", local="household_id", mask=known_person()),
        "relationships": Link("relationships", remote="person_id"),
        "leads": Link("leads", remote="person_id"),
        "opportunities": Link("opportunities", remote="person_id"),
        "property_interests": Link("property_interests", remote="person_id"),
        "interactions": Link("interactions", remote="person_id"),
        "facts": Link("facts", remote="person_id", where=_not_dismissed),
        "tasks": Link("tasks", remote="person_id"),
        "threads": Link("threads", remote="person_id"),
        "consents": Link("consents", remote="person_id"),
    },
    orders={
        "FULL_NAME": Ordering(lambda t: t.full_name, "text"),
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
        "UPDATED_AT": Ordering(lambda t: t.updated_at, "timestamptz"),
    },
    filters={
        "search": Filter("text", _searched),
        "updated_after": Filter("timestamptz", lambda _w, t, value: f"{t.updated_at} > {value}"),
        "cities": Filter("text[]", lambda _w, t, value: f"{t.city} = any({value})"),
    },
)

HOUSEHOLDS = source(
    "households",
    households,
    prefix="household",
    visible=_with_known_member,
    default_order=("CREATED_AT", True),
    columns={"name": text("name"), "created_at": time("created_at")},
    links={"members": Link("people", remote="household_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)

RELATIONSHIPS = source(
    "relationships",
    relationships,
    prefix="relationship",
    visible=known_person("person_id"),
    default_order=("CREATED_AT", True),
    columns={"kind": enum("kind"), "created_at": time("created_at")},
    links={"person": Link("people", local="person_id"), "other": Link("people", local="other_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)

ACCOUNTS = source(
    "accounts",
    accounts,
    prefix="account",
    visible=everyone,
    default_order=("NAME", False),
    columns={"name": text("name"), "kind": enum("kind"), "city": text("city", null=True)},
    orders={"NAME": Ordering(lambda t: t.column("name"), "text")},
)

FACTS = source(
    "facts",
    facts,
    prefix="fact",
    visible=known_person("person_id"),
    default_order=("CREATED_AT", True),
    columns={
        "kind": enum("kind"),
        "text": text("text"),
        # The words of an interaction, and so for whoever may read that.
        "quote": text("quote", null=True, mask=own_person("person_id")),
        "confidence": number("confidence"),
        "source": enum("source"),
        "amount": money("amount", null=True),
        "extracted_at": time("extracted_at"),
        "dismissed_at": time("dismissed_at", null=True),
        "created_at": time("created_at"),
    },
    links={
        "interaction": Link("interactions", local="interaction_id"),
        "person": Link("people", local="person_id"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)

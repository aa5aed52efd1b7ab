"""The role table of the design as SQL: who sees which row, and whose contact details. Every noun uses these.

| Role | leads and what hangs on them | people | contact details |
| ADMIN, SALES_DIRECTOR | all | all | all |
| SENIOR_BROKER | own and their teams' | all | of own and their teams' leads |
| JUNIOR_BROKER | own | all, but only name and city unless own | of own leads |

"Own" is assigned to one of the caller's members (self; for a senior, the teams) or shared with the caller.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from db.reading.source import Predicate
from db.reading.writer import Alias, Writer

OWN_LEAD: Final = "own_lead"
OWN_PERSON: Final = "own_person"
"""The rules that one row can show of another: who sees a lead need not be asked whether its person is their own."""


def everyone(_w: Writer, _t: Alias) -> str | None:
    """Show every row of the tenant."""
    return None


def own_lead(w: Writer, t: Alias) -> str | None:
    """Write that lead `t` is the caller's own."""
    return None if w.unrestricted or w.proves(OWN_LEAD, t.id) else _owned(w, t)


@cache
def through_lead(column: str) -> Predicate:
    """Return the rule for rows that belong to a lead: its owner sees them."""

    def rule(w: Writer, t: Alias) -> str | None:
        if w.unrestricted or w.proves(OWN_LEAD, t.column(column)):
            return None
        lead = w.alias("leads")
        return (
            f"exists (select from leads {lead.name} where {lead.tenant_id} = {w.tenant}"
            f" and {lead.id} = {getattr(t, column)} and {_owned(w, lead)})"
        )

    return rule


@cache
def own_person(column: str = "id") -> Predicate:
    """Return the rule for contact details and rows about a person: whoever owns one of the person's leads sees them."""

    def rule(w: Writer, t: Alias) -> str | None:
        if w.unrestricted or w.proves(OWN_PERSON, t.column(column)):
            return None
        lead = w.alias("leads")
        return (
            f"exists (select from leads {lead.name} where {lead.tenant_id} = {w.tenant}"
            f" and {lead.person_id} = {getattr(t, column)} and {_owned(w, lead)})"
        )

    return rule


@cache
def known_person(column: str = "id") -> Predicate:
    """Return the rule for what a senior sees of everybody and a junior of their own people only."""
    own = own_person(column)

    def rule(w: Writer, t: Alias) -> str | None:
        return own(w, t) if w.junior else None

    return rule


def any_of(*rules: Predicate) -> Predicate:
    """Return the rule that holds where one of `rules` does."""

    def rule(w: Writer, t: Alias) -> str | None:
        written = [each(w, t) for each in rules]
        if any(each is None for each in written):
            return None
        return " or ".join(f"({each})" for each in written)

    return rule


@cache
def assigned(column: str = "assignee_id") -> Predicate:
    """Return the rule for rows assigned to one of the caller's members."""

    def rule(w: Writer, t: Alias) -> str | None:
        return None if w.unrestricted else f"{getattr(t, column)} = any({w.members})"

    return rule


def _owned(w: Writer, lead: Alias) -> str:
    share = w.alias("lead_shares")
    return (
        f"({lead.assignee_id} = any({w.members}) or exists (select from lead_shares {share.name}"
        f" where {share.tenant_id} = {w.tenant} and {share.lead_id} = {lead.id} and {share.user_id} = {w.viewer}))"
    )

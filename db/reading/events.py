"""What a subscription answers for each event: a value over the row of the event, declared by its noun."""

from __future__ import annotations

from collections.abc import Mapping

from db.reading.cursors import signed_text
from db.reading.fields import integer, text, value
from db.reading.source import Choice, Column, Computed, Link, Value
from db.reading.writer import Alias, Writer
from domain.answers import SKIPPED


def position(w: Writer, number: str) -> str:
    """Write the signed cursor of a position in the tenant's sequence."""
    return signed_text(w, w.event_key, f"""concat('["event",', {number}, ']')""")


def _cursor(w: Writer, t: Alias) -> str:
    return position(w, t.sequence)


def event(fields: Mapping[str, Column | Value | Choice | Link]) -> Value:
    """Declare what is answered for each event; its `cursor`, and `skipped` for streams that skip, are there already.

    The row is the event's: `subject_id`, `person_id`, `payload ->> '…'`.
    """
    # How many events were skipped is known only when the answer is sent: its place is marked.
    skipped = integer(lambda _t: f"chr({SKIPPED[0]})")
    return value({"cursor": text(Computed(_cursor)), "skipped": skipped, **fields})

"""How QD scores are written, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from domain.perception import QdSource, Score

if TYPE_CHECKING:
    from db.unit import SqlUnit

COLUMNS: Final = {
    "id": "uuid[]",
    "person_id": "uuid[]",
    "session_id": "uuid[]",
    "at": "timestamptz[]",
    "kind": "text[]",
    "source": "text[]",
    "score": "float8[]",
    "engagement": "float8[]",
    "valence": "float8[]",
    "attention": "float8[]",
    "confidence": "float8[]",
}
KEPT: Final = ("at", "score", "engagement", "valence", "attention", "confidence", "kind")
"""What a person keeps of the newest score of each source."""


class SqlPerception:
    """The perception store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add_scores(self, scores: Sequence[Score]) -> None:
        """Store scores, and keep the newest of each source with its person, and what to do next because of it."""
        if not scores:
            return
        tenant = self._unit.caller.tenant_id
        connection = self._unit.connection
        # Two batches about the same people must not wait for each other in a circle.
        scored = list({score.person_id for score in scores})
        await connection.exec_driver_sql(
            "select from people where tenant_id = $1 and id = any($2::uuid[]) order by id for no key update",
            (tenant, scored),
        )
        rows = ", ".join(f"${number}::{type_}" for number, type_ in enumerate(COLUMNS.values(), start=2))
        await connection.exec_driver_sql(
            f"insert into qd_scores (tenant_id, {', '.join(COLUMNS)}) select $1::uuid, * from unnest({rows})",
            (tenant, *_transposed(scores)),
        )
        for source in QdSource:
            newest = _newest(scores, source)
            if newest:
                await connection.exec_driver_sql(_keep(source), (tenant, *_transposed(newest)))
        await self._unit.people.touch(*scored)


def _transposed(scores: Sequence[Score]) -> list[list[object]]:
    rows = [
        (
            s.id, s.person_id, s.session_id, s.at, s.kind.name, s.source.name,
            s.score, s.engagement, s.valence, s.attention, s.confidence,
        )
        for s in scores
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


def _newest(scores: Sequence[Score], source: QdSource) -> list[Score]:
    newest = {s.person_id: s for s in sorted(scores, key=lambda s: (s.at, s.id)) if s.source is source}
    return list(newest.values())


def _keep(source: QdSource) -> str:
    prefix = f"{source.name.lower()}_qd"
    rows = ", ".join(f"${number}::{type_}" for number, type_ in enumerate(COLUMNS.values(), start=2))
    columns = ", ".join(f"{prefix}_{column} = s.{column}" for column in KEPT)
    return (
        f"update people p set {columns} from unnest({rows}) as s({', '.join(COLUMNS)})"
        f" where p.tenant_id = $1::uuid and p.id = s.person_id and coalesce(p.{prefix}_at <= s.at, true)"
    )

"""JSON text assembled by `concat`: constants merge, expressions stay apart, and no call exceeds PostgreSQL's arguments.

`concat` skips NULL, so whatever is appended here must never be NULL; `printing.py` sees to that.
"""

from __future__ import annotations

from typing import Final

ARGUMENTS: Final = 90
"""PostgreSQL allows a function 100 arguments."""


def literal(text: str) -> str:
    """Return `text` as an SQL string constant. Only declarations reach this; values are always bound."""
    return "'" + text.replace("'", "''") + "'"


class Pieces:
    """The arguments of one `concat`."""

    def __init__(self) -> None:
        """Start empty."""
        self._parts: list[tuple[bool, str]] = []

    def text(self, constant: str) -> Pieces:
        """Append a constant."""
        if self._parts and not self._parts[-1][0]:
            self._parts[-1] = (False, self._parts[-1][1] + constant)
        else:
            self._parts.append((False, constant))
        return self

    def sql(self, expression: str) -> Pieces:
        """Append an expression that yields text and never NULL."""
        self._parts.append((True, expression))
        return self

    def __str__(self) -> str:
        """Write the whole as one text expression."""
        parts = [part if is_sql else literal(part) for is_sql, part in self._parts]
        while len(parts) > ARGUMENTS:
            parts = [_concat(parts[start : start + ARGUMENTS]) for start in range(0, len(parts), ARGUMENTS)]
        return _concat(parts)


def _concat(parts: list[str]) -> str:
    return f"concat({', '.join(parts)})"

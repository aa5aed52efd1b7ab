"""A statement being written: aliases, bound values and the caller whose rules go into the text."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from db.tables import metadata
from domain.access import Caller, Role
from domain.signing import AssetKey, EventKey

UNRESTRICTED: Final = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})
"""The roles whose statements need no ownership rule."""


class Alias:
    """A table under an alias. `t.stage` writes `t1.stage`, and a column that does not exist fails at once."""

    def __init__(self, name: str, table: Table | None) -> None:
        """Remember the alias and the table that checks its columns; a derived table checks none."""
        self.name: Final = name
        self._table = table

    def __getattr__(self, column: str) -> str:
        """Write a column of this alias."""
        return self.column(column)

    def column(self, column: str) -> str:
        """Write a column whatever it is called: `t.name` is the alias itself, `t.column("name")` a column of it."""
        if self._table is not None and column not in self._table.columns:
            raise AttributeError(f"Table {self._table.name!r} has no column {column!r}.")
        return f"{self.name}.{column}"


class Writer:
    """Numbers the parameters and aliases of one statement."""

    def __init__(self, caller: Caller, asset_key: AssetKey | None = None, event_key: EventKey | None = None) -> None:
        """Write for the eyes of `caller`; the keys are for statements that print addresses of assets, or a position."""
        self.caller: Final = caller
        self._asset_key = asset_key
        self._event_key = event_key
        self.values: Final[list[object]] = []
        self.decided: Final[dict[tuple[object, str], str]] = {}
        """Rules that a row's statement has decided, by rule and alias."""
        self._proven: Final[set[tuple[str, str]]] = set()
        self._placeholders: Final[dict[tuple[str, str], str]] = {}
        self._aliases = 0

    def bind(self, value: object, sql_type: str) -> str:
        """Bind a value where it is written, so that no parameter is left without a type."""
        self.values.append(value)
        return f"${len(self.values)}::{sql_type}"

    def prove(self, rule: str, expression: str) -> None:
        """Note that an expression names a row that a rule holds for, wherever it can be written."""
        self._proven.add((rule, expression))

    def proves(self, rule: str, expression: str) -> bool:
        """Whether a rule is known to hold for the row that an expression names."""
        return (rule, expression) in self._proven

    def equate(self, known: str, other: str) -> None:
        """Note that a second expression names the same row."""
        self._proven.update([(rule, other) for rule, expression in self._proven if expression == known])

    def alias(self, table: Table | str | None = None) -> Alias:
        """Return a fresh alias. Another noun's table is named, not imported: nouns do not import each other."""
        self._aliases += 1
        if isinstance(table, str):
            table = metadata.tables[table]
        return Alias(f"t{self._aliases}", table)

    @property
    def tenant(self) -> str:
        """The caller's tenant, bound once."""
        return self._once("tenant", "uuid", self.caller.tenant_id)

    @property
    def viewer(self) -> str:
        """The caller, a user or an API key, bound once. No row about a user bears a key's id."""
        return self._once("viewer", "uuid", self.caller.actor.id)

    @property
    def members(self) -> str:
        """The users whose rows count as the caller's own, bound once."""
        return self._once("members", "uuid[]", list(self.caller.members))

    @property
    def asset_key(self) -> AssetKey:
        """What signs the addresses of assets."""
        if self._asset_key is None:
            raise TypeError("This statement prints no rows, and so no addresses.")
        return self._asset_key

    @property
    def event_key(self) -> EventKey:
        """What signs positions in the event sequence."""
        if self._event_key is None:
            raise TypeError("This statement prints no value of its own, and so no position.")
        return self._event_key

    @property
    def unrestricted(self) -> bool:
        """Whether the role sees every row and every contact detail."""
        return self.caller.role in UNRESTRICTED

    @property
    def junior(self) -> bool:
        """Whether the role sees only its own people in full."""
        return self.caller.role is Role.JUNIOR_BROKER

    def _once(self, name: str, sql_type: str, value: object) -> str:
        key = (name, sql_type)
        if key not in self._placeholders:
            self._placeholders[key] = self.bind(value, sql_type)
        return self._placeholders[key]

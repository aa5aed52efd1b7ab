"""The one MetaData and the column shorthands that every noun's tables are written with.

A tenant table begins with `tenant_id`, and every key, foreign key and index leads with it: foreign-key checks ignore
row-level security, and a key without the tenant would tell one tenant that another tenant's row exists.
"""

from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy import text as sql
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from domain.values import Money

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def tenant_table(name: str, *items: SchemaItem, partition_by: str | None = None) -> Table:
    """A table keyed (tenant_id, id). Items are columns, constraints and indexes."""
    return Table(
        name,
        metadata,
        tenant_id(),
        identifier(),
        *items,
        PrimaryKeyConstraint("tenant_id", "id"),
        postgresql_partition_by=partition_by,
    )


def tenant_link_table(name: str, *items: SchemaItem, key: tuple[str, ...]) -> Table:
    """A table keyed (tenant_id, *key): what hangs between or under other rows and has no id of its own."""
    return Table(name, metadata, tenant_id(), *items, PrimaryKeyConstraint("tenant_id", *key))


def tenant_id() -> Column[object]:
    """Whose row it is. The policy compares it with the setting `app.tenant_id`."""
    return Column("tenant_id", Uuid, nullable=False)


def identifier(name: str = "id") -> Column[object]:
    """A UUIDv7, made in Python."""
    return Column(name, Uuid, nullable=False)


def reference(name: str, *, nullable: bool = False) -> Column[object]:
    """The id of another row of the same tenant. Add `belongs_to` for the foreign key."""
    return Column(name, Uuid, nullable=nullable)


def belongs_to(column: str, table: str) -> ForeignKeyConstraint:
    """The foreign key (tenant_id, column) -> table (tenant_id, id)."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"])


def belongs_to_tenant() -> ForeignKeyConstraint:
    """The foreign key to the tenant itself, for tables that no other foreign key ties to it."""
    return ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"])


def prose(
    name: str, most: int, *, least: int = 0, nullable: bool = False, default: str | None = None
) -> Column[object]:
    """Text of `least` to `most` characters."""
    return Column(
        name,
        Text,
        CheckConstraint(f'char_length("{name}") BETWEEN {least} AND {most}', name=f"{name}_length"),
        nullable=nullable,
        server_default=default,
    )


def enum_text(name: str, values: type[Enum], *, nullable: bool = False) -> Column[object]:
    """The name of one member of `values`; the CHECK lists them all."""
    listed = ", ".join(f"'{member.name}'" for member in values)
    return Column(name, Text, CheckConstraint(f'"{name}" IN ({listed})', name=f"{name}_known"), nullable=nullable)


def money(name: str, *, nullable: bool = True) -> tuple[SchemaItem, ...]:
    """`<name>_amount` and `<name>_currency` (ISO 4217): both or neither, never negative."""
    amount, currency = f"{name}_amount", f"{name}_currency"
    return (
        Column(
            amount,
            Numeric(18, 2),
            # NaN passes `>= 0` in PostgreSQL: it sorts above every number.
            CheckConstraint(f"{amount} >= 0 AND {amount} <> 'NaN'", name=f"{amount}_sane"),
            nullable=nullable,
        ),
        Column(
            currency,
            Text,
            CheckConstraint(f"{currency} ~ '^[A-Z]{{3}}$'", name=f"{currency}_code"),
            nullable=nullable,
        ),
        CheckConstraint(f"({amount} IS NULL) = ({currency} IS NULL)", name=f"{name}_whole"),
    )


def moment(name: str, *, nullable: bool = False) -> Column[object]:
    """A point in time, always UTC on the wire."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def created_at() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def updated_at() -> Column[object]:
    """The store sets it; no trigger does."""
    return Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def number(
    name: str, *, least: float | None = None, most: float | None = None, nullable: bool = True
) -> Column[object]:
    """A double that JSON can carry: never NaN or infinite. `least` and `most` are inclusive."""
    low = "'-Infinity'::double precision <" if least is None else f"{least} <="
    high = "< 'Infinity'::double precision" if most is None else f"<= {most}"
    return Column(
        name,
        Double,
        CheckConstraint(f'{low} "{name}" AND "{name}" {high}', name=f"{name}_finite"),
        nullable=nullable,
    )


def whole(name: str, *, least: int = 0, nullable: bool = True, default: int | None = None) -> Column[object]:
    """An integer of at least `least`."""
    return Column(
        name,
        Integer,
        CheckConstraint(f'"{name}" >= {least}', name=f"{name}_least"),
        nullable=nullable,
        server_default=None if default is None else sql(str(default)),
    )


def flag(name: str, *, default: bool = False) -> Column[object]:
    return Column(name, Boolean, nullable=False, server_default=sql("true" if default else "false"))


def pointer(name: str, *, nullable: bool = True) -> tuple[SchemaItem, ...]:
    """`<name>_noun` and `<name>_id`: a row of any noun (an actor, a subject), both or neither, no foreign key."""
    noun, key = f"{name}_noun", f"{name}_id"
    return (
        Column(noun, Text, CheckConstraint(f"{noun} ~ '^[a-z_]{{1,40}}$'", name=f"{noun}_name"), nullable=nullable),
        Column(key, Uuid, nullable=nullable),
        CheckConstraint(f"({noun} IS NULL) = ({key} IS NULL)", name=f"{name}_whole"),
    )


def ordered_by(*columns: str) -> Index:
    """The index of a connection's order: tenant_id, the columns, then id. Read backwards for descending."""
    return Index(None, "tenant_id", *columns, "id")


def kept_order(name: str, type_: TypeEngine[Any], expression: str) -> Column[Any]:
    """A column that PostgreSQL keeps for sorting by, where an expression would do if it were not for two things.

    Under row-level security only what cannot leak is looked up in an index, and neither COALESCE nor numeric's
    comparisons are trusted not to. A page after a cursor would read every row before it.
    """
    return Column(name, type_, Computed(expression, persisted=True), nullable=False)


def hundredths(name: str) -> Column[Any]:
    """`<name>_amount` in hundredths, to sort by; an amount that is missing is below every other."""
    return kept_order(f"{name}_hundredths", BigInteger(), f"COALESCE(({name}_amount * 100)::bigint, -1)")


def found_by(*columns: str, holding: tuple[str, ...] = ()) -> Index:
    """The index of a look-up: tenant_id, then the columns. What it is `holding` besides need not be read elsewhere."""
    return Index(None, "tenant_id", *columns, postgresql_include=list(holding))


def money_values(name: str, value: Money | None) -> dict[str, object]:
    """What the two columns of `money` hold for an amount, or for none."""
    return {f"{name}_amount": value and value.amount, f"{name}_currency": value and value.currency}

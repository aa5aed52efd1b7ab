"""What the schema promises, in neutral terms: start-up compares it with what `db` can keep."""

from __future__ import annotations

from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField

from domain.reading import Declaration, FieldDeclaration, FieldKind
from graph.declaration import Specification, annotation_of, classes, fields_of, specification_of
from graph.registry import REGISTRY, Declared


def complete() -> None:
    """Find which fields hold values, now that every type is declared."""
    for declared in (*REGISTRY.nouns.values(), *REGISTRY.values.values()):
        for field in _fields(declared):
            specification = specification_of(field)
            if specification is None or specification.kind is not FieldKind.COLUMN:
                continue
            for target in targets(field):
                if target.prefix is None:
                    declared.wrapped[field.python_name] = target.name


def declarations() -> tuple[Declaration, ...]:
    """Return every noun and value with its declared fields."""
    return tuple(
        Declaration(
            name=declared.name,
            prefix=declared.prefix,
            fields=tuple(_field(field) for field in _fields(declared) if specification_of(field) is not None),
            filters=() if declared.filter is None else tuple(field.python_name for field in fields_of(declared.filter)),
            orders=tuple(declared.orders),
        )
        for declared in (*REGISTRY.nouns.values(), *REGISTRY.values.values())
    )


def targets(field: StrawberryField) -> list[Declared]:
    """Return the nouns or values that a field's type names."""
    return [REGISTRY.by_type[each] for each in classes(annotation_of(field)) if each in REGISTRY.by_type]


def _fields(declared: Declared) -> list[StrawberryField]:
    """Return the fields of a noun; of an interface noun, those of all its kinds."""
    found: dict[str, StrawberryField] = {}
    for cls in (declared.cls, *declared.kinds.values()):
        found.update({field.python_name: field for field in fields_of(cls)})
    return list(found.values())


def _field(field: StrawberryField) -> FieldDeclaration:
    specification = specification_of(field) or Specification(FieldKind.COLUMN)
    target = next((each.name for each in targets(field)), None)
    return FieldDeclaration(
        name=field.python_name,
        kind=specification.kind,
        nullable=isinstance(field.type, StrawberryOptional),
        target=target,
        arguments=tuple(argument.name for argument in specification.arguments),
    )

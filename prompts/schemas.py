"""JSON Schemas in one form, so that a prompt's can be compared with the one of the shape that reads its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import BaseModel

from domain.values import UNSET

_FOR_READERS: Final = frozenset({"title", "description", "examples"})


def schema_of(shape: type[BaseModel]) -> dict[str, object]:
    """Return a shape's JSON Schema without references and titles."""
    schema = shape.model_json_schema()
    definitions = schema.pop("$defs", {})
    plain = _plain(schema, definitions)
    if not isinstance(plain, dict):
        raise TypeError(f"{shape.__name__} is no object")
    return plain


def _plain(node: object, definitions: Mapping[str, object]) -> object:
    if isinstance(node, list):
        return [_plain(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[str(node["$ref"]).rpartition("/")[2]], definitions)
    if "properties" in node:
        # Under `properties` stand names, and a field may be called `title`.
        fields = {name: _plain(field, definitions) for name, field in node["properties"].items()}
        rest = {key: value for key, value in node.items() if key != "properties"}
        return {**_keywords(rest, definitions), "properties": fields}
    return _keywords(node, definitions)


def _keywords(node: Mapping[str, object], definitions: Mapping[str, object]) -> dict[str, object]:
    kept = {key: _plain(value, definitions) for key, value in node.items() if key not in _FOR_READERS}
    either = kept.pop("anyOf", None)
    if isinstance(either, list):
        # What may be null says so in its type, as a person writes it: `type = ["string", "null"]`.
        real = next(each for each in either if each.get("type") != "null")
        kept |= {**real, "type": [real["type"], "null"]}
        if "enum" in kept:
            kept["enum"] = [*real["enum"], None]
    return kept


def without_descriptions(schema: object, *, names: bool = False) -> object:
    """Return a schema without what is for readers; `names` says that the keys are fields."""
    if isinstance(schema, Mapping):
        return {
            key: without_descriptions(value, names=not names and key == "properties")
            for key, value in schema.items()
            if names or key not in _FOR_READERS
        }
    if isinstance(schema, list):
        return [without_descriptions(each) for each in schema]
    return schema


def differences(found: object, wanted: object, place: str = "output") -> Iterator[str]:
    """Say where two schemas differ; both without descriptions. The order of `required` and of keys says nothing."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*found, *wanted}):
            yield from differences(found.get(key, UNSET), wanted.get(key, UNSET), f"{place}.{key}")
    elif found is UNSET:
        yield f"`{place}` is missing; it is {_shown(wanted)}"
    elif wanted is UNSET:
        yield f"`{place}` is unknown"
    elif _comparable(found) != _comparable(wanted):
        yield f"`{place}` is {_shown(found)}, and has to be {_shown(wanted)}"


def _comparable(value: object) -> object:
    """Two lists of names or types are the same in any order. True is not 1, as Python thinks."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sorted(_shown(each) for each in value)
    return (isinstance(value, bool), value)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)

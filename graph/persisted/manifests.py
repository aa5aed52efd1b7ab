"""Manifests of persisted operations: ours, Apollo's and Relay's, and the documents that ship with Velocity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import orjson
from graphql import GraphQLError, OperationDefinitionNode, parse

from domain.access.operations import OperationKind, PersistedOperation, sha256_id
from domain.errors import Invalid

FOLDER: Final = Path(__file__).parent.parent / "operations"
OURS: Final = "velocity-persisted-operations"
APOLLO: Final = "apollo-persisted-query-manifest"
ALIAS: Final = re.compile(r"[\w.-]{1,128}")
"""An id of a client's own tools: no colon, which is for ids that say how they were made."""
HEAD: Final = re.compile(r"^(query|mutation|subscription) (\w+)", re.MULTILINE)
"""How the one operation begins in a file of ours."""


class ManifestInvalid(Invalid):
    """The file is no manifest of persisted operations."""


@cache
def shipped() -> tuple[PersistedOperation, ...]:
    """Return the client operations that come with Velocity, one per file of `graph/operations`.

    They are ours and tested, so no start waits until all of them are parsed.
    """
    return tuple(_ours(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.graphql")))


def _ours(text: str) -> PersistedOperation:
    kind, name = cast("re.Match[str]", HEAD.search(text)).groups()
    return PersistedOperation(sha256_id(text), name, OperationKind[kind.upper()], text, None)


def read_manifest(content: bytes) -> tuple[PersistedOperation, ...]:
    """Read a manifest in any of the three formats; raises ManifestInvalid."""
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ManifestInvalid(f"The manifest is not JSON: {error}.") from error
    if not isinstance(manifest, dict):
        raise ManifestInvalid("The manifest is not a JSON object.")
    if "format" not in manifest:
        # What relay-compiler persists: `{"<hash>": "<text>"}`.
        return tuple(_operation(_text(key, text), key) for key, text in manifest.items())
    if manifest["format"] not in {OURS, APOLLO} or manifest.get("version") != 1:
        raise ManifestInvalid(
            f"The manifest has format {manifest['format']!r} and version {manifest.get('version')!r}."
        )
    entries = manifest.get("operations")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ManifestInvalid("The manifest's `operations` is not a list of objects.")
    return tuple(_operation(_text(str(entry.get("id")), entry.get("body")), str(entry.get("id"))) for entry in entries)


def written_manifest(operations: Iterable[PersistedOperation]) -> bytes:
    """Write a manifest in our format, which is Apollo's with ids that say how they were made."""
    entries = [
        {"id": each.document_id, "name": each.name, "type": each.kind.value.lower(), "body": each.text}
        for each in operations
    ]
    return orjson.dumps({"format": OURS, "version": 1, "operations": entries}, option=orjson.OPT_INDENT_2) + b"\n"


def _text(key: str, text: Any) -> str:
    if not isinstance(text, str):
        raise ManifestInvalid(f"Operation {key!r} has no text.")
    return text


def _operation(text: str, key: str | None = None) -> PersistedOperation:
    """Name a document by its one operation; an id that is its own hash is no alias."""
    try:
        document = parse(text)
    except GraphQLError as error:
        raise ManifestInvalid(f"Operation {key!r} does not parse: {error.message}") from error
    found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(found) != 1 or found[0].name is None:
        raise ManifestInvalid(f"Document {key!r} has to hold exactly one operation, which has a name.")
    document_id = sha256_id(text)
    alias = None if key is None or document_id in {key, f"sha256:{key}"} else key
    if alias is not None and (alias.startswith("sha256:") or re.fullmatch(r"[0-9a-f]{64}", alias)):
        raise ManifestInvalid(f"{alias!r} is not the SHA-256 of its document.")
    if alias is not None and not ALIAS.fullmatch(alias):
        raise ManifestInvalid(f"{alias!r} is no id: letters, digits, `_`, `-` and `.`, at most 128.")
    kind = OperationKind[found[0].operation.name]
    return PersistedOperation(document_id, found[0].name.value, kind, text, alias)

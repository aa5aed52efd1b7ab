"""Compares schema.graphql with the one of the last tag, by graphql-inspector: a breaking change fails `make check`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def released(root: Path) -> tuple[str, str] | None:
    """Return the last tag and its schema, or None before the first release."""
    described = _git(root, "describe", "--tags", "--abbrev=0")
    if described is None:
        return None
    tag = described.strip()
    schema = _git(root, "show", f"{tag}:schema.graphql")
    return None if schema is None else (tag, schema)


def compared(inspector: Path, root: Path = ROOT) -> tuple[int, str]:
    """Return an exit status and what to print."""
    found = released(root)
    if found is None:
        return 0, "No release has a schema yet: there is nothing that could have been broken."
    tag, schema = found
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "released.graphql"
        old.write_text(schema, encoding="utf-8")
        done = subprocess.run(
            [inspector.absolute(), "diff", old, root / "schema.graphql"], capture_output=True, text=True, check=False
        )
    return done.returncode, f"Compared with {tag}.\n{done.stdout}{done.stderr}".rstrip()


def _git(root: Path, *arguments: str) -> str | None:
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":
    status, said = compared(Path(sys.argv[1]))
    sys.stdout.write(f"{said}\n")
    sys.exit(status)

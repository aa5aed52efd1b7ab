"""The installation's secret: from the environment, or made once and kept in the data folder for its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

BYTES: Final = 32


def kept(path: Path, make: str | None = None) -> str:
    """Return the secret kept in a file of mode 600, making it first where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        secret = make or secrets.token_urlsafe(BYTES)
        file.write(secret + "\n")
    return secret

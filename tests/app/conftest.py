"""Folders for installations of their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder. Not pytest's: each run closes its root to others, and as root PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        yield Path(name)

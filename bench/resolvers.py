"""The product as it is served, but every document runs on the resolver path: its planner refuses them all."""

from __future__ import annotations

import sys
from typing import Any, NoReturn
from unittest.mock import patch

import uvloop

from app.settings import Settings
from app.starting import serve
from graph.compilation import Planner, Uncompiled


def refuse(*_arguments: Any) -> NoReturn:  # noqa: ANN401 -- whatever a planner is given.
    """Refuse to plan."""
    raise Uncompiled("The benchmark asks for the resolver path.")


if __name__ == "__main__":
    with patch.object(Planner, "compiled", refuse):
        sys.exit(uvloop.run(serve(Settings(), demo=False)))

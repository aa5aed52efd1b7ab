"""The figure of docs/qd.md is what the scorer draws today."""

import runpy
from pathlib import Path

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


def test_the_figure_is_what_its_script_draws() -> None:
    drawn = runpy.run_path(str(FIGURES / "qd.py"))["figure"]()

    assert drawn == (FIGURES / "qd.svg").read_text(encoding="utf-8")

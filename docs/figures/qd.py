"""Draws qd.svg: a generated session as the scorer reads it. Run `.venv/bin/python docs/figures/qd.py`.

The lock has no plotting library, and one figure that never changes needs none.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from app.demo.faces import Face, Scene
from domain.qd import START, Packet, Reading, advance

SCENES: Final = (
    ("Arrival", 0, 9, 0.3),
    ("Living room", 9, 24, 0.95),
    ("Price", 24, 38, 0.05),
    ("Terrace", 38, 60, 0.9),
)
ABSENCE: Final = (46.0, 51.0)
SECONDS: Final = 60
LEFT, TOP, WIDTH, HEIGHT, GAP = 56, 44, 860, 190, 34
LINES: Final = (
    ("attention", "#0b6e4f"),
    ("engagement", "#b25b00"),
    ("valence", "#7b2d8b"),
    ("confidence", "#555555"),
)


def session() -> list[Reading]:
    """Read a minute at ten packets a second."""
    start = datetime(2026, 11, 21, 9, tzinfo=UTC)
    face = Face(Random(21), [Scene(begin, end, appeal) for _, begin, end, appeal in SCENES], [ABSENCE])  # noqa: S311 drawn from a seed
    packets = [Packet(start + timedelta(seconds=n / 10), None, face.at(n / 10)) for n in range(SECONDS * 10 + 1)]
    return advance(START, packets)[1]


def x(second: float) -> float:
    return LEFT + WIDTH * second / SECONDS


def curve(values: Sequence[float], colour: str, *, top: float, low: float, high: float, width: float = 1.6) -> str:
    points = " ".join(
        f"{x(number / 10):.1f},{top + HEIGHT * (high - value) / (high - low):.1f}"
        for number, value in enumerate(values)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def text(left: float, top: float, words: str, *, anchor: str = "start", colour: str = "#222", size: int = 12) -> str:
    return (
        f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{words}</text>'
    )


def axis(top: float, marks: Sequence[float], low: float, high: float) -> list[str]:
    drawn = []
    for mark in marks:
        y = top + HEIGHT * (high - mark) / (high - low)
        drawn += [
            f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>',
            text(LEFT - 8, y + 4, f"{mark:g}", anchor="end"),
        ]
    return drawn


def figure() -> str:
    """Return the picture."""
    readings = session()
    lower = TOP + HEIGHT + GAP
    bottom = lower + HEIGHT
    tall = f'height="{bottom - TOP}" fill="#999"'
    drawn = [
        text(LEFT, 20, "A generated session: nobody was filmed. QD above, its parts below.", size=14),
        *axis(TOP, (1, 25, 50, 75, 100), 1, 100),
        *axis(lower, (-1, -0.5, 0, 0.5, 1), -1, 1),
        f'<rect x="{x(ABSENCE[0]):.1f}" y="{TOP}" width="{x(ABSENCE[1]) - x(ABSENCE[0]):.1f}" {tall} opacity="0.15"/>',
        text(x(sum(ABSENCE) / 2), TOP + 14, "nobody there", anchor="middle", colour="#666"),
    ]
    for title, begin, _, appeal in SCENES:
        drawn += [
            f'<path d="M{x(begin):.1f} {TOP}V{bottom}" stroke="#999" stroke-dasharray="3 3"/>',
            text(x(begin) + 5, TOP + HEIGHT + 20, f"{title} (appeal {appeal:g})", colour="#444"),
        ]
    drawn.append(curve([reading.score for reading in readings], "#1b4ea0", top=TOP, low=1, high=100, width=2.4))
    for place, (name, colour) in enumerate(LINES):
        drawn.append(curve([getattr(reading, name) for reading in readings], colour, top=lower, low=-1, high=1))
        drawn.append(text(LEFT + 120 * place, bottom + 38, f"— {name}", colour=colour))
    drawn += [text(x(second), bottom + 18, f"{second} s", anchor="middle") for second in range(0, SECONDS + 1, 10)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 24} {bottom + 52}"'
        ' font-family="system-ui, sans-serif" role="img">'
        "<title>QD, attention, engagement, valence and confidence of a generated session</title>"
        '<rect width="100%" height="100%" fill="white"/>'
    )
    return "\n".join([head, *drawn, "</svg>", ""])


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(figure(), encoding="utf-8")

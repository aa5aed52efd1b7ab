"""Scene maps: what a CSV has to be, and that every issue of one is told."""

import pytest

from domain.errors import Invalid
from domain.videos import scenes_of

HEADER = "title,start_ms,end_ms\n"


def issues(text: str, duration_ms: int = 60_000) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        scenes_of(text.encode(), duration_ms)
    return [(issue.field, issue.message) for issue in caught.value.issues]


def test_a_map_is_read_in_any_order_of_columns_and_with_others() -> None:
    text = '\ufeffend_ms, title ,note,start_ms\r\n10000,"The arrival, at dawn",x,0\r\n60000,  The   pool ,,20000\r\n'

    scenes = scenes_of(text.encode(), 60_000)

    assert [(scene.title, scene.start_ms, scene.end_ms) for scene in scenes] == [
        ("The arrival, at dawn", 0, 10_000), ("The pool", 20_000, 60_000),
    ]  # fmt: skip


def test_every_issue_is_told_at_its_line() -> None:
    text = (
        HEADER + "One,0,10000\nTwo,5000,12000\n,20000,x\nFour,30000,30000\nFive,1,99999999\nSix,40000,61000\nSeven,-1,5"
    )

    assert issues(text) == [
        ("line 3.start_ms", "It overlaps the scene before it, which ends at 10000."),
        ("line 4.title", "A title has 1 to 200 characters."),
        ("line 4.end_ms", "It is a whole number of milliseconds."),
        ("line 5.end_ms", "A scene ends after it starts."),
        ("line 6.end_ms", "The video ends at 60000."),
        ("line 6.start_ms", "It overlaps the scene before it, which ends at 10000."),
        ("line 7.end_ms", "The video ends at 60000."),
        ("line 8.start_ms", "It is a whole number of milliseconds."),
    ]


def test_scenes_are_in_order() -> None:
    assert issues(HEADER + "Two,20000,30000\nOne,0,10000\n") == [
        ("line 3.start_ms", "The scenes are in the order in which they are shown.")
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["line 1.title", "line 1.start_ms", "line 1.end_ms"]),
        ("title,start_ms\nOne,0\n", ["line 1.end_ms"]),
        ("title,start_ms,end_ms,title\nOne,0,1,Two\n", ["line 1.title"]),
        (HEADER, ["line 2"]),
        (HEADER + "One,0\n", ["line 2.end_ms"]),
        (HEADER + 'One,0,10\n"Two,20,30\n', ["line 3"]),
        (HEADER + "".join(f"S,{n},{n + 1}\n" for n in range(101)), ["uploadId"]),
        (HEADER + "S,²,3\n", ["line 2.start_ms"]),
    ],
)
def test_what_is_no_map_is_refused(text: str, found: list[str]) -> None:
    assert [field for field, _ in issues(text)] == found


def test_a_flood_of_issues_is_cut() -> None:
    assert len(issues(HEADER + "S,x,y\n" * 500)) == 100

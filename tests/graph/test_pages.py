"""The built web pages: whole, without inline scripts, and from one origin. `make test` builds them first."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "graph" / "pages"
DIST = PAGES / "dist"
RUNS = {"script", "style"}


class Page(HTMLParser):
    """What a page loads, and what it would run inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [value for name in ("src", "href") if (value := given.get(name))]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self._script = tag in RUNS

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.inline.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag not in RUNS


def test_page_reader_sees_inline_code() -> None:
    page = Page('<body onload="go()"><script>go()</script><script src="/pages/a.js"></script></body>')
    assert page.inline == ["onload", "go()"]
    assert page.loads == ["/pages/a.js"]


@pytest.mark.parametrize("name", ["graphiql", "live"])
def test_a_page_loads_only_built_files(name: str) -> None:
    page = Page((DIST / f"{name}.html").read_text())
    assert page.inline == []
    assert page.loads == ["data:,", f"/pages/{name}.css", f"/pages/{name}.js"]
    assert all((DIST / path.removeprefix("/pages/")).is_file() for path in page.loads[1:])


def test_the_live_page_is_small() -> None:
    loaded = [DIST / "live.js", *(DIST / name for name in re.findall(r"chunk-\w+\.js", (DIST / "live.js").read_text()))]
    assert sum(path.stat().st_size for path in loaded) < 500_000


def test_workers_are_built() -> None:
    assert {file.name for file in DIST.glob("*.worker.js")} == {
        "editor.worker.js",
        "graphql.worker.js",
        "json.worker.js",
    }


def test_styles_name_no_other_host() -> None:
    sheets = list(DIST.glob("*.css"))
    assert len(sheets) >= 1
    targets = {
        target for sheet in sheets for target in re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", sheet.read_text())
    }
    outside = {target[:60] for target in targets if not target.startswith(("data:", "./", "#"))}
    assert outside == set()

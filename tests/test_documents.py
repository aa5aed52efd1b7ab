"""Links in the documents lead to a file of this tree and a heading in it, and the files that they name are there."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.house_rules import files

ROOT = Path(__file__).parents[1]
DOCUMENTS = [path for path in files(ROOT) if path.suffix == ".md"]


def inline_tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield from token.children or []


def links(text: str) -> list[str]:
    """Every target of a link or picture that is not on another host."""
    targets = [str(token.attrGet("href") or token.attrGet("src") or "") for token in inline_tokens(text)]
    return [target for target in targets if target and not re.match(r"[a-z][a-z0-9+.-]*:", target)]


def anchors(text: str) -> set[str]:
    """What a heading is linked by, as the code hosts make it: lower case, spaces to hyphens, numbered when repeated."""
    found: set[str] = set()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for opening, heading in pairwise(tokens):
        if opening.type == "heading_open":
            words = "".join(token.content for token in heading.children or [])
            slug = base = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            number = 0
            while slug in found:
                number += 1
                slug = f"{base}-{number}"
            found.add(slug)
    return found


def dead_links(root: Path, document: Path) -> list[str]:
    """The links of a document that lead nowhere in the tree."""
    dead = []
    for target in links(document.read_text()):
        path, _, anchor = unquote(target).partition("#")
        file = (document.parent / path).resolve() if path else document
        if not (file.exists() and file.is_relative_to(root)) or (anchor and anchor not in anchors(file.read_text())):
            dead.append(target)
    return dead


_NAMED = re.compile(r"(?<![\w./$<>-])(?:app|bench|db|docs|domain|gpu|graph|prompts|resolvers|soak|tests)/[\w./-]*\w")


def lost_files(root: Path, document: Path) -> list[str]:
    """What a document names as code in one of the tree's folders, and is not there; a module may lack its `.py`."""
    codes = [token.content for token in inline_tokens(document.read_text()) if token.type == "code_inline"]
    named = [name for code in codes for name in _NAMED.findall(code)]
    return [name for name in named if not (root / name).exists() and not (root / f"{name}.py").exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    assert dead_links(ROOT, document) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_are_there(document: Path) -> None:
    assert lost_files(ROOT, document) == []


def test_lost_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "leads.py").touch()
    document = tmp_path / "README.md"
    document.write_text(
        "`graph/leads.py: lead_move` `graph/leads` `graph/` `graph/<noun>.py` `GET /graph/x` graph/prose.py\n\n"
        "| `domain/gone.py` |\n|---|\n| `-m graph/lost.py:3` |\n"
    )
    assert lost_files(tmp_path, document) == ["domain/gone.py", "graph/lost.py"]


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "errors.md").write_text("# Errors\n\n## A `Code`, twice\n\n## A `Code`, twice\n")
    document = tmp_path / "README.md"
    document.write_text(
        "# Read me\n\n[a](docs/errors.md) [b](docs/errors.md#a-code-twice-1) [c](#read-me) [d](https://example.org)\n\n"
        "| [e](docs/gone.md) | ![f](gone.png) |\n|---|---|\n"
        "| [g](docs/errors.md#a-code-twice-2) | [h](../outside.md) |\n"
        "\n[i](#elsewhere) `[j](code.md)`\n"
    )
    assert dead_links(tmp_path, document) == [
        "docs/gone.md",
        "gone.png",
        "docs/errors.md#a-code-twice-2",
        "../outside.md",
        "#elsewhere",
    ]

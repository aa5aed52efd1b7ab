"""The house rules hold in this tree, and each of them can fail: a tree that breaks it is found out."""

import importlib
import pkgutil
import re
import shutil
import tomllib
from pathlib import Path

import pytest

import domain
from domain.errors import Conflict, DomainError
from tests import house_rules
from tests.house_rules import LAYERS, Rule

ROOT = Path(__file__).parents[1]

# Every rule, a file that breaks it, and what the rule says of that file.
BROKEN: list[tuple[Rule, str, str, str]] = [
    (house_rules.long_modules, "domain/leads.py", "x = 1\n" * 401, "domain/leads.py: 401 lines"),
    (house_rules.long_modules, "tests/test_leads.py", "x = 1\n" * 601, "tests/test_leads.py: 601 lines"),
    (
        house_rules.long_functions,
        "db/leads.py",
        "async def page() -> None:\n" + "    pass\n" * 50,
        "db/leads.py:1: page has 51 lines",
    ),
    (house_rules.silent_modules, "graph/leads.py", "import domain\n", "graph/leads.py"),
    (house_rules.empty_names, "domain/utils.py", "", "domain/utils.py"),
    (house_rules.empty_names, "tests/common/leads.py", "", "tests/common/leads.py"),
    (house_rules.empty_names, "tests/test_helpers.py", "", "tests/test_helpers.py"),
    (house_rules.strange_names, "db/clients.py", "", "db/clients"),
    (house_rules.strange_names, "domain/clients/__init__.py", "", "domain/clients"),
    # A noun of the product that this tree's domain does not have.
    (house_rules.strange_names, "resolvers/leads.py", "", "resolvers/leads"),
    (house_rules.stray_commits, "db/leads.py", "def f(s):\n    s.commit()\n", "db/leads.py:2: commit()"),
    (
        house_rules.unguarded_resolvers,
        "resolvers/leads.py",
        "@cached(1)\nasync def lead_move(context):\n    pass\n",
        "resolvers/leads.py:2: lead_move",
    ),
    (house_rules.bare_suppressions, "db/leads.py", "x = 1  # type: ignore\n", "db/leads.py:1: # type: ignore"),
    (
        house_rules.bare_suppressions,
        "db/leads.py",
        "x = 1  # type: ignore[misc]\n",
        "db/leads.py:1: # type: ignore[misc]",
    ),
    (house_rules.bare_suppressions, "db/leads.py", "x = 1  # noqa\n", "db/leads.py:1: # noqa"),
    (house_rules.bare_suppressions, "db/leads.py", "x = 1  # noqa: S608\n", "db/leads.py:1: # noqa: S608"),
    (
        house_rules.sleeping_tests,
        "tests/db/test_leads.py",
        "async def test() -> None:\n    await asyncio.sleep(1)\n",
        "tests/db/test_leads.py:2: sleep()",
    ),
    (house_rules.clocks_in_domain, "domain/leads.py", "x = datetime.now(UTC)\n", "domain/leads.py:1: now()"),
    (house_rules.machine_traces, "README.md", "See /home/somebody/notes.\n", "README.md:1: /home/s"),
    (house_rules.machine_traces, "docs/install.md", "from pypi.org\n", "docs/install.md:1: pypi.org"),
    (house_rules.hosts_in_locks, "requirements.lock", "--index-url x\n", "requirements.lock:1: --index-url"),
    (
        house_rules.hosts_in_locks,
        "graph/pages/package-lock.json",
        '{"resolved": "x"}\n',
        'graph/pages/package-lock.json:1: "resolved"',
    ),
]
BROKEN_IDS = [f"{rule.__name__}-{number}" for number, (rule, *_) in enumerate(BROKEN)]
RULES = list(dict.fromkeys(rule for rule, *_ in BROKEN))

# One import for each contract, and the contracts that it breaks.
FORBIDDEN = {
    "domain/leads.py": ("import db.leads", {"Imports point down"}),
    "graph/leads.py": ("import db.events", {"Only app wires the adapters"}),
    "app/leads.py": ("import prompts.leads", set[str]()),
    "resolvers/people.py": ("import prompts.leads", {"Only gpu renders prompts"}),
    "domain/people.py": ("import socket", {"domain is plain Python"}),
    "resolvers/leads.py": ("import strawberry", {"GraphQL stays in graph"}),
    "gpu/leads.py": ("import sqlalchemy", {"SQL stays in db"}),
    "prompts/leads.py": ("import httpx", {"HTTP to models stays in gpu"}),
    "db/people.py": ("import starlette", {"The web server stays in app and graph"}),
    "db/leads.py": ("import db.tasks", set[str]()),
    "db/tasks.py": ("import db.leads", {"No cycles between nouns"}),
    "db/events.py": ("", set[str]()),
}


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize("rule", [*RULES, house_rules.broken_contracts], ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize(("rule", "name", "text", "found"), BROKEN, ids=BROKEN_IDS)
def test_rule_finds_what_breaks_it(rule: Rule, name: str, text: str, found: str, tmp_path: Path) -> None:
    write(tmp_path, name, text)
    assert rule(tmp_path) == [found]


def test_rules_accept_what_they_allow(tmp_path: Path) -> None:
    write(tmp_path, "domain/leads.py", '"""Leads."""\n')
    write(tmp_path, "domain/values.py", '"""Ids."""\n\nnow = time_ns()\n')
    write(tmp_path, "db/leads/__init__.py", '"""Leads."""\n\nx = y  # noqa: S608 the names are constants\n')
    write(tmp_path, "db/unit.py", '"""The unit."""\n\nsession.commit()  # type: ignore[misc]  # no stubs\n')
    write(tmp_path, "db/migrations/versions/first.py", '"""Tables."""\n' + "x = 1\n" * 500)
    write(
        tmp_path,
        "resolvers/leads.py",
        '"""Leads."""\n\n@guard.allow(X)\nasync def lead_move(): ...\n\n\ndef _f(): ...\n',
    )
    write(tmp_path, "resolvers/context.py", '"""The caller."""\n\ndef require(): ...\n')
    write(tmp_path, "graph/pages/node_modules/a.py", "sleep()\n")
    assert {rule.__name__: rule(tmp_path) for rule in RULES} == {rule.__name__: [] for rule in RULES}


def test_contracts_can_break(tmp_path: Path) -> None:
    config = (ROOT / "pyproject.toml").read_text()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for layer in LAYERS:
        write(tmp_path, f"{layer}/__init__.py", "")
    for name, (line, _) in FORBIDDEN.items():
        write(tmp_path, name, f"{line}\n")
    contracts = [contract["name"] for contract in tomllib.loads(config)["tool"]["importlinter"]["contracts"]]
    assert set[str]().union(*(names for _, names in FORBIDDEN.values())) == set(contracts)
    assert house_rules.broken_contracts(tmp_path) == contracts


def test_a_linter_that_cannot_run_is_no_success(tmp_path: Path) -> None:
    assert len(house_rules.broken_contracts(tmp_path)) == 1


def domain_errors() -> set[type[DomainError]]:
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    found = set[type[DomainError]]()
    unseen = [DomainError]
    while unseen:
        children = [child for child in unseen.pop().__subclasses__() if child.__module__.startswith("domain.")]
        found.update(children)
        unseen += children
    return found


def test_every_error_is_documented() -> None:
    assert house_rules.undocumented_errors(domain_errors(), (ROOT / "docs" / "errors.md").read_text()) == []


def test_an_undocumented_error_is_found() -> None:
    page = "| `Conflict` | NOT_FOUND | Another's code. |\n| `NotFound` | CONFLICT | Another's name. |\n"
    assert house_rules.undocumented_errors({Conflict}, page) == ["Conflict CONFLICT"]
    assert house_rules.undocumented_errors({Conflict}, page + "| `Conflict` | CONFLICT | Lost a race. |") == []


def test_every_error_says_what_happened() -> None:
    codes = {error.code for error in domain_errors()}
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code) for code in codes)
    assert [error.__name__ for error in domain_errors() if not error.__doc__] == []

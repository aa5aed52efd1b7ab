"""The house rules, each a small function from a source tree to the places that break it."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

from domain.errors import DomainError

Rule = Callable[[Path], list[str]]


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LAYERS = ("app", "graph", "resolvers", "domain", "db", "gpu", "prompts")
CODE = (*LAYERS, "tests")
NOUNS = words("""
    access admin assets audit campaigns canvases cctv fleet imports inference interactions jobs leads mobile
    notifications opportunities people perception properties proposals questions renders tasks templates threads
    vault videos
""")
# What a layer holds beside the nouns. A name joins this list for a reason, not for want of a noun.
INFRASTRUCTURE = {
    # `qd` computes scores for perception, which stores and shows them: it has no rows, resolvers or types of its own.
    "domain": words("answers asking currencies errors events pseudonyms qd reading signing structured unit values"),
    "resolvers": words("context guard performing"),
    "graph": words("""
        admission budgets compilation connections context converting cost declaration declarations direct documents
        enums errors execution fields http ids inputs limits loaders mutations persisted problems refusals registry
        scalars schema selection shares subscriptions unawaited values
    """),
    "db": words("""
        brief dumps engine erasing errors events history migrations naming partitions reading roles server sources
        tables unit visibility
    """),
}
EMPTY_NAMES = words("common helper helpers manager managers misc util utils")
MODULE_LINES = 400
TEST_LINES = 600
FUNCTION_LINES = 50
GUARDS = words("allow public signed_in")
CLOCKS = words("monotonic now time time_ns today utcnow")

# Folders that are made, not written.
_MADE = words("node_modules dist var __pycache__")
_TEXT = words(".cfg .css .graphql .html .ini .js .json .jsx .lock .mako .md .mjs .npmrc .py .sql .toml .txt .yaml .yml")
_NAMED_TEXT = words("Makefile run .gitignore .npmrc")


def files(root: Path) -> Iterator[Path]:
    """Every written text file of the tree."""
    for path in sorted(root.iterdir()):
        if path.is_dir():
            if path.name not in _MADE and (not path.name.startswith(".") or path.name == ".ci"):
                yield from files(path)
        elif path.suffix in _TEXT or path.name in _NAMED_TEXT:
            yield path


def modules(root: Path, folders: tuple[str, ...] = CODE) -> Iterator[Path]:
    """Every Python module of these folders."""
    for folder in folders:
        if (root / folder).is_dir():
            yield from (path for path in files(root / folder) if path.suffix == ".py")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def called(node: ast.AST) -> str:
    """The last name of what is called (`commit` for `session.commit()`), or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def calls(root: Path, path: Path, names: frozenset[str]) -> list[str]:
    """The places where a module calls one of these names."""
    return [
        f"{path.relative_to(root)}:{node.lineno}: {called(node)}()"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and called(node) in names
    ]


def broken_contracts(root: Path) -> list[str]:
    """The import contracts of pyproject.toml that do not hold."""
    linter = (
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    )
    done = subprocess.run([sys.executable, "-c", linter], cwd=root, capture_output=True, text=True, check=False)
    broken = re.findall(r"^(.+?) BROKEN$", done.stdout, flags=re.MULTILINE)
    return broken or ([] if done.returncode == 0 else [done.stdout + done.stderr])


def long_modules(root: Path) -> list[str]:
    found = []
    for path in modules(root):
        name = path.relative_to(root)
        lines = len(path.read_text().splitlines())
        if lines > (TEST_LINES if name.parts[0] == "tests" else MODULE_LINES) and not is_revision(name):
            found.append(f"{name}: {lines} lines")
    return found


def long_functions(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{node.lineno}: {node.name} has {length} lines"
        for path in modules(root)
        if not is_revision(path.relative_to(root))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]


def is_revision(name: Path) -> bool:
    """Whether a module is a migration: written once, never read again as a whole."""
    return name.parts[:3] == ("db", "migrations", "versions")


def silent_modules(root: Path) -> list[str]:
    """Modules that do not say what they are for."""
    return [str(path.relative_to(root)) for path in modules(root) if not ast.get_docstring(tree_of(path))]


def empty_names(root: Path) -> list[str]:
    """Modules and folders whose name says nothing."""
    return [
        str(path.relative_to(root))
        for path in modules(root)
        if EMPTY_NAMES & {*path.relative_to(root).parts, path.stem, path.stem.removeprefix("test_")}
    ]


def strange_names(root: Path) -> list[str]:
    """Modules that are neither a noun that `domain` has nor their layer's infrastructure."""
    nouns = NOUNS & modules_in(root / "domain")
    allowed = {"domain": NOUNS, "resolvers": nouns, "graph": nouns, "db": nouns}
    return [
        f"{layer}/{name}"
        for layer, own in INFRASTRUCTURE.items()
        for name in sorted(modules_in(root / layer) - allowed[layer] - own)
    ]


def modules_in(layer: Path) -> set[str]:
    if not layer.is_dir():
        return set()
    packages = {path.name for path in layer.iterdir() if (path / "__init__.py").is_file()}
    return packages | {path.stem for path in layer.glob("*.py")} - {"__init__"}


def stray_commits(root: Path) -> list[str]:
    """Commits outside the one place that ends a transaction."""
    return [
        place
        for path in modules(root, LAYERS)
        if path.relative_to(root) != Path("db/unit.py")
        for place in calls(root, path, words("commit"))
    ]


def unguarded_resolvers(root: Path) -> list[str]:
    """Public functions of a noun's resolvers that do not say who may call them."""
    found = []
    for path in modules(root, ("resolvers",)):
        name = path.relative_to(root)
        if name.parts[1].removesuffix(".py") not in NOUNS:
            continue
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                marks = {called(mark) or ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
                if not marks & GUARDS:
                    found.append(f"{name}:{node.lineno}: {node.name}")
    return found


_SUPPRESSION = re.compile(r"#\s*(?:type:\s*ignore|(?:ruff:\s*)?noqa)")
_REASONED = re.compile(r"# type: ignore\[[\w, -]+\]  # .*\w|# (?:ruff: )?noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*[ :-]+\w.* \w")


def bare_suppressions(root: Path) -> list[str]:
    """Silenced checks without the code of the check or without a reason."""
    return [
        f"{path.relative_to(root)}:{token.start[0]}: {token.string}"
        for path in modules(root)
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
        if token.type == tokenize.COMMENT and _SUPPRESSION.search(token.string) and not _REASONED.search(token.string)
    ]


def sleeping_tests(root: Path) -> list[str]:
    return [place for path in modules(root, ("tests",)) for place in calls(root, path, words("sleep"))]


def clocks_in_domain(root: Path) -> list[str]:
    """Places where a rule reads the time instead of being told it. Only new ids take it from the clock."""
    return [
        place
        for path in modules(root, ("domain",))
        if path.relative_to(root) != Path("domain/values.py")
        for place in calls(root, path, CLOCKS)
    ]


_MACHINE_PATH = re.compile(r"(?<![\w.@/-])/(?:home|root|Users|work)/\w")
_REGISTRY = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|npmjs\.com|deb\.debian|file:///", re.IGNORECASE)
_LOCKED_HOST = re.compile(r"https?://|file:/|\"resolved\"|--(?:extra-)?index-url|--find-links|--trusted-host")


def machine_traces(root: Path) -> list[str]:
    """Absolute paths of somebody's machine and hosts of package registries."""
    found = lines_with(root, _MACHINE_PATH, list(files(root))) + lines_with(root, _REGISTRY, list(files(root)))
    return [place for place in found if not place.startswith(("tests/house_rules.py", "tests/test_architecture.py"))]


def hosts_in_locks(root: Path) -> list[str]:
    locks = [path for path in files(root) if path.suffix == ".lock" or path.name == "package-lock.json"]
    return lines_with(root, _LOCKED_HOST, locks)


def lines_with(root: Path, pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number}: {match[0]}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (match := pattern.search(line))
    ]


def undocumented_errors(errors: set[type[DomainError]], page: str) -> list[str]:
    """Errors without a line of docs/errors.md that holds their name and code."""
    lines = page.splitlines()
    return sorted(
        f"{error.__name__} {error.code}"
        for error in errors
        if not any(f"`{error.__name__}`" in line and error.code in line for line in lines)
    )

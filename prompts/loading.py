"""Prompts are read and checked once, at the start: a file each, with TOML between two lines of `+++` before the text.

The ones of this release stand beside this module. A folder may hold others of the same names, which take their place;
docs/gpu.md says what a file holds. Nothing is asked with a prompt that has a fault.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from domain.inference import InferenceTask
from prompts.schemas import differences, schema_of, without_descriptions
from prompts.shapes import EXPECTED, Expected, Shape

SHIPPED: Final = Path(__file__).parent
LONGEST: Final = 32 * 1024
"""Bytes of one file."""
MOST_TOKENS: Final = 8192

PLACEHOLDER: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_FENCE: Final = "+++"
_HEADINGS: Final = re.compile(r"^## (?:System|User)[ \t]*$", re.MULTILINE)
_KEYS: Final[Mapping[str, type]] = {"version": str, "max_tokens": int, "variables": dict, "output": dict}
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class PromptsAreFaulty(Exception):
    """Prompts cannot be used; `faults` are sentences, each beginning with the file that it is about."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        """Keep every fault that was found."""
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Prompt:
    """A checked prompt. `hash` is the SHA-256 of the file, in hexadecimal; `path` is where it was read."""

    task: InferenceTask
    path: Path
    version: str
    hash: str
    max_tokens: int
    system: str
    user: str
    schema: Mapping[str, object]
    shape: type[Shape]
    variables: frozenset[str]


Prompts = Mapping[InferenceTask, Prompt]


def file_name(task: InferenceTask) -> str:
    """Return the name of a task's file."""
    return f"{task.name.lower()}.md"


def load_prompts(folder: Path | None = None) -> Prompts:
    """Return every task's prompt: the folder's where it has one, else the one of this release.

    Raises PromptsAreFaulty with everything that is wrong with any of them.
    """
    prompts, faults = read_prompts(folder)
    if faults:
        raise PromptsAreFaulty(faults)
    return prompts


def read_prompts(folder: Path | None = None) -> tuple[Prompts, tuple[str, ...]]:
    """Return the prompts that have no fault, and the faults of the others."""
    prompts: dict[InferenceTask, Prompt] = {}
    faults = list(_faults_of_folder(folder)) if folder is not None else []
    for task, expected in EXPECTED.items():
        own = folder / file_name(task) if folder is not None else None
        path = own if own is not None and own.is_file() else SHIPPED / file_name(task)
        found = _read(task, path, expected)
        if isinstance(found, Prompt):
            prompts[task] = found
        else:
            faults += [f"{path}: {fault}" for fault in found]
    return prompts, tuple(faults)


def _faults_of_folder(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        yield f"{folder}: there is no such folder of prompts."
        return
    known = {file_name(task) for task in EXPECTED}
    for path in sorted(folder.glob("*.md")):
        if path.name not in known:
            yield f"{path}: there is no prompt of this name. There are {', '.join(sorted(known))}."


def _read(task: InferenceTask, path: Path, expected: Expected) -> Prompt | list[str]:
    """Return the prompt in a file, or what is wrong with it."""
    try:
        content = path.read_bytes()
        matter, body = _parts(content)
    except OSError as error:
        return [f"it cannot be read: {error.strerror}."]
    except ValueError as error:
        return [str(error)]
    if faults := list(_faults_of_matter(matter)):
        return faults
    schema = _with_nulls(matter["output"])
    system, user = _sections(body)
    faults = [
        *_faults_of_variables(matter["variables"], expected.variables),
        *_faults_of_schema(schema, expected.shape),
        *_faults_of_body(system, user, frozenset(matter["variables"])),
    ]
    return faults or Prompt(
        task, path, matter["version"], hashlib.sha256(content).hexdigest(), matter["max_tokens"],
        system or "", user or "", schema, expected.shape, expected.variables,
    )  # fmt: skip


def _parts(content: bytes) -> tuple[dict[str, Any], str]:
    """Return the front matter and the text behind it. Raises ValueError with a sentence."""
    if len(content) > LONGEST:
        raise ValueError(f"it has {len(content)} bytes, and {LONGEST} are allowed.")
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8, at byte {error.start}.") from error
    opening, _, rest = text.partition(f"{_FENCE}\n")
    front, closed, body = rest.partition(f"\n{_FENCE}\n")
    if opening or not closed:
        raise ValueError(f"there is no front matter: TOML between two lines of {_FENCE}, from the first line on.")
    try:
        return tomllib.loads(front), body
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"the front matter is no TOML: {error}, counted from the line after {_FENCE}.") from error


def _faults_of_matter(matter: Mapping[str, object]) -> Iterator[str]:
    """Say what is wrong with the keys of the front matter."""
    names = {str: "a text", int: "a whole number", dict: "a table"}
    for key in sorted(matter.keys() - _KEYS.keys()):
        yield f"the front matter has `{key}`, which is unknown. It has {', '.join(f'`{known}`' for known in _KEYS)}."
    for key, kind in _KEYS.items():
        if key not in matter:
            yield f"the front matter lacks `{key}`, {names[kind]}."
        elif type(matter[key]) is not kind:
            yield f"`{key}` has to be {names[kind]}."
    version, most = matter.get("version"), matter.get("max_tokens")
    if isinstance(version, str) and not _VERSION.fullmatch(version):
        yield "`version` has to be 1 to 40 letters, digits, points, hyphens and underscores."
    if type(most) is int and not 1 <= most <= MOST_TOKENS:
        yield f"`max_tokens` is {most}, and has to be 1 to {MOST_TOKENS}."


def _faults_of_variables(declared: Mapping[str, object], given: frozenset[str]) -> Iterator[str]:
    """Say which variables are not those that the code gives. Each is described in a sentence."""
    for name in sorted(declared.keys() - given):
        yield f"the variable `{name}` is unknown. There are {', '.join(f'`{known}`' for known in sorted(given))}."
    for name in sorted(given - declared.keys()):
        yield f"the variable `{name}` is missing."
    for name, description in sorted(declared.items()):
        if not (isinstance(description, str) and description.strip()):
            yield f"the variable `{name}` has to be described by a text."


def _faults_of_schema(schema: object, shape: type[Shape]) -> Iterator[str]:
    """Say where the schema is not the one that the code reads answers by. Descriptions are the file's own."""
    for difference in differences(without_descriptions(schema), schema_of(shape)):
        yield f"the output schema does not fit: {difference}."


def _with_nulls(schema: object) -> dict[str, object]:
    """Return a schema whose lists of values have null where the type has it: TOML has no null."""

    def completed(node: object) -> object:
        if isinstance(node, list):
            return [completed(each) for each in node]
        if not isinstance(node, dict):
            return node
        done = {key: completed(value) for key, value in node.items()}
        kind, values = done.get("type"), done.get("enum")
        if isinstance(kind, list) and "null" in kind and isinstance(values, list):
            done["enum"] = [*values, None]
        return done

    done = completed(schema)
    return done if isinstance(done, dict) else {}


def _sections(body: str) -> tuple[str | None, str | None]:
    """Return the text of `## System` and of `## User`, in this order and each once; None for what is not there."""
    headings = [match[0].rstrip() for match in _HEADINGS.finditer(body)]
    if headings != ["## System", "## User"]:
        return None, None
    _, system, user = _HEADINGS.split(body)
    return system.strip(), user.strip()


def _faults_of_body(system: str | None, user: str | None, declared: frozenset[str]) -> Iterator[str]:
    """Say what is wrong with the text and its placeholders."""
    if system is None or user is None:
        yield "the text has to have the headings `## System` and `## User`, each once and in this order."
        return
    for name, section in (("System", system), ("User", user)):
        if not section:
            yield f"there is nothing under `## {name}`."
    for name in dict.fromkeys(PLACEHOLDER.findall(system)):
        yield f"`{{{{{name}}}}}` stands under `## System`. Data belongs under `## User`."
    used = PLACEHOLDER.findall(user)
    for name in dict.fromkeys(used):
        if name not in declared:
            yield f"`{{{{{name}}}}}` is used, and `{name}` is no variable."
        elif used.count(name) > 1:
            yield f"`{{{{{name}}}}}` is used {used.count(name)} times. Data stands in one place."
    for name in sorted(declared - set(used)):
        yield f"the variable `{name}` is never used."

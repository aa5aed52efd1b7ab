"""A small language for what JSON may look like: a shape tells every place where a value does not fit, by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from domain.canvases.canonical import SAFE_INTEGER
from domain.errors import Issue

Shape: TypeAlias = Callable[[object, str], Iterator[Issue]]

DEEPEST: Final = 16
LONGEST_NAME: Final = 200


def text(longest: int = LONGEST_NAME) -> Shape:
    """Take a text that says something, of at most so many characters."""

    def shape(value: object, path: str) -> Iterator[Issue]:
        if not isinstance(value, str) or not value.strip():
            yield Issue(path, "This is a text, and not empty.")
        elif len(value) > longest:
            yield Issue(path, f"This text has at most {longest} characters; it has {len(value)}.")
        else:
            yield from _text_issues(value, path)

    return shape


def choice(*values: object) -> Shape:
    """Take one of these values."""

    def shape(value: object, path: str) -> Iterator[Issue]:
        # A list is no member of anything, and True is not 1.
        if not any(type(value) is type(each) and value == each for each in values):
            yield Issue(path, f"This is one of {', '.join(map(str, values))}.")

    return shape


def flag(value: object, path: str) -> Iterator[Issue]:
    """Take true or false."""
    if not isinstance(value, bool):
        yield Issue(path, "This is true or false.")


def number(least: float, most: float) -> Shape:
    """Take a number between two, both included."""

    def shape(value: object, path: str) -> Iterator[Issue]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            yield Issue(path, f"This is a number from {least} to {most}.")

    return shape


def whole(least: int, most: int) -> Shape:
    """Take an integer between two, both included."""

    def shape(value: object, path: str) -> Iterator[Issue]:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield Issue(path, f"This is a whole number from {least} to {most}.")

    return shape


def listed(item: Shape, most: int, *, least: int = 1) -> Shape:
    """Take a list of so many values of one shape."""

    def shape(value: object, path: str) -> Iterator[Issue]:
        if not isinstance(value, list):
            yield Issue(path, "This is a list.")
        elif not least <= len(value) <= most:
            yield Issue(path, f"This list has {least} to {most} entries; it has {len(value)}.")
        else:
            for place, each in enumerate(value):
                yield from item(each, f"{path}.{place}")

    return shape


def record(required: Mapping[str, Shape], allowed: Mapping[str, Shape] | None = None) -> Shape:
    """Take an object with all of the required members, any of the allowed ones and no other."""
    members = {**required, **(allowed or {})}

    def shape(value: object, path: str) -> Iterator[Issue]:
        if not isinstance(value, Mapping):
            yield from any_object(value, path)
            return
        for name in required:
            if name not in value:
                yield Issue(f"{path}.{name}", "This is missing.")
        for name, inner in value.items():
            if name in members:
                yield from members[name](inner, f"{path}.{name}")
            else:
                yield Issue(path, f"There is no member {name[:40]!r} here; there are {', '.join(members)}.")

    return shape


def any_object(value: object, path: str) -> Iterator[Issue]:
    """Take an object, whatever is in it."""
    if not isinstance(value, Mapping):
        yield Issue(path, "This is an object.")


def either(one: Shape, other: Shape, what: str) -> Shape:
    """Take what fits one of two shapes; `what` tells both where neither fits."""

    def shape(value: object, path: str) -> Iterator[Issue]:
        found = [list(each(value, path)) for each in (other, one)]
        if all(found):
            # Where the value is of the right sort and something inside it is wrong, that is what to tell.
            inside = [issues for issues in found if all(issue.field != path for issue in issues)]
            yield from inside[0] if inside else (Issue(path, what),)

    return shape


def json_issues(value: object, path: str, *, nulls: bool, depth: int = 0) -> Iterator[Issue]:
    """Say where a value is no JSON that is kept and read back as it is, everywhere and by every client."""
    if depth > DEEPEST:
        yield Issue(path, f"This is nested more than {DEEPEST} deep.")
        return
    match value:
        case None if not nulls:
            yield Issue(path, "This is null: leave it out instead.")
        case None | bool():
            pass
        case list():
            for place, each in enumerate(value):
                yield from json_issues(each, f"{path}.{place}", nulls=nulls, depth=depth + 1)
        case Mapping():
            for name, each in value.items():
                yield from _name_issues(name, path)
                yield from json_issues(each, f"{path}.{name}", nulls=nulls, depth=depth + 1)
        case _:
            yield from _scalar_issues(value, path)


def _scalar_issues(value: object, path: str) -> Iterator[Issue]:
    match value:
        case str():
            yield from _text_issues(value, path)
        case int():
            if abs(value) > SAFE_INTEGER:
                yield Issue(path, "This integer is beyond what JSON keeps exactly.")
        case float():
            if not float("-inf") < value < float("inf"):
                yield Issue(path, "This is no number.")
        case _:
            yield Issue(path, "This is no JSON.")


def _text_issues(value: str, path: str) -> Iterator[Issue]:
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        yield Issue(path, "This text has a character that cannot be kept.")


def _name_issues(name: object, path: str) -> Iterator[Issue]:
    if not isinstance(name, str):
        yield Issue(path, "The name of a member is a text.")
    else:
        yield from _text_issues(name, path)

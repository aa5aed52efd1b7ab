"""What an operator has to change before Velocity can go on: one line on standard error, never a traceback."""

from __future__ import annotations

import asyncpg
from pydantic import ValidationError

from app.access.tokens import WeakKey
from db.dumps import DumpFailed
from db.roles import RolesMissing
from db.server import ServerFailed
from domain.errors import DomainError


class CannotContinue(Exception):
    """Something outside Velocity is missing or wrong. The message says what to do."""


def explanation(error: BaseException) -> str | None:
    """Return an error's one line for the operator; None for a defect of ours, which keeps its traceback.

    Neither the values of settings nor the addresses of databases are repeated: they hold passwords.
    """
    match error:
        case ValidationError():
            faults = (f"{_variable(fault['loc'])}: {fault['msg']}" for fault in error.errors())
            line = f"A setting is not valid. {'; '.join(faults)}."
        case ServerFailed():
            lines = str(error).strip().splitlines()
            line = " ".join(lines[:1] + lines[1:][-1:])
        case CannotContinue() | DumpFailed() | RolesMissing() | WeakKey() | DomainError():
            line = str(error)
        case asyncpg.PostgresError():
            line = f"The database refused: {error.args[0]}. `velocity doctor` may know why."
        case asyncpg.InterfaceError() | OSError():
            line = f"{type(error).__name__}: {error}. `velocity doctor` may know why."
        case _:
            return None
    return " ".join(line.split())


def _variable(location: tuple[int | str, ...]) -> str:
    """Name a setting as the environment does: two have the names that every tool knows."""
    name = str(location[0]).upper()
    return name if name.startswith("DATABASE_") else f"VELOCITY_{name}"

"""Structured logs: static event names, ids instead of objects, and never a secret, a message or a biometric value."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

ROOT: Final = Path(__file__).parent.parent


class StandardError:
    """Writes each line to what is standard error then."""

    def write(self, line: str) -> None:
        """Write a line."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = write


def configure(log_format: str, *, for_good: bool = True) -> None:
    """Write logs to standard error: for people on a terminal, as JSON elsewhere.

    Unless it is `for_good`, loggers look up what is configured at each line, so that it can be configured anew.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(_json)
    # Our own lines go straight to the stream: by way of `logging`, one line costs as much as a small query.
    structlog.configure(
        processors=[*shared, without_values, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=StandardError,
        cache_logger_on_first_use=for_good,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_values, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").disabled = True
    # Two say what our lines say already, the third whole addresses.
    for name in ("uvicorn.error", "alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _json(event: EventDict, **options: Any) -> str:  # noqa: ANN401 -- structlog says how to write what is not JSON.
    return orjson.dumps(event, **options).decode()


def unhandled(_loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
    """Log what nobody in the event loop waited for; its own words would quote the error or the arguments of a call."""
    error = told.get("exception")
    structlog.get_logger().error("unhandled_in_event_loop", **({"exc_info": error} if error is not None else {}))


def without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by what it is and where it was raised.

    Its message may quote a row, an address or what somebody wrote, and its frames hold more, so neither is kept;
    a database error keeps its code and the name of the constraint.
    """
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["exceptions"] = _chain(error)
    return event


def _chain(error: BaseException) -> list[dict[str, object]]:
    """Describe an error and what caused it, the newest first."""
    described: list[dict[str, object]] = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        described.append(_described(following))
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return described


def _described(error: BaseException) -> dict[str, object]:
    kept = {
        name: value
        for name in ("sqlstate", "constraint_name", "table_name", "column_name")
        if isinstance(value := getattr(error, name, None), str)
    }
    inner = [_chain(part) for part in error.exceptions] if isinstance(error, BaseExceptionGroup) else []
    return (
        {"type": f"{type(error).__module__}.{type(error).__qualname__}", "frames": _frames(error.__traceback__)}
        | kept
        | ({"exceptions": inner} if inner else {})
    )


def _frames(trace: TracebackType | None) -> list[str]:
    """Return `file:line function` for each frame, the innermost last."""
    return [
        f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in traceback.walk_tb(trace)
    ]


def _short(filename: str) -> str:
    path = Path(filename)
    if "site-packages" in path.parts:
        return str(Path(*path.parts[path.parts.index("site-packages") + 1 :]))
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name

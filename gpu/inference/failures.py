"""What providers say when they cannot answer: five forms of bodies, and one set of codes for all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from domain.inference import RefusalCode

LONGEST_DETAIL: Final = 160
LONGEST_WAIT: Final = 3600.0
SHINGLE: Final = 16
"""So many characters in common with the request make what a provider says a quotation of it."""
PART_OF_A_KEY: Final = 8
"""And so many in common with the key."""

RETRYABLE: Final = frozenset(
    {
        RefusalCode.RATE_LIMITED, RefusalCode.OVERLOADED, RefusalCode.ENGINE_DEAD, RefusalCode.UNREACHABLE,
        RefusalCode.TIMED_OUT, RefusalCode.CUT_OFF, RefusalCode.CIRCUIT_OPEN, RefusalCode.UNKNOWN,
    }
)  # fmt: skip
ITS_OWN_FAULT: Final = frozenset(
    {
        RefusalCode.OVERLOADED, RefusalCode.ENGINE_DEAD, RefusalCode.UNREACHABLE, RefusalCode.TIMED_OUT,
        RefusalCode.CUT_OFF, RefusalCode.MALFORMED, RefusalCode.UNKNOWN,
    }
)  # fmt: skip
"""What counts against a provider: not that it limits, nor that the request was wrong."""

SENTENCES: Final = {
    RefusalCode.RATE_LIMITED: "it limits how often it is asked",
    RefusalCode.OVERLOADED: "it is too busy",
    RefusalCode.UNAUTHORIZED: "it does not accept the key",
    RefusalCode.MODEL_NOT_FOUND: "it does not have this model for us",
    RefusalCode.INVALID_REQUEST: "it refuses the request",
    RefusalCode.CONTEXT_TOO_LONG: "the request is longer than the model takes",
    RefusalCode.ENGINE_DEAD: "its engine has failed",
    RefusalCode.UNREACHABLE: "it cannot be reached",
    RefusalCode.TIMED_OUT: "it did not answer in time",
    RefusalCode.CUT_OFF: "its answer broke off",
    RefusalCode.MALFORMED: "its answer cannot be read",
    RefusalCode.CIRCUIT_OPEN: "it failed too often and is left alone for a while",
    RefusalCode.SWITCHED_OFF: "it is switched off",
    RefusalCode.WITHHELD: "it is not on-premise, and the request is not for others",
    RefusalCode.UNKNOWN: "it failed",
}

FAULTS_OF_SERVERS: Final[dict[int, RefusalCode]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: RefusalCode.OVERLOADED,
    HTTPStatus.GATEWAY_TIMEOUT: RefusalCode.TIMED_OUT,
    HTTPStatus.BAD_GATEWAY: RefusalCode.UNREACHABLE,
}

_TOO_LONG: Final = re.compile(
    r"context[ _](length|size|window)|exceed_context|maximum (context|model) length|too many tokens|prompt is too long"
    r"|max_model_len|n_ctx|longer than the (model|context)",
    re.IGNORECASE,
)
_NO_MODEL: Final = re.compile(
    r"model\b.{0,200}\b(not found|does not exist|not exist|unknown|not available)|not found for account"
    r"|no such model|model_not_found|unknown model",
    re.IGNORECASE | re.DOTALL,
)
_DEAD: Final = re.compile(
    r"engine ?dead|engine (process )?(failed|died|is dead)|cuda error|out of memory", re.IGNORECASE
)
_KEY_WORDS: Final = re.compile(r"\b(?:sk|nvapi|hf|ghp|xox[abp])[-_][\w.-]{6,}|bearer\s+\S+", re.IGNORECASE)
_PLACES: Final = re.compile(
    r"https?://\S+|(?<![\w])(?:[A-Za-z]:\\|/)[\w.@~-]+(?:[/\\][\w.@~-]+)+|\b\d+(?:\.\d+){3}(?::\d+)?"
)
_LONG_IDS: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[\w-]{40,}\b", re.IGNORECASE)


class Failure(Exception):
    """A provider did not answer; nothing of another library's errors goes further than this.

    `detail` is what the provider said, shortened and without keys, addresses and paths.
    """

    def __init__(
        self, code: RefusalCode, status: int | None = None, retry_after: float | None = None, detail: str = ""
    ) -> None:
        """Keep the normalised code, the HTTP status where there was one, and the seconds to wait where it said so."""
        super().__init__(code, status, retry_after, detail)
        self.code = code
        self.status = status
        self.retry_after = retry_after
        self.detail = detail

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later, at this provider."""
        return self.code in RETRYABLE

    def reason(self) -> str:
        """Return why, in words."""
        status = "" if self.status is None else f" (HTTP {self.status})"
        return f"{SENTENCES[self.code]}{status}{f': {self.detail}' if self.detail else ''}"

    def __str__(self) -> str:
        """Say why."""
        return self.reason()


@dataclass(frozen=True, slots=True)
class Said:
    """What a body of whatever form says."""

    message: str = ""
    type: str = ""
    code: str = ""
    structured: bool = False


def said_in(body: object) -> Said:
    """Read one of the four JSON forms, or text: `{"error": {…}}`, `{"error": "…"}`, flat, or NVIDIA's problem."""
    if isinstance(body, str):
        return Said(body)
    if not isinstance(body, Mapping):
        return Said()
    inner = body.get("error")
    if isinstance(inner, str):
        return Said(inner, structured=True)
    entries = inner if isinstance(inner, Mapping) else body
    words = [entries.get(name) for name in ("message", "detail", "title")]
    message = next((str(word) for word in words if isinstance(word, str) and word), "")
    if not message and isinstance(detail := entries.get("detail"), list):
        # FastAPI's list of faults: where and what, never the input that it repeats.
        message = "; ".join(str(each.get("msg", "")) for each in detail if isinstance(each, Mapping))
    code = next((entries[name] for name in ("code", "status") if entries.get(name) is not None), "")
    return Said(message, str(entries.get("type") or ""), str(code), structured=True)


def failure_of(
    status: int, body: bytes | str, headers: Mapping[str, str] | None = None, *, now: datetime | None = None
) -> Failure:
    """Return what an answer that is no success means."""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        parsed = text
    return failure_in(parsed, status, retry_after(headers or {}, now))


def failure_in(body: object, status: int | None, wait: float | None = None) -> Failure:
    """Return what an error object means; one that comes within an answer brings its status along, or has none."""
    said = said_in(body)
    if status is None and said.code.isdigit() and len(said.code) == len("500"):
        status = int(said.code)
    return Failure(_code(status, said), status, wait, scrubbed(said.message))


def _code(status: int | None, said: Said) -> RefusalCode:
    words = f"{said.type} {said.code} {said.message}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or "rate_limit" in said.type:
        return RefusalCode.RATE_LIMITED
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or "authentication" in said.type:
        return RefusalCode.UNAUTHORIZED
    if _DEAD.search(words):
        return RefusalCode.ENGINE_DEAD
    if status is None or HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _fault_of_request(status, said, words)
    # Some servers call every fault of a request an internal error.
    return FAULTS_OF_SERVERS.get(
        status, RefusalCode.CONTEXT_TOO_LONG if _TOO_LONG.search(words) else RefusalCode.UNKNOWN
    )


def _fault_of_request(status: int | None, said: Said, words: str) -> RefusalCode:
    if _TOO_LONG.search(words):
        return RefusalCode.CONTEXT_TOO_LONG
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return RefusalCode.TIMED_OUT
    if status == HTTPStatus.GONE or _NO_MODEL.search(words) or "not_found" in said.type:
        return RefusalCode.MODEL_NOT_FOUND
    if status == HTTPStatus.NOT_FOUND and said.structured:
        return RefusalCode.MODEL_NOT_FOUND
    if status is None:
        busy = re.search(r"busy|overload|capacity|resource_?exhausted", words, re.IGNORECASE)
        return RefusalCode.OVERLOADED if busy else RefusalCode.UNKNOWN
    return RefusalCode.INVALID_REQUEST


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that `Retry-After` asks to wait, given as seconds or as a date; None where it says nothing."""
    given = headers.get("retry-after") or headers.get("Retry-After")
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        try:
            at = parsedate_to_datetime(given)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds()
    # Not a number is smaller than nothing.
    return min(seconds, LONGEST_WAIT) if seconds > 0 else 0.0


def scrubbed(message: str) -> str:
    """Return a provider's words on one line, short, without keys, addresses, paths and long identifiers.

    Halves of characters and control characters, which JSON can name and PostgreSQL cannot store, go too.
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in message).split())
    for pattern in (_KEY_WORDS, _PLACES, _LONG_IDS):
        line = pattern.sub("…", line)
    line = line.strip().rstrip(".")
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"


def without_quotation(failure: Failure, texts: list[str], key: str | None) -> Failure:
    """Return a failure without the provider's words where they repeat the request or the key."""
    detail = failure.detail
    # What was shortened may end within the key.
    quoted = (key is not None and _shares(detail, [key], min(PART_OF_A_KEY, len(key)))) or _shares(
        detail, texts, SHINGLE
    )
    return Failure(failure.code, failure.status, failure.retry_after) if quoted else failure


def _shares(detail: str, texts: list[str], characters: int) -> bool:
    """Whether so many characters in a row stand in a provider's words and in one of these texts."""
    pieces = {detail[start : start + characters] for start in range(len(detail) - characters + 1)}
    return any(piece in text for piece in pieces for text in texts)

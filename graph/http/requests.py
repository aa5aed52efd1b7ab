"""What an HTTP request asks: its body or its query string, read within limits and checked for its form."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request

from graph.http.headers import header
from graph.limits import Limits
from graph.persisted import Asked
from graph.refusals import (
    BodyTimeout,
    MalformedParameters,
    MalformedRequest,
    MethodNotAllowed,
    TooLarge,
    UnsupportedMediaType,
)

WHOLE: Final = "velocity.whole"
"""Is in the scope of a request whose body came together with its head."""
CLOSE: Final = {"connection": "close"}
"""What is left of a body that is refused unread would be taken for the next request."""


async def posted(request: Request, limits: Limits) -> Asked:
    """Read a POST request; raises a Refusal."""
    check_content_type(header(request.scope, b"content-type") or "")
    body = await _body(request, limits)
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(_not_json("The body", error, " in UTF-8")) from error
    return asked_of(content)


def got(parameters: QueryParams, *, texts: bool) -> Asked:
    """Read a GET request; unless `texts` are allowed, only a registered document may be asked for."""
    content: dict[str, Any] = {}
    for name in ("query", "documentId", "operationName"):
        if name in parameters:
            content[name] = parameters[name]
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                content[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError as error:
                raise MalformedParameters(_not_json(f"`{name}`", error)) from error
    asked = asked_of(content)
    if asked.query is not None and not texts:
        raise MethodNotAllowed(
            "GET is for registered documents: send `documentId`, or the text by POST.", headers={"allow": "POST"}
        )
    return asked


def _not_json(what: str, error: orjson.JSONDecodeError, how: str = "") -> str:
    too_large = error.msg.startswith("number is infinity")
    return f"{what} holds a number that is too large." if too_large else f"{what} is not JSON{how}."


@lru_cache(maxsize=100)
def check_content_type(sent: str) -> None:
    """Refuse every body but JSON in UTF-8, so that no plain form of another site can send one."""
    name, *parameters = (part.strip().lower() for part in sent.split(";"))
    charset = {key: value.strip('"') for key, _, value in (each.partition("=") for each in parameters)}.get("charset")
    if name != "application/json" or charset not in {None, "utf-8"}:
        raise UnsupportedMediaType


async def _body(request: Request, limits: Limits) -> bytes:
    """Read the body, and stop as soon as it is known to be too large or too slow."""
    announced = header(request.scope, b"content-length") or "0"
    if announced.isdecimal() and int(announced) > limits.body_bytes:
        raise _too_large(int(announced), limits)
    if WHOLE in request.scope:
        return await _whole(request, limits)
    chunks: list[bytes] = []
    size = 0
    clock = asyncio.get_running_loop().time
    started = clock()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.body_bytes:
                    raise _too_large(size, limits)
                chunks.append(chunk)
    except TimeoutError as error:
        raise BodyTimeout(clock() - started, limits.body_seconds, CLOSE) from error
    except ClientDisconnect as error:
        # Nobody reads this answer, but it is no defect of ours either.
        raise MalformedRequest("The body ended early.") from error
    return b"".join(chunks)


async def _whole(request: Request, limits: Limits) -> bytes:
    """Take a body that has come already, as nearly all have: nobody needs to watch how long it takes."""
    message = await request.receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise MalformedRequest("The body ended early.")
    if len(body) > limits.body_bytes:
        raise _too_large(len(body), limits)
    return body


def _too_large(size: int, limits: Limits) -> TooLarge:
    refusal = TooLarge("bodyBytes", "bytes of body", size, limits.body_bytes)
    refusal.headers.update(CLOSE)
    return refusal


def asked_of(content: object) -> Asked:
    """Check the form of a request, whatever brought it; raises MalformedParameters."""
    if isinstance(content, list):
        raise MalformedParameters("One request holds one operation: batches are not supported.")
    if not isinstance(content, dict):
        raise MalformedParameters("The request is not a JSON object.")
    get = content.get
    query, document_id, operation_name = texts = get("query"), get("documentId"), get("operationName")
    variables, extensions = maps = get("variables"), get("extensions")
    for name, text in zip(("query", "documentId", "operationName"), texts, strict=True):
        if text is not None and not isinstance(text, str):
            raise MalformedParameters(f"`{name}` is not a string.")
    for name, entries in zip(("variables", "extensions"), maps, strict=True):
        if entries is not None and not isinstance(entries, dict):
            raise MalformedParameters(f"`{name}` is not an object.")
    named = document_id is not None or (extensions is not None and "persistedQuery" in extensions)
    return Asked(
        # Beside an id an empty text is none: the client of graphql-ws sends no message without one.
        query=query or None if named else query,
        document_id=document_id,
        # An empty name is what forms of some clients send for none.
        operation_name=operation_name or None,
        variables=variables or {},
        extensions=extensions or {},
    )

"""The words of graphql-transport-ws: message types, close codes, and what each code says."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import orjson

SUBPROTOCOL: Final = "graphql-transport-ws"
LONGEST_REASON: Final = 123
"""Bytes of a reason that a close frame has room for."""
LONGEST_ID: Final = 200
"""Characters of an operation's id, which every message about it repeats."""


class Close(IntEnum):
    """Why a socket is closed. Those from 4400 on, but 4413, are the protocol's; docs/subscriptions.md explains each."""

    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_SLOW = 4413
    TOO_MANY_INITIALISATIONS = 4429


class Broken(Exception):
    """The client has broken the protocol; the socket is closed."""

    def __init__(self, code: Close, reason: str) -> None:
        """Say how."""
        super().__init__(reason)
        self.code = code


def message_of(received: Any) -> dict[str, Any]:
    """Return the message in a frame; raises Broken."""
    text = received.get("text")
    if text is None:
        raise Broken(Close.BAD_REQUEST, "Messages are text.")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Broken(Close.BAD_REQUEST, "The message is not JSON.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Broken(Close.BAD_REQUEST, "The message is no object with a type.")
    payload = message.get("payload")
    if message["type"] in {"connection_init", "ping", "pong"} and not isinstance(payload, dict | None):
        raise Broken(Close.BAD_REQUEST, "The payload is no object.")
    return message


def operation_id(message: dict[str, Any]) -> str:
    """Return the id of the operation that a message is about; raises Broken."""
    found = message.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID:
        raise Broken(Close.BAD_REQUEST, f"The id of an operation is a string of 1 to {LONGEST_ID} characters.")
    return found


def written(type_: str, id_: str | None = None, payload: object = None) -> str:
    """Write a message."""
    message: dict[str, object] = {} if id_ is None else {"id": id_}
    message["type"] = type_
    if payload is not None:
        message["payload"] = payload
    return orjson.dumps(message).decode()


def short_reason(reason: str) -> str:
    """Return a reason that fits into a close frame."""
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")

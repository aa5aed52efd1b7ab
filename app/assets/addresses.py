"""`PUT /uploads/…` and `GET /assets/…`: bytes in and out, for whoever holds an address that we signed.

An address is all that is needed, so that browsers load pictures without a token; each serves one file, for a while.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Final
from uuid import UUID

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from domain import assets
from domain.assets import EXTENSIONS, FILMS, PICTURES, UploadAddress, UploadPorts, is_object_key
from domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Unavailable

OK, PARTIAL, NOT_MODIFIED, NO_SUCH_RANGE = 200, 206, 304, 416
STATUSES: Final[dict[type[DomainError], int]] = {
    assets.UploadTooLarge: 413,
    assets.TypeNotAccepted: 415,
    assets.ContentRefused: 422,
    assets.UploadExpired: 410,
    Invalid: 400,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
}
"""What each refusal is in HTTP; the most specific class counts, and comes first."""
IN_MEMORY: Final = 1024 * 1024
"""How many bytes of an upload wait in memory before they go to a file."""
AT_ONCE: Final = 4
"""How many whole uploads are in memory at a time."""
TYPES: Final = {extension: content_type for content_type, extension in EXTENSIONS.items()}
SAFE: Final = {
    "x-content-type-options": "nosniff",
    # Whatever a file turns out to hold, a browser runs none of it.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_DOCUMENT: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class Uploads:
    """Takes the bytes of announced uploads."""

    def __init__(self, ports: UploadPorts) -> None:
        """Keep them through `ports`."""
        self._ports = ports
        self._slots: Final = asyncio.Semaphore(AT_ONCE)

    async def answer(self, request: Request) -> Response:
        """Take a body and answer what is kept of it, or why nothing is."""
        try:
            return await self._kept(request)
        except DomainError as error:
            # What was not read of the body would be taken for the next request.
            again = {"retry-after": "10"} if isinstance(error, Unavailable) else {}
            return refusal(error, {"connection": "close"} | again)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _kept(self, request: Request) -> Response:
        ports = self._ports
        content_type = request.headers.get("content-type", "")
        upload = await assets.admit(ports, _address(request), content_type, datetime.now(UTC))
        length = request.headers.get("content-length", "")
        if length.isascii() and length.isdigit():
            _check_length(int(length), upload.announced)
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            digest = await _received(request.stream(), upload.announced, file)
            async with self._slots:
                content = await asyncio.to_thread(_whole, file)
                kept = await assets.keep(ports, upload, content, digest, datetime.now(UTC))
        answer = {
            "upload": {
                "id": f"upload_{kept.id}",
                "contentType": kept.content_type,
                "bytes": kept.stored_bytes,
                "width": kept.width,
                "height": kept.height,
            }
        }
        return Response(orjson.dumps(answer), media_type="application/json")


def _address(request: Request) -> UploadAddress:
    """Read an upload's address; raises UploadAddressWrong for anything else."""
    ids = [_DOCUMENT.fullmatch(request.path_params[name]) for name in ("tenant", "upload")]
    if None in ids:
        raise assets.UploadAddressWrong
    tenant_id, upload_id = (UUID(found[1]) for found in ids if found is not None)
    asked = request.query_params
    return UploadAddress(tenant_id, upload_id, asked.get("expires", ""), asked.get("signature", ""))


def _check_length(length: int, announced: int) -> None:
    if length > announced:
        raise assets.UploadTooLarge(f"{announced} bytes were announced.", field="bytes")
    if length < announced:
        raise assets.UploadIncomplete(f"{announced} bytes were announced, and {length} came.", field="bytes")


async def _received(body: AsyncIterator[bytes], announced: int, file: IO[bytes]) -> bytes:
    """Write a body of exactly so many bytes to a file and return its SHA-256; a longer one is not read to its end."""
    digest, length = hashlib.sha256(), 0
    async for piece in body:
        length += len(piece)
        if length > announced:
            _check_length(length, announced)
        digest.update(piece)
        if length <= IN_MEMORY:
            file.write(piece)
        else:
            await asyncio.to_thread(file.write, piece)
    _check_length(length, announced)
    return digest.digest()


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a file is sent: the bytes `first` to `last`."""

    first: int
    last: int


class Assets:
    """Serves what the object store holds."""

    def __init__(self, ports: UploadPorts) -> None:
        """Serve what `ports` reach, at the addresses that their key signed."""
        self._objects = ports.objects
        self._key = ports.key

    async def answer(self, request: Request) -> Response:
        """Answer a file or a part of it. A bad signature, an expired address and a missing file look the same: 404."""
        key, asked = request.path_params["object_key"], request.query_params
        now = datetime.now(UTC)
        signed = is_object_key(key) and self._key.accepts(
            key, asked.get("expires", ""), asked.get("signature", ""), now
        )
        try:
            size = await self._objects.size(key) if signed else None
        except Unavailable as error:
            return refusal(error, {"retry-after": "10"})
        if size is None:
            return refusal(NotFound(), {"cache-control": "no-store"})
        seconds = int(asked["expires"]) - int(now.timestamp())
        return self._file(request, key, size, seconds)

    def _file(self, request: Request, key: str, size: int, seconds: int) -> Response:
        # Nothing is ever replaced under its key, so the key tells one content from another in every store.
        tag = f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'
        name = key.rpartition("/")[2]
        content_type = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        shown = "inline" if content_type in PICTURES | FILMS else "attachment"
        headers = {
            "etag": tag, "accept-ranges": "bytes", "cache-control": f"private, max-age={seconds}, immutable",
            "content-disposition": f'{shown}; filename="{name}"', **SAFE,
        }  # fmt: skip
        if _names(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=NOT_MODIFIED, headers=headers)
        part, status = _Part(0, size - 1), OK
        asked = request.headers.get("range")
        if asked is not None and request.method == "GET" and request.headers.get("if-range", tag) == tag:
            wanted = _part(asked, size)
            if isinstance(wanted, _Part):
                part, status = wanted, PARTIAL
                headers["content-range"] = f"bytes {part.first}-{part.last}/{size}"
            elif wanted is not None:
                headers |= {"content-range": f"bytes */{size}", "cache-control": "no-store"}
                return Response(status_code=wanted, headers=headers)
        headers["content-length"] = str(part.last - part.first + 1)
        headers["content-type"] = content_type
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        return StreamingResponse(self._objects.read(key, part.first, part.last), status, headers)


def _names(header: str, tag: str) -> bool:
    """Whether `If-None-Match` names a tag, weakly or not, or any."""
    return any(each.strip().removeprefix("W/") in {tag, "*"} for each in header.split(","))


def _part(header: str, size: int) -> _Part | int | None:
    """Return the part that one range asks for; 416 where there is none, None to ignore what is not one plain range."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        length = min(int(last), size)
        return _Part(size - length, size - 1) if length else NO_SUCH_RANGE
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        return NO_SUCH_RANGE
    return _Part(int(first), min(int(last), size - 1) if last else size - 1)


def refusal(error: DomainError, headers: dict[str, str]) -> Response:
    """Answer a refusal in the shape of the graph's errors."""
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    extensions = {"code": error.code} | ({"field": error.field} if error.field else {})
    body = {"errors": [{"message": error.message, "extensions": extensions}]}
    return Response(orjson.dumps(body), status, headers | SAFE, media_type="application/json")

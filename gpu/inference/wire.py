"""The one place that sends HTTP to models: configured hosts only, no redirects, no proxies, every error normalised."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx
import orjson

from domain.inference import RefusalCode
from gpu.inference.failures import PART_OF_A_KEY, Failure, failure_of
from gpu.inference.settings import ProviderSettings

CONNECT_SECONDS: Final = 5.0
MOST_BYTES: Final = 4_194_304
"""What a whole answer, or a list of models, may have."""
MOST_ERROR_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole."""

    status: int
    body: bytes

    def json(self) -> object:
        """Return what is in it; raises Failure for what is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Failure(RefusalCode.MALFORMED, self.status) from None


class Wire:
    """The connections to one provider. Its key is in them and nowhere else: what quotes it is handed on without it."""

    def __init__(self, provider: ProviderSettings) -> None:
        """Keep at most as many connections as the provider serves at once, and two to ask how it is."""
        self._root = provider.root
        self._chunk_seconds = provider.chunk_seconds
        self._secrets: set[bytes] = set()
        headers = {"accept-encoding": "identity", "user-agent": "velocity"}
        if provider.key is not None:
            key = provider.key.get_secret_value()
            headers["authorization"] = f"Bearer {key}"
            if len(key) >= PART_OF_A_KEY:
                self._secrets |= {key.encode(), json.dumps(key)[1:-1].encode()}
        most = provider.at_once + 2
        # Reading the certificates takes a while, and plain HTTP needs none.
        secure = provider.root.startswith("https:")
        self._client: Final = httpx.AsyncClient(
            headers=headers,
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context() if secure else False,
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, path: str, seconds: float) -> Answer:
        """Read a page whole, whatever its status. Raises Failure where there is none."""
        return await self._whole("GET", path, None, seconds)

    async def post(self, path: str, body: Mapping[str, object], seconds: float) -> Answer:
        """Send a body and read the answer whole, whatever its status. Raises Failure where there is none."""
        return await self._whole("POST", path, body, seconds)

    async def _whole(self, method: str, path: str, body: Mapping[str, object] | None, seconds: float) -> Answer:
        with _normalised():
            async with (
                asyncio.timeout(seconds),
                self._client.stream(
                    method, self._root + path, content=None if body is None else orjson.dumps(body),
                    headers=_JSON if body is not None else None, timeout=_timeout(seconds),
                ) as response,
            ):  # fmt: skip
                read = await _read(response, MOST_BYTES)
        return Answer(response.status_code, self._without_key(read))

    def _without_key(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret, b"...")
        return body

    @asynccontextmanager
    async def stream(
        self, path: str, body: Mapping[str, object], first_byte_seconds: float
    ) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        """Send a body; give the content type and the chunks of the answer. Leaving early closes the connection.

        Raises Failure for any status but success, and from the chunks where they break off or come too slowly.
        """
        async with AsyncExitStack() as stack:
            # What is raised by whoever reads is theirs, and passes as it is.
            with _normalised():
                sent = self._client.stream(
                    "POST", self._root + path, content=orjson.dumps(body), headers=_JSON,
                    timeout=_timeout(first_byte_seconds),
                )  # fmt: skip
                response = await stack.enter_async_context(sent)
                if response.status_code != HTTPStatus.OK:
                    text = self._without_key(await self._error(response))
                    raise failure_of(response.status_code, text, response.headers)
            yield response.headers.get("content-type", ""), self._chunks(response, first_byte_seconds)

    async def _chunks(self, response: httpx.Response, first_byte_seconds: float) -> AsyncIterator[bytes]:
        chunks = response.aiter_raw()
        seconds, read = first_byte_seconds, 0
        while True:
            try:
                with _normalised(begun=True):
                    async with asyncio.timeout(seconds):
                        chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            read += len(chunk)
            if read > MOST_BYTES:
                raise Failure(RefusalCode.MALFORMED, detail="the answer has no end")
            seconds = self._chunk_seconds
            yield chunk

    @staticmethod
    async def _error(response: httpx.Response) -> bytes:
        # Whatever the body is, the status is known: a body that does not come changes nothing.
        with suppress(Failure, httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                return await _read(response, MOST_ERROR_BYTES, cut=True)
        return b""


_JSON: Final = {"content-type": "application/json"}


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds, write=seconds, pool=seconds)


async def _read(response: httpx.Response, most: int, *, cut: bool = False) -> bytes:
    read = bytearray()
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) > most:
            if cut:
                break
            raise Failure(RefusalCode.MALFORMED, response.status_code, detail="the answer is too large")
    return bytes(read[:most])


class _normalised:  # noqa: N801 -- it reads as a word in a `with` line.
    """Turns this library's errors into Failure: they hold addresses, headers and bodies."""

    def __init__(self, *, begun: bool = False) -> None:
        self._begun = begun

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        """Raise Failure in place of what was raised."""
        match error:
            case TimeoutError() | httpx.TimeoutException():
                raise Failure(RefusalCode.TIMED_OUT) from None
            case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError() | httpx.CloseError():
                raise Failure(RefusalCode.CUT_OFF if self._begun else RefusalCode.UNREACHABLE) from None
            case httpx.HTTPError() | httpx.InvalidURL() | httpx.StreamError() | OSError():
                raise Failure(RefusalCode.UNREACHABLE) from None
            case _:
                pass

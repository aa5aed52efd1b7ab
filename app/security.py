"""What holds for every answer and every request of a browser: headers, origins, and who stands behind a proxy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import orjson
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Network, Settings
from graph.http.headers import header

ENDPOINT: Final = "/graphql"
ASSETS: Final = "/assets/"
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content policy of an answer that is no page: opened as one, it loads and runs nothing."""
GRAPHIQL: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The content policy of the GraphiQL page; graph/pages/README.md says what needs which part."""
LIVE: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The content policy of the live page, which writes no style element and has no worker."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom this installation trusts beside itself."""

    origins: frozenset[str] = frozenset()
    """Other origins whose pages may call, such as `https://cockpit.example`."""
    proxies: tuple[Network, ...] = ()
    """Where proxies stand whose word about the client is taken."""
    insist_on_tls_seconds: int = 0
    """How long browsers keep to TLS once they came over it; 0 leaves it to them."""

    @classmethod
    def of(cls, settings: Settings) -> Trust:
        """Return what the settings say."""
        return cls(frozenset(settings.origins), settings.trusted_proxies, settings.insist_on_tls_seconds)


def secured(app: ASGIApp, trust: Trust) -> ASGIApp:
    """Wrap an application: the proxy's word first, since origins and headers depend on the scheme."""
    inner: ASGIApp = app
    if trust.origins:
        inner = CORSMiddleware(
            app,
            allow_origins=sorted(trust.origins),
            allow_methods=["GET", "POST", "PUT"],
            # Nothing is sent by a browser on its own, neither cookies nor passwords, so any header is as good.
            allow_headers=["*"],
            expose_headers=["etag", "retry-after", "x-request-id"],
        )
    guarded = Guarded(OriginChecked(inner, trust.origins), trust)
    return Proxied(guarded, trust.proxies) if trust.proxies else guarded


class Proxied:
    """Puts the client's address and scheme into the scope where a trusted proxy tells them."""

    def __init__(self, app: ASGIApp, proxies: Iterable[Network]) -> None:
        """Believe nobody but who comes from `proxies`."""
        self._app = app
        self._proxies = tuple(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look behind the proxy."""
        if scope["type"] in {"http", "websocket"} and scope.get("client"):
            peer = _parsed(scope["client"][0])
            if peer is not None and self._trusts(peer):
                headers = Headers(scope=scope)
                scope["client"] = (str(self._client(peer, headers)), 0)
                scope["scheme"] = _scheme(scope["type"], headers, scope["scheme"])
        await self._app(scope, receive, send)

    def _client(self, peer: Address, headers: Headers) -> Address:
        """Return the nearest address that no trusted proxy has: what stands left of it anybody may have written."""
        told = ",".join(headers.getlist("x-forwarded-for")).split(",")
        for entry in reversed(told):
            address = _parsed(entry.strip())
            if address is None:
                break
            peer = address
            if not self._trusts(address):
                break
        return peer

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _scheme(kind: str, headers: Headers, scheme: str) -> str:
    told = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
    if told not in {"http", "https"}:
        return scheme
    return told if kind == "http" else told.replace("http", "ws")


def _parsed(text: str) -> Address | None:
    """Return an address that may have a port, IPv6 in brackets then; None for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class Guarded:
    """Adds the headers that make a browser careful; an answer that has one of them already keeps it."""

    def __init__(self, app: ASGIApp, trust: Trust) -> None:
        """Guard every answer of `app`."""
        self._app = app
        # A page elsewhere shows pictures too; their addresses are signed, and say nothing to who lacks them.
        shared = b"cross-origin" if trust.origins else b"same-origin"
        self._headers = {
            b"content-security-policy": NOTHING.encode(),
            b"cross-origin-opener-policy": b"same-origin",
            b"cross-origin-resource-policy": b"same-origin",
            b"referrer-policy": b"no-referrer",
            b"x-content-type-options": b"nosniff",
        }
        self._of_pictures = self._headers | {b"cross-origin-resource-policy": shared}
        self._insist = trust.insist_on_tls_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers with the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = self._of_pictures if scope["path"].startswith(ASSETS) else self._headers
        if self._insist and scope["scheme"] == "https":
            added = added | {b"strict-transport-security": f"max-age={self._insist}".encode()}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                has = dict(headers)
                message["headers"] = [*headers, *(each for each in added.items() if each[0] not in has)]
            await send(message)

        await self._app(scope, receive, guarded)


class OriginChecked:
    """Refuses what a page of another origin sends, unless the origin is one of those that may call.

    Only browsers say where a page is from, and they always do: a program that says nothing is not asked. Nothing here
    rests on cookies, so this is a second lock: a page of another origin has no token to begin with.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        """Let pages of the own origin and of `origins` pass."""
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403; a socket is closed before it opens, which is the same."""
        if scope["type"] == "lifespan" or not _acts(scope) or self._may_call(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        error = {
            "message": "Pages of this origin may not call here. VELOCITY_ORIGINS lists those that may.",
            "extensions": {"code": "NOT_ALLOWED"},
        }
        refusal = Response(orjson.dumps({"errors": [error]}), 403, media_type="application/json")
        await refusal(scope, receive, send)

    def _may_call(self, scope: Scope) -> bool:
        origin = header(scope, b"origin")
        if origin is None:
            return header(scope, b"sec-fetch-site") in {None, "none", "same-origin"}
        return origin in self._origins or origin == f"{_web_scheme(scope)}://{header(scope, b'host') or ''}"


def _acts(scope: Scope) -> bool:
    """Whether a request is more than a link that is followed: a socket, a write, or anything at the graph."""
    if scope["type"] == "websocket":
        return True
    return scope["method"] not in READING or (scope["path"] == ENDPOINT and scope["method"] != "OPTIONS")


def _web_scheme(scope: Scope) -> str:
    """Return the scheme of the page that a request is from: sockets are opened by web pages."""
    return "https" if scope["scheme"] in {"https", "wss"} else "http"

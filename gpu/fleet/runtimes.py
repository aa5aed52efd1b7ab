"""Asking what runs models to free its memory: each kind in its own words. None of them says when it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx

from domain.fleet import Resource, Runtime

ASK_SECONDS: Final = 10.0


class NotAsked(Exception):
    """A runtime could not be asked. The message says why, without its address."""


class HttpRuntimes:
    """The port `Runtimes` over HTTP."""

    def __init__(self, seconds: float = ASK_SECONDS) -> None:
        """Give a runtime so many seconds for each answer."""
        self._seconds = seconds

    async def release(self, resource: Resource) -> str | None:
        """Ask a resource to free its memory; return why it could not be asked, or None."""
        ask = _ASKS.get(resource.runtime)
        if ask is None:
            return "It holds its memory for as long as it runs."
        async with httpx.AsyncClient(base_url=_root(resource.url), timeout=self._seconds, trust_env=False) as client:
            try:
                await ask(client)
            except NotAsked as error:
                return str(error)
            except httpx.TimeoutException:
                return f"It has not answered for {self._seconds:g} seconds."
            except (httpx.HTTPError, httpx.InvalidURL):
                return "It does not answer."
            except (ValueError, KeyError, TypeError, AttributeError):
                return "Its answer was not understood."
        return None


async def _comfyui(client: httpx.AsyncClient) -> None:
    """Unload models and drop caches: it does both once the prompt that runs has ended."""
    _fine(await client.post("/free", json={"unload_models": True, "free_memory": True}))


async def _ollama(client: httpx.AsyncClient) -> None:
    """Unload what is loaded: `keep_alive` 0 with nothing to answer."""
    loaded = _fine(await client.get("/api/ps")).json()["models"]
    for name in [str(each.get("model") or each["name"]) for each in loaded]:
        _fine(
            await client.post("/api/chat", json={"model": name, "messages": [], "keep_alive": 0, "stream": False})
        )  # fmt: skip


async def _llamacpp(client: httpx.AsyncClient) -> None:
    """Unload what a router has loaded. A server that began with one model keeps it."""
    answer = await client.get("/models")
    models: list[Mapping[str, Any]] = _fine(answer).json().get("data") or []
    states = {str(each["id"]): each["status"]["value"] for each in models if isinstance(each.get("status"), dict)}
    if not states:
        raise NotAsked("It is no router, and holds its model for as long as it runs.")
    for name in [name for name, state in states.items() if state in {"loaded", "loading", "sleeping"}]:
        _fine(await client.post("/models/unload", json={"model": name}))


_ASKS: Final[Mapping[Runtime, Callable[[httpx.AsyncClient], Awaitable[None]]]] = {
    Runtime.COMFYUI: _comfyui,
    Runtime.OLLAMA: _ollama,
    Runtime.LLAMACPP: _llamacpp,
}


def _fine(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    raise NotAsked(f"It answered {answer.status_code}.")


def _root(url: str) -> str:
    """Return an address without the version that clients of OpenAI's form want at its end."""
    return url.rstrip("/").removesuffix("/v1")

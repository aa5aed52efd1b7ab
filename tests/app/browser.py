"""Chromium without a window, driven over its DevTools protocol; a tab remembers what it asked for and complained of."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

SECONDS = 120
PROGRAM = "chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # No name is looked up: what is asked of another host fails, and is seen.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
    "--window-size=1440,900",
)


class Refused(Exception):
    """The browser refused a command, or a script failed."""


@dataclass(slots=True)
class Page:
    """One tab and the workers that it starts."""

    socket: ClientConnection
    session: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Everything that was asked for, as the browser tells it: `url`, `method`, `postData`."""
    complaints: list[str] = field(default_factory=list)
    """Errors on the console, scripts that failed, and what the content policy forbade."""
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def call(self, method: str, *, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = len(self._answers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        target = self.session if session is None else session
        await self.socket.send(json.dumps(message | ({"sessionId": target} if target else {})))
        async with asyncio.timeout(SECONDS):
            answer = await self._answers[number]
        if "error" in answer:
            raise Refused(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def listen(self) -> None:
        """Sort what the browser says into answers and events."""
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]].set_result(message)
            else:
                self._event(message["method"], message["params"])

    def _event(self, name: str, told: dict[str, Any]) -> None:
        match name:
            case "Target.attachedToTarget":
                task = asyncio.create_task(self.watch(told["sessionId"]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case "Network.requestWillBeSent":
                self.requests.append(told["request"])
            case "Network.webSocketCreated":
                self.requests.append({"url": told["url"], "method": "GET"})
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if told["type"] in {"error", "warning", "assert"}:
                self.complaints.append(json.dumps(told["args"]))
            case "Log.entryAdded" if told["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    async def watch(self, session: str) -> None:
        """Listen to a tab or a worker from its first moment: it waits until it is told to go on."""
        for domain in ("Network", "Runtime", "Log"):
            # A worker lacks some of them.
            try:
                await self.call(f"{domain}.enable", session=session)
            except Refused:
                continue
        await self.call(
            "Target.setAutoAttach", session=session, autoAttach=True, waitForDebuggerOnStart=True, flatten=True
        )
        await self.call("Runtime.runIfWaitingForDebugger", session=session)

    async def open(self, address: str) -> None:
        """Go to a page, and return when it was read: before that it may have no body."""
        await self.call("Page.navigate", url=address)
        await self.until("location.href !== 'about:blank' && document.readyState !== 'loading'")

    async def value(self, expression: str) -> Any:
        """Return what a script gives; a promise is awaited."""
        result = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in result:
            raise Refused(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until a script gives something true, frame by frame, and return it; a page may be left meanwhile."""
        script = f"""new Promise((found) => {{
            const look = () => {{ const value = ({expression}); value ? found(value) : setTimeout(look, 20) }};
            look()
        }})"""
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    return await self.value(script)
                except Refused as error:
                    if "context" not in str(error) and "navigated" not in str(error):
                        raise

    async def click(self, selector: str) -> None:
        """Wait for an element and click on it."""
        await self.until(f"document.querySelector({json.dumps(selector)}) !== null")
        await self.value(f"document.querySelector({json.dumps(selector)}).click()")

    async def type(self, selector: str, text: str) -> None:
        """Write into a field."""
        await self.until(f"document.querySelector({json.dumps(selector)}) !== null")
        await self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.call("Input.insertText", text=text)

    async def prefer(self, scheme: str) -> None:
        """Ask pages for `light` or `dark`."""
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def picture(self) -> bytes:
        """Return the tab as a PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


def strangers(page: Page, own: httpx.URL | str) -> list[str]:
    """Addresses of other origins that were asked; what is written into the page itself has none."""
    asked = [urlsplit(each["url"]) for each in page.requests]
    host = urlsplit(str(own)).netloc
    return [each.geturl() for each in asked if each.scheme not in {"data", "blob", "about"} and each.netloc != host]


@dataclass(frozen=True, slots=True)
class Browser:
    """A running browser."""

    address: str
    """Where it is driven."""

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Page]:
        """Open a tab that shares nothing with any other: no cookie, no storage, no cache."""
        async with websockets.connect(self.address, max_size=None) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            try:
                # Its context goes with the connection, and the tab with its context.
                context = await page.call("Target.createBrowserContext", disposeOnDetach=True)
                target = await page.call(
                    "Target.createTarget", url="about:blank", browserContextId=context["browserContextId"]
                )
                attached = await page.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
                page.session = attached["sessionId"]
                await page.watch(page.session)
                yield page
            finally:
                listening.cancel()
                await asyncio.wait([listening])


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Browser]:
    """Start a browser with a new profile."""
    program = shutil.which(PROGRAM)
    assert program, "Install the package chromium."
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={profile}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            address = await _address(process)
        yield Browser(address)
    finally:
        process.terminate()
        await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Return where the browser listens, which it says on standard error."""
    assert process.stderr is not None
    async for line in process.stderr:
        _, found, address = line.decode().partition("DevTools listening on ")
        if found:
            return address.strip()
    raise AssertionError("Chromium did not start.")

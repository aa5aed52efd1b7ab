"""The fake ComfyUI on a real socket: its routes, its WebSocket, and its end by a crash."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import HTTP
from io import BytesIO
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.comfy import nodes
from tests.comfy.engine import Engine


class _Server(uvicorn.Server):
    """A server that leaves the signals to pytest."""

    started_serving: asyncio.Event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.started_serving.set()


class FakeComfy:
    """One ComfyUI. `newest` has the routes that newer ones have."""

    def __init__(self, folder: Path, *, newest: bool = True) -> None:
        self.folder = folder
        self.newest = newest
        self.port = 0
        self.requests: list[str] = []
        self.heeds_ids = True
        """Whether an interruption is only of the prompt that it names, as old ones do not have it."""
        self.looks = 0
        """How often the queue was looked at."""
        self.missed = 0
        """So many looks at the queue find nothing: what begins at that moment is in neither list."""
        self.refuse_views = 0
        """So many files are not found when they are asked for."""
        self.sockets: dict[str, WebSocket] = {}
        self.opened = 0
        """How many sockets were opened."""
        self.engine: Engine
        self._server: _Server
        self._serving: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def model(self, path: str) -> None:
        """Put a file among the models."""
        file = self.folder / "models" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"weights")

    async def start(self) -> None:
        """Start, on the port of before: the queue and the history are empty, the files are still there."""
        self.engine = Engine(self.folder, self._send)
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(self._application(), log_config=None, lifespan="off", ws="websockets-sansio")
        self._server = _Server(config)
        self._server.started_serving = asyncio.Event()
        # Not `serve`, which would take pytest's signals.
        self._serving = asyncio.create_task(self._server._serve([listener]))
        await self._server.started_serving.wait()

    async def crash(self) -> None:
        """End as by kill -9: every connection breaks, and the queue is gone."""
        await self.engine.end()
        self._server.should_exit = self._server.force_exit = True
        self.drop_connections()
        await self._serving
        self.sockets.clear()

    def drop_connections(self) -> None:
        """Break every connection, as a network does."""
        for connection in list(self._server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()

    def forget_sockets(self) -> None:
        """Tell nobody anything any more, though every socket stays open."""
        self.sockets.clear()

    async def _send(self, client: str | None, frame: str | bytes) -> None:
        for name, opened in list(self.sockets.items()):
            if client in {None, name}:
                try:
                    await (opened.send_text(frame) if isinstance(frame, str) else opened.send_bytes(frame))
                except (WebSocketDisconnect, RuntimeError):
                    self.sockets.pop(name, None)

    def _application(self) -> Starlette:
        routes = [
            Route("/system_stats", self._system_stats),
            Route("/prompt", self._prompt, methods=["GET", "POST"]),
            Route("/queue", self._queue, methods=["GET", "POST"]),
            Route("/interrupt", self._interrupt, methods=["POST"]),
            Route("/free", self._free, methods=["POST"]),
            Route("/history", self._forget, methods=["POST"]),
            Route("/history/{id}", self._history),
            Route("/upload/image", self._upload, methods=["POST"]),
            Route("/view", self._view),
            Route("/object_info/{kind}", self._object_info),
            WebSocketRoute("/ws", self._socket),
        ]
        if self.newest:
            routes.append(Route("/api/jobs/{id}/cancel", self._cancel, methods=["POST"]))
        return Starlette(routes=routes)

    async def _socket(self, opened: WebSocket) -> None:
        await opened.accept()
        name = opened.query_params["clientId"]
        # A second socket with the same name takes the first one's place.
        self.sockets[name] = opened
        self.opened += 1
        status = {"status": {"exec_info": {"queue_remaining": self.engine.remaining()}}, "sid": name}
        await opened.send_text(json.dumps({"type": "status", "data": status}))
        # A preview, as those have it that were started with them.
        await opened.send_bytes(b"\0\0\0\1\0\0\0\1" + b"jpeg")
        if name == self.engine.client and self.engine.last_node is not None:
            # Of which prompt is not said.
            told = {"type": "executing", "data": {"node": self.engine.last_node}}
            await opened.send_text(json.dumps(told))
        try:
            while True:
                await opened.receive_text()
        except WebSocketDisconnect:
            # Whichever has the name by now.
            self.sockets.pop(name, None)

    async def _system_stats(self, _request: Request) -> Response:
        device = {
            "name": "cuda:0 NVIDIA L4 : cudaMallocAsync",
            "type": "cuda",
            "index": 0,
            "vram_total": 23_000 * 2**20,
            "vram_free": 20_000 * 2**20,
        }
        system = {"os": "posix", "comfyui_version": "0.38.1", "argv": [str(self.folder / "main.py")]}
        return JSONResponse({"system": system, "devices": [device]})

    async def _prompt(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({"exec_info": {"queue_remaining": self.engine.remaining()}})
        body = await request.json()
        prompt = body["prompt"]
        self.requests.append(f"prompt {body['prompt_id']}")
        unknown = [key for key, node in prompt.items() if node["class_type"] not in nodes.KINDS]
        outputs = [key for key, node in prompt.items() if key not in unknown and nodes.KINDS[node["class_type"]].output]
        if unknown or not outputs:
            return _refusal("invalid_prompt" if unknown else "prompt_no_outputs", {})
        node_errors: dict[str, Any] = {}
        good = []
        for output in outputs:
            wrong = {
                node: found
                for node in nodes.ancestors(prompt, output)
                if (found := nodes.errors(prompt, node, self.folder))
            }
            for node, found in wrong.items():
                kind = prompt[node]["class_type"]
                node_errors[node] = {"errors": found, "dependent_outputs": [output], "class_type": kind}
            good += [] if wrong else [output]
        if not good:
            return _refusal("prompt_outputs_failed_validation", node_errors)
        number = await self.engine.add(body["prompt_id"], prompt, body.get("client_id"), good)
        return JSONResponse({"prompt_id": body["prompt_id"], "number": number, "node_errors": node_errors})

    async def _queue(self, request: Request) -> Response:
        if request.method == "POST":
            for prompt_id in (await request.json()).get("delete", []):
                self.engine.delete(prompt_id)
            return Response()
        self.looks += 1
        if self.missed > 0:
            self.missed -= 1
            return JSONResponse({"queue_running": [], "queue_pending": []})
        running = [self.engine.running.entry] if self.engine.running is not None else []
        return JSONResponse({"queue_running": running, "queue_pending": [each.entry for each in self.engine.pending]})

    async def _interrupt(self, request: Request) -> Response:
        prompt_id = (await request.json()).get("prompt_id")
        self.engine.interrupt(prompt_id if self.heeds_ids else None)
        return Response()

    async def _cancel(self, request: Request) -> Response:
        prompt_id = request.path_params["id"]
        return JSONResponse({"cancelled": self.engine.interrupt(prompt_id) or self.engine.delete(prompt_id)})

    async def _free(self, _request: Request) -> Response:
        self.engine.freed += 1
        return Response()

    async def _forget(self, request: Request) -> Response:
        for prompt_id in (await request.json()).get("delete", []):
            self.engine.history.pop(prompt_id, None)
        return Response()

    async def _history(self, request: Request) -> Response:
        found = self.engine.history.get(request.path_params["id"])
        return JSONResponse({} if found is None else {request.path_params["id"]: found})

    async def _upload(self, request: Request) -> Response:
        # A form of several parts is a message as mail has it.
        header = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part
            for part in message_from_bytes(header + await request.body(), policy=HTTP).iter_parts()
        }
        name, subfolder = parts["image"].get_filename() or "", parts["subfolder"].get_content().strip()
        folder = self.folder / "input" / subfolder
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread((folder / name).write_bytes, parts["image"].get_payload(decode=True))
        return JSONResponse({"name": name, "subfolder": subfolder, "type": "input"})

    async def _view(self, request: Request) -> Response:
        asked = request.query_params
        path = self.folder / asked["type"] / asked["subfolder"] / asked["filename"]
        if self.refuse_views > 0 or not path.is_file():
            self.refuse_views -= 1
            return Response(status_code=404)
        return FileResponse(path)

    async def _object_info(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        return JSONResponse({kind: nodes.described(kind, self.folder)} if kind in nodes.KINDS else {})


def _refusal(kind: str, node_errors: dict[str, Any]) -> Response:
    error: dict[str, Any] = {"type": kind, "message": "", "details": "", "extra_info": {}}
    return JSONResponse({"error": error, "node_errors": node_errors}, 400)


@asynccontextmanager
async def fake_comfy(folder: Path, *, newest: bool = True, port: int = 0) -> AsyncIterator[FakeComfy]:
    """A running ComfyUI, until the end, on a free port unless one is given."""
    fake = FakeComfy(folder, newest=newest)
    fake.port = port
    await fake.start()
    try:
        yield fake
    finally:
        fake.engine.release()
        await fake.crash()


def photograph(width: int = 64, height: int = 48, color: tuple[int, int, int] = (255, 0, 0)) -> bytes:
    """A photograph of a room, as a PNG."""
    file = BytesIO()
    Image.new("RGB", (width, height), color).save(file, "PNG")
    return file.getvalue()

"""A server over a real socket that answers as a table says, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

Answers = dict[str, tuple[int, bytes]]


@dataclass
class Runtimes:
    """A server that answers by its table and remembers what it was asked."""

    answers: Answers
    asked: list[tuple[str, Any]] = field(default_factory=list)
    silent: bool = False
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *headers = head.decode().split("\r\n")
                lengths = [int(each.split(":")[1]) for each in headers if each.lower().startswith("content-length")]
                body = await reader.readexactly(lengths[0]) if lengths else b""
                method, path, _ = line.split(" ")
                self.asked.append((f"{method} {path}", orjson.loads(body) if body else None))
                if self.silent:
                    await asyncio.Event().wait()
                status, answer = self.answers.get(f"{method} {path}", (404, b"{}"))
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(answer), answer))
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answers: Answers, *, silent: bool = False) -> AsyncIterator[Runtimes]:
    made = Runtimes(answers, silent=silent)
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(made.serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

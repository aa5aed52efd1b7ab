"""Clients that are slow, silent, endless or gone, many at once, while a well-behaved one measures what it gets.

`python -m soak.abuse` starts a Velocity of its own on the loopback address and prints how long each was held.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tests.installation import COMMAND, ROOT, Installation

IDLE: Final = 10_000
MANY: Final = 200
SPARE: Final = 500
"""Files that this process needs beside its idle connections."""
BOUND_SECONDS: Final = 120
"""No attacker is held longer; one that would be counts as held for ever."""
ARRIVALS_PER_SECOND: Final = 2_500
PROBE_SECONDS: Final = 5
FOR_EVER: Final = "for ever"
CUT: Final = "cut off"

Address = tuple[str, int]
Attack = Callable[[Address, float], Awaitable[str]]

POST: Final = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@dataclass(slots=True)
class Outcome:
    """What became of one kind of attackers, and of the others meanwhile."""

    name: str
    endings: Counter[str] = field(default_factory=Counter)
    """How often each ending came: a status, `cut off`, or `for ever`."""
    longest: float = 0
    """Seconds that the most patient one was held."""
    probes: list[float] = field(default_factory=list)
    """Seconds that each request of the well-behaved client took."""
    failed: list[str] = field(default_factory=list)
    """What a request of the well-behaved client failed by."""

    def line(self) -> str:
        """Return one row for people, under `HEADINGS`."""
        endings = ", ".join(f"{count:,}x {ending}" for ending, count in self.endings.most_common())
        probes = sorted(self.probes)
        middle, worst = probes[len(probes) // 2] * 1000, probes[-1] * 1000
        return ROW.format(
            self.name, f"{self.endings.total():,}", endings, f"{self.longest:.1f} s",
            len(probes), f"{middle:.0f} ms", f"{worst:.0f} ms", len(self.failed),
        )  # fmt: skip


ROW: Final = "{:<46} {:>7}  {:<22} {:>7} | {:>7} {:>7} {:>7} {:>6}"
HEADINGS: Final = (
    ROW.format("", "", "", "", "others:", "", "", ""),
    ROW.format("attackers that", "at once", "ended by", "held", "answers", "median", "worst", "failed"),
)


def summary(outcomes: list[Outcome]) -> str:
    """Say in two sentences what was held, for how long, and how others fared."""
    attackers = sum(outcome.endings.total() for outcome in outcomes)
    kept = sum(outcome.endings[FOR_EVER] for outcome in outcomes)
    patient = max(outcomes, key=lambda outcome: outcome.longest)
    probes = [seconds for outcome in outcomes for seconds in outcome.probes]
    failed = [failure for outcome in outcomes for failure in outcome.failed]
    held = f"{kept:,} of them were held for ever" if kept else "none was held for ever"
    why = f" ({', '.join(sorted(set(failed)))})" if failed else ""
    return (
        f"{attackers:,} attackers: {held}; the longest, {patient.longest:.1f} s, was one to {patient.name.lower()}.\n"
        f"Meanwhile {len(probes):,} requests of a well-behaved client: {len(failed)} failed{why},"
        f" the slowest took {max(probes) * 1000:.0f} ms.\n"
    )


async def ended(reader: asyncio.StreamReader) -> str:
    """Read until the connection ends; return the status of the first answer on it."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            received = received or chunk
    return received[9:12].decode() if received.startswith(b"HTTP/1.1 ") else CUT


@contextlib.asynccontextmanager
async def connected(address: Address) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and let go of the connection at the end whatever state it is in."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def drip(writer: asyncio.StreamWriter, pieces: bytes, pause: float) -> None:
    """Send a byte at a time, over and over."""
    with contextlib.suppress(ConnectionError):
        while True:
            for byte in pieces:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(pause)


async def steady(first: bytes, piece: bytes, last: bytes, *, times: int, pause: float) -> AsyncIterator[bytes]:
    """Give the parts of a body that comes slowly, but comes."""
    yield first
    for _ in range(times):
        await asyncio.sleep(pause)
        yield piece
    yield last


async def flood(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send as fast as the other side takes it."""
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(piece)
            await writer.drain()


async def _both(address: Address, head: bytes, sending: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> str:
    """Send something endless after a head, until the connection ends."""
    async with connected(address) as (reader, writer):
        writer.write(head)
        endless = asyncio.ensure_future(sending(writer))
        try:
            return await ended(reader)
        finally:
            endless.cancel()


async def silent(address: Address, _pause: float) -> str:
    """Connect and say nothing."""
    async with connected(address) as (reader, _):
        return await ended(reader)


async def slow_head(address: Address, pause: float) -> str:
    """Send a header a byte at a time."""
    return await _both(address, POST + b"x-slow: ", lambda writer: drip(writer, b"a", pause))


async def slow_body(address: Address, pause: float) -> str:
    """Announce a body and send it a byte at a time."""
    return await _both(address, POST + b"content-length: 200000\r\n\r\n", lambda writer: drip(writer, b"[", pause))


async def endless_body(address: Address, _pause: float) -> str:
    """Send a body in chunks that never end."""
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    return await _both(address, POST + b"transfer-encoding: chunked\r\n\r\n", lambda writer: flood(writer, chunk))


async def endless_header(address: Address, _pause: float) -> str:
    """Send one header that never ends."""
    return await _both(address, POST + b"x-long: ", lambda writer: flood(writer, b"a" * 16_384))


async def many_headers(address: Address, _pause: float) -> str:
    """Send headers without an end."""
    return await _both(address, POST, lambda writer: flood(writer, b"x-many: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 500))


async def half_open(address: Address, _pause: float) -> str:
    """Ask, and send the end of all sending at once: an answer is still due."""
    body = b'{"query":"{ __typename }"}'
    async with connected(address) as (reader, writer):
        writer.write(POST + b"content-length: %d\r\n\r\n" % len(body) + body)
        writer.write_eof()
        return await ended(reader)


async def unread(address: Address, pause: float) -> str:
    """Ask for much and read none of it."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.settimeout(0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        await loop.sock_connect(connection, address)
        await loop.sock_sendall(connection, b"GET /pages/graphiql.js HTTP/1.1\r\nhost: x\r\n\r\n")
        try:
            while True:
                # Only a further byte tells whether the other side is still there.
                await asyncio.sleep(pause)
                await loop.sock_sendall(connection, b"\r")
        except ConnectionError:
            return CUT


async def probe(address: Address, outcome: Outcome, ready: asyncio.Event, stop: asyncio.Event) -> None:
    """Ask as a well-behaved client does, on connections of its own, until told to stop."""
    async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}", timeout=PROBE_SECONDS) as client:
        while not stop.is_set():
            started = time.perf_counter()
            try:
                # A new connection each time: that is what a full house would refuse.
                headers = {"connection": "close"}
                answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
                if answer.status_code != httpx.codes.OK:
                    outcome.failed.append(str(answer.status_code))
            except httpx.HTTPError as error:
                outcome.failed.append(type(error).__name__)
            outcome.probes.append(time.perf_counter() - started)
            ready.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.05)


async def attacked(address: Address, attack: Attack, count: int, *, pause: float = 1) -> Outcome:
    """Let `count` clients attack at once until the last one has ended, and look how others fare."""
    outcome, stop = Outcome((attack.__doc__ or "").split(".")[0].split(":")[0]), asyncio.Event()

    async def one(number: int) -> None:
        # They come one after the other, as from a net of many machines, not as one burst of a single one.
        await asyncio.sleep(number / ARRIVALS_PER_SECOND)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                ending = await attack(address, pause)
        except TimeoutError:
            ending = FOR_EVER
        except OSError:
            ending = CUT
        outcome.endings[ending] += 1
        outcome.longest = max(outcome.longest, time.perf_counter() - started)

    ready = asyncio.Event()
    probing = asyncio.create_task(probe(address, outcome, ready, stop))
    await ready.wait()
    await asyncio.gather(*(one(number) for number in range(count)))
    stop.set()
    await probing
    return outcome


ATTACKS: Final[dict[Attack, int]] = {
    half_open: MANY,
    slow_head: MANY,
    slow_body: MANY,
    endless_header: 20,
    many_headers: 20,
    endless_body: 20,
    unread: 50,
    silent: IDLE,
}


async def _all(address: Address) -> bool:
    outcomes: list[Outcome] = []
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in HEADINGS))
    for attack, count in ATTACKS.items():
        outcomes.append(await attacked(address, attack, count))
        sys.stdout.write(f"{outcomes[-1].line()}\n")
        sys.stdout.flush()
    sys.stdout.write(f"\n{summary(outcomes)}")
    return not any(outcome.failed or outcome.endings[FOR_EVER] for outcome in outcomes)


def _served(process: subprocess.Popen[str]) -> str:
    """Wait until it serves, and return where."""
    for line in process.stdout or ():
        if line.startswith("Velocity serves "):
            return line.removeprefix("Velocity serves ").partition("/graphql")[0]
    raise RuntimeError("Velocity did not start.")


def main() -> int:
    """Start a Velocity, abuse it, and return 1 if anybody was held for ever or any other client was not answered."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != hard < IDLE + SPARE:
        # A connection that this end cannot open would count as cut off by the other.
        sys.stderr.write(f"{IDLE + SPARE:,} open files are needed, and {hard:,} are allowed: see `ulimit -Hn`.\n")
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        folder = Path(name)
        installation = Installation(folder / "var", {"VELOCITY_LOG_FORMAT": "json"})
        log = folder / "log"
        # Not a pipe: nobody would read it, and a full one would stop the server.
        with (
            log.open("w") as errors,
            subprocess.Popen(  # noqa: S603 -- the project's own program.
                [COMMAND, "serve"],
                env=installation.environment,
                cwd=ROOT,
                text=True,
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as process,
        ):
            try:
                base = httpx.URL(_served(process))
                fine = asyncio.run(_all((base.host, base.port or 80)))
            finally:
                process.terminate()
        unexpected = [line for line in log.read_text().splitlines() if json.loads(line)["level"] == "error"]
    sys.stdout.write(f"{len(unexpected)} errors logged\n" + "".join(f"{line}\n" for line in unexpected[:5]))
    return 0 if fine and not unexpected else 1


if __name__ == "__main__":
    sys.exit(main())

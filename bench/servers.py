"""The servers that are compared: how each is started, and how a question is put to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.dataset import Ground, Place
from bench.documents import Question, rows_in
from bench.load import Target
from bench.peers import node
from bench.places import HOST, PEERS, POOL, ROOT
from db.engine import READ_SETTINGS
from db.roles import OWNER
from db.server import DATABASE

PATIENCE: Final = 60
SETTINGS: Final = {name: value for name, value in READ_SETTINGS.items() if name != "default_transaction_read_only"}
OPTIONS: Final = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
STATED: Final = ", ".join(f"{name}={value}" for name, value in SETTINGS.items())

# Nothing is switched off: what one caller may spend and run at once is counted as always, but large enough for a load.
GENEROUS: Final = {
    "VELOCITY_RATE_POINTS": "1000000000000",
    "VELOCITY_RATE_POINTS_PER_SECOND": "1000000000",
    "VELOCITY_OPERATIONS_AT_ONCE_PER_CALLER": "200",
    "VELOCITY_LOG_FORMAT": "json",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A server before it is started. `body` words a question for it; `settings` are those of its connections."""

    name: str
    label: str
    command: tuple[str, ...]
    body: Callable[[Question], bytes]
    settings: str
    environment: dict[str, str] = field(default_factory=dict)
    by_path: bool = False
    signed_in: bool = False


@dataclass(slots=True)
class Server:
    """A server that runs. `targets` are what the load generator sends it, by question."""

    kind: Kind
    process: subprocess.Popen[bytes]
    port: int
    targets: dict[str, Target] = field(default_factory=dict)

    def target(self, body: Path, token: Path | None = None) -> Target:
        """Return what sends `body` to it."""
        return Target(f"http://{HOST}:{self.port}/graphql", body, token)

    def memory(self) -> tuple[float, float]:
        """Return what it holds in memory now, and at most since the last `forget`, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        held = dict(line.split(":", 1) for line in status.splitlines())
        now, most = (int(held[name].split()[0]) / 1000 for name in ("VmRSS", "VmHWM"))
        return now, most

    def forget(self) -> None:
        """Begin a new maximum."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def kinds(ground: Ground, token: Path) -> list[Kind]:
    """Return every server but PostgreSQL itself, which pgbench asks."""
    python, javascript = sys.executable, str(node())
    data = {"VELOCITY_DATA_DIR": str(ground.settings.data_dir)}
    app, owner = {"DSN": ground.addresses.app}, {"DSN": ground.addresses.owner}
    peers = environment_of_libpq(ground) | {"POOL": str(POOL), "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    velocity = str(Path(python).parent / "velocity")
    return [
        Kind(
            "velocity", "Velocity", (velocity, "serve"), Question.body, STATED, data | GENEROUS, signed_in=True,
        ),
        Kind(
            "resolvers", "Velocity, resolver path", (python, "-m", "bench.resolvers"), Question.body, STATED,
            data | GENEROUS, signed_in=True,
        ),
        Kind(
            "mercurius", "Mercurius with JIT", (javascript, str(PEERS / "mercurius.mjs")),
            Question.body_with_bare_ids, STATED, peers | {"PGOPTIONS": OPTIONS},
        ),
        Kind(
            "postgraphile", "PostGraphile 5", (javascript, str(PEERS / "postgraphile.mjs")),
            Question.body_for_postgraphile, STATED, peers | {"PGOPTIONS": OPTIONS},
        ),
        Kind(
            "strawberry", "Strawberry with DataLoaders", (python, "-m", "bench.plain.server"),
            Question.body_with_bare_ids, STATED, owner,
        ),
        Kind(
            "limit", "bare asyncpg and ASGI", (python, "-m", "bench.limit", str(token)), lambda _question: b"{}",
            STATED, data | app, by_path=True,
        ),
    ]  # fmt: skip


def fixed() -> Kind:
    """Return the server that answers without being asked."""
    return Kind("fixed", "load generator", (sys.executable, "-m", "bench.fixed"), lambda _question: b"{}", "none")


@contextmanager
def running(
    wanted: Sequence[Kind], asked: Sequence[Question], token: Path | None, folder: Path
) -> Iterator[list[Server]]:
    """Start servers, wait until each answers, and end them afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        started = [stack.enter_context(_started(kind, folder)) for kind in wanted]
        for server in started:
            for question in asked:
                body = folder / f"{server.kind.name}-{question.short}.json"
                body.write_bytes(server.kind.body(question))
                path = f"/{question.short}" if server.kind.by_path else "/graphql"
                bearer = token if server.kind.signed_in else None
                server.targets[question.name] = Target(f"http://{HOST}:{server.port}{path}", body, bearer)
            _wait(server)
            if asked:
                _first_answer(server, asked[0], folder)
        yield started


def ask(target: Target) -> bytes:
    """Ask once and return the answer."""
    headers = {"content-type": "application/json"}
    if target.token is not None:
        headers["authorization"] = f"Bearer {target.token.read_text().strip()}"
    request = urllib.request.Request(target.url, target.body.read_bytes(), headers)  # noqa: S310 -- this machine's own servers.
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 -- as above.
            found: bytes = answer.read()
    except urllib.error.HTTPError as error:
        raise ValueError(f"{error.code}: {error.read()[:500].decode(errors='replace')}") from error
    return found


def compare(servers: Sequence[Server], asked: Sequence[Question]) -> dict[str, dict[str, int]]:
    """Return how many bytes each server answers to each question; raises SystemExit unless all answer the same rows."""
    sizes: dict[str, dict[str, int]] = {}
    for question in asked:
        answers = {server.kind.name: ask(server.targets[question.name]) for server in servers}
        rows = {name: rows_in(answer) for name, answer in answers.items()}
        [first, *_] = rows
        for name, found in rows.items():
            if found != rows[first]:
                differing = (found - rows[first]) + (rows[first] - found)
                raise SystemExit(f"{question.name}: {name} answers other rows than {first}: {differing.most_common(5)}")
        sizes[question.name] = {name: len(answer) for name, answer in answers.items()}
    return sizes


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _started(kind: Kind, folder: Path) -> Iterator[Server]:
    port = free_port()
    environment = {**os.environ, **kind.environment, "PORT": str(port), "VELOCITY_PORT": str(port)}
    with (folder / f"{kind.name}.log").open("wb") as log:
        process = subprocess.Popen(kind.command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield Server(kind, process, port)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server) -> None:
    """Wait until it listens; it may have ended instead."""
    deadline = time.monotonic() + PATIENCE
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection((HOST, server.port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)


def _first_answer(server: Server, question: Question, folder: Path) -> None:
    try:
        ask(server.targets[question.name])
    except (OSError, ValueError) as error:
        said = (folder / f"{server.kind.name}.log").read_text(errors="replace")[-2000:]
        raise SystemExit(f"{server.kind.label} does not answer: {error}\n{said}") from error


def environment_of_libpq(place: Place) -> dict[str, str]:
    """Return the address of the database's owner, as libpq and node-postgres read it."""
    return {
        "PGHOST": str(place.server.socket),
        "PGPORT": "5432",
        "PGUSER": OWNER,
        "PGDATABASE": DATABASE,
    }

"""`velocity serve`: from an empty folder to an answered question, a clean end, and one clear line for each refusal."""

import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
from asyncpg import Connection, Record

from db.migrations import newest_revision
from db.roles import APP, OWNER
from db.server import PostgresServer
from tests.api import operation
from tests.clusters import copied
from tests.installation import SCALE, Installation, refusal
from tests.serving import PATIENCE

WORKED = {"worker_started", "worker_draining", "worker_stopped"}
SWEPT = {"events_forgotten", "tasks_told_of"}
"""What the sweeps beside a server may have to say of the demo, each once: nothing says when they come to it."""
ROLES = {"ADMIN": "admin", "SALES_DIRECTOR": "director", "SENIOR_BROKER": "senior", "JUNIOR_BROKER": "junior"}


def events(logged: str) -> list[str]:
    """The names of the logged events; a line that is no event fails."""
    return [json.loads(line)["event"] for line in logged.splitlines()]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_from_an_empty_folder_to_an_answer_and_back(folder: Path) -> None:
    installation = Installation(folder / "var", {"VELOCITY_DEMO_SCALE": SCALE})
    with installation.serving("--demo") as serving:
        password = (folder / "var" / "demo.password").read_text().strip()
        assert mode(folder / "var" / "demo.password") == mode(folder / "var" / "signing.key") == 0o600
        assert f"Sign in with the password {password} as" in serving.printed
        assert (
            f"GraphiQL is at {serving.base}/graphiql, and what happens now at {serving.base}/live." in serving.printed
        )

        for role, name in ROLES.items():
            email = f"{name}@saffron.example"
            assert f"  {email}" in serving.printed
            variables = {"email": email, "password": password}
            body = {"query": operation("Login"), "variables": variables}
            answer = httpx.post(f"{serving.base}/graphql", json=body, timeout=PATIENCE)
            assert answer.json()["data"]["login"]["viewer"]["role"] == role

        curl = serving.printed[-1]
        shell = subprocess.run(curl, shell=True, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S602 -- a user pastes it into a shell.
        edges = json.loads(shell.stdout)["data"]["leads"]["edges"]
        assert len(edges) == 3
        assert all(edge["node"]["person"]["fullName"] for edge in edges)
        assert shell.stderr == ""

        status, logged = serving.end(signal.SIGINT)
    assert status == 0
    started = [event for event in events(logged) if event != "request"]
    assert started[:3] == ["database_ready", "demo_loading", "demo_loaded"]
    # The first sweep has work in the demo, if it comes to it before the server ends.
    assert set(started[3:]) <= SWEPT | WORKED
    assert installation.postgres_processes() == []

    installed = (folder / "var" / "postgres" / "cluster" / "PG_VERSION").stat()
    with installation.serving("--demo") as serving:
        assert f"Sign in with the password {password} as" in serving.printed
        assert httpx.get(f"{serving.base}/readyz", timeout=PATIENCE).json() == {"ready": True}
        status, logged = serving.end(signal.SIGTERM)
    again = [event for event in events(logged) if event not in SWEPT]
    # The worker begins beside the server.
    assert (status, again[0], sorted(again[1:])) == (
        0,
        "database_ready",
        ["request", *sorted(WORKED)],
    )
    assert (folder / "var" / "postgres" / "cluster" / "PG_VERSION").stat() == installed
    assert installation.postgres_processes() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_starts_leaves_nothing_behind(folder: Path, blank: Path, how: signal.Signals) -> None:
    installation = Installation(folder, {"VELOCITY_DEMO_SCALE": SCALE})
    copied(blank, installation.server.directory)
    with installation.started("serve", "--demo") as process:
        assert process.stderr is not None
        assert events(process.stderr.readline()) == ["database_ready"]
        process.send_signal(how)
        _, logged = process.communicate()
    assert process.returncode == 0
    assert events(logged)[-1] == "stopped_while_starting"
    assert installation.postgres_processes() == []


def test_without_a_demo_nobody_is_told_how_to_sign_in(folder: Path, blank: Path) -> None:
    copied(blank, folder / "postgres")
    with Installation(folder).serving() as serving:
        assert serving.printed == [
            "",
            f"GraphiQL is at {serving.base}/graphiql, and what happens now at {serving.base}/live.",
            f"Velocity serves {serving.base}/graphql. Ctrl-C stops it.",
        ]
        assert httpx.get(f"{serving.base}/healthz", timeout=PATIENCE).text == "ok"


def test_a_port_in_use(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = Installation(folder / "var", {"VELOCITY_PORT": str(port)}).run("serve", "--demo")
    assert refusal(done) == f"127.0.0.1:{port} is in use. Stop what uses it, or set VELOCITY_PORT."
    assert not (folder / "var").exists()


def test_a_host_that_is_not_ours(folder: Path) -> None:
    line = refusal(Installation(folder, {"VELOCITY_HOST": "192.0.2.1"}).run("serve"))
    assert re.fullmatch(r"Nothing can be served on 192\.0\.2\.1:0 \(.+\)\. Set VELOCITY_HOST and VELOCITY_PORT\.", line)


def test_a_data_folder_that_cannot_be_written_to(folder: Path) -> None:
    (folder / "file").touch()
    line = refusal(Installation(folder / "file" / "var").run("serve"))
    assert line == (
        f"The data folder {folder / 'file' / 'var'} cannot be written to (Not a directory)."
        " Make it writable, or set VELOCITY_DATA_DIR."
    )


def test_a_database_that_does_not_answer(folder: Path) -> None:
    address = "postgresql://somebody:hidden@127.0.0.1:1/velocity"
    line = refusal(Installation(folder, {"DATABASE_URL": address}).run("serve"))
    assert line.startswith("The database of DATABASE_URL does not answer: ")
    assert line.endswith(". Start the server, or correct DATABASE_URL.")
    assert "hidden" not in line


def test_an_address_that_is_none(folder: Path) -> None:
    line = refusal(Installation(folder, {"DATABASE_URL": "mysql://somebody:hidden@host"}).run("serve"))
    assert line == "DATABASE_URL is no address like postgresql://user:password@host:5432/name."


@pytest.fixture
async def bare(superuser_connection: "Connection[Record]") -> str:
    """The name of a new database that was never migrated."""
    await superuser_connection.execute(f"CREATE DATABASE bare OWNER {OWNER}")
    return "bare"


def test_a_database_without_its_tables(folder: Path, server: PostgresServer, bare: str) -> None:
    line = refusal(Installation(folder, {"DATABASE_URL": server.address(APP, bare)}).run("serve"))
    assert line == (
        f"The database is at revision none; this release needs {newest_revision()}."
        " Set DATABASE_OWNER_URL, or run `velocity migrate` where it is set."
    )

    both = {"DATABASE_URL": server.address(APP, bare), "DATABASE_OWNER_URL": server.address(OWNER, bare)}
    with Installation(folder, both).serving() as serving:
        assert httpx.get(f"{serving.base}/readyz", timeout=PATIENCE).json() == {"ready": True}


def test_a_role_that_may_too_much(folder: Path, owner_dsn: str) -> None:
    line = refusal(Installation(folder, {"DATABASE_URL": owner_dsn}).run("serve"))
    assert line.startswith(f"The role {OWNER} ")
    assert line.endswith(" Let DATABASE_URL name the role velocity_app.")

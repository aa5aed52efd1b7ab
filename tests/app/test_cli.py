"""The `velocity` command in processes of its own: what it prints, and its one line where it refuses."""

from pathlib import Path

import pytest

from app.commands.access_token import duration
from app.failures import CannotContinue
from app.wiring import proven_schema
from db.migrations import newest_revision
from tests.installation import SCALE, Installation, refusal


@pytest.fixture
def installation(folder: Path) -> Installation:
    return Installation(folder / "var")


def test_help_names_every_command(installation: Installation) -> None:
    done = installation.run("--help")
    assert done.returncode == 0
    for command in (
        "serve",
        "migrate",
        "seed",
        "token",
        "schema",
        "doctor",
        "backup",
        "restore",
        "perceive",
        "demo-session",
    ):
        assert f" {command} " in done.stdout


def test_schema_is_printed_without_a_database(installation: Installation) -> None:
    done = installation.run("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{proven_schema().as_str()}\n"
    assert not installation.folder.exists()


def test_a_demo_is_loaded_once_and_its_users_get_tokens(installation: Installation) -> None:
    seeded = installation.run("seed", "--scale", SCALE)
    assert (seeded.returncode, seeded.stderr) == (0, "")
    assert seeded.stdout.startswith("Loaded Saffron Crescent and Pearl Meridian Realty: ")

    assert refusal(installation.run("seed", "--scale", SCALE)) == (
        "There are tenants already, and the demo is loaded only into an empty database."
        " Set VELOCITY_DATA_DIR to a new folder, or DATABASE_URL to a new database."
    )

    migrated = installation.run("migrate")
    assert (migrated.returncode, migrated.stdout) == (0, f"The database is at revision {newest_revision()}.\n")

    token = installation.run("token", "--email", "Admin@saffron.example", "--ttl", "15m")
    assert (token.returncode, token.stderr) == (0, "")
    assert [len(part) > 20 for part in token.stdout.removesuffix("\n").split(".")] == [True, True, True]

    assert refusal(installation.run("token", "--email", "nobody@saffron.example")) == (
        "No active user has this e-mail address."
    )
    assert installation.postgres_processes() == []


def test_the_agent_says_what_it_lacks(installation: Installation, tmp_path: Path) -> None:
    model = tmp_path / "face.task"
    asked = ("--model", str(model), "--source", "0")
    line = refusal(installation.run("perceive", *asked))
    assert f"There is no model at {model}. Download it: `curl -fLo {model} https://" in line


def test_a_visit_is_played_where_there_is_a_demo(installation: Installation) -> None:
    line = refusal(installation.run("demo-session"))
    assert line == "There is no demo in this data folder. Start one with `make run`."


NO_DURATION = "{!r} is no duration such as 90s, 15m, 1h or 7d, of a year at most."


def test_a_duration_that_is_none(installation: Installation) -> None:
    line = refusal(installation.run("token", "--email", "admin@saffron.example", "--ttl=1 h"))
    assert line == NO_DURATION.format("1 h")


@pytest.mark.parametrize("ttl", ["", "1", "h", "0m", "1y", "-1h", "366d", "1 h"])
def test_durations_that_are_none(ttl: str) -> None:
    with pytest.raises(CannotContinue) as refused:
        duration(ttl)
    assert str(refused.value) == NO_DURATION.format(ttl)


def test_a_wrong_setting(folder: Path) -> None:
    line = refusal(Installation(folder, {"VELOCITY_PORT": "none"}).run("migrate"))
    assert line.startswith("A setting is not valid. VELOCITY_PORT: ")


def test_migrations_need_the_owner(folder: Path) -> None:
    installation = Installation(folder, {"DATABASE_URL": "postgresql://velocity_app@127.0.0.1:1/velocity"})
    line = "Set DATABASE_OWNER_URL to the same database as its owner: this needs it."
    assert refusal(installation.run("migrate")) == line
    assert refusal(installation.run("seed")) == line
    assert refusal(installation.run("backup", str(folder / "file"))) == line

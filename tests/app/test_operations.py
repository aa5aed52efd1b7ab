"""`velocity operations` in processes of its own: what is listed, registered and checked."""

import json
from pathlib import Path

from domain.access.operations import sha256_id
from graph.persisted import read_manifest, shipped
from tests.clusters import copied
from tests.installation import Installation

TEXT = "query Mine { viewer { id } }"
ALIAS = "5d41402abc4b2a76b9719d911017c592"
LARGE = """
query Large { leads(first: 100) { edges { node { person { leads(first: 100) { edges { node {
    person { leads(first: 100) { edges { node { id } } } } } } } } } } } }
"""


def test_operations_are_listed_registered_and_checked(folder: Path, seeded: Path) -> None:
    installation = Installation(folder / "var")
    copied(seeded, installation.folder)
    listed = installation.run("operations", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.count("  LeadBoard\n") == listed.stdout.count("tenant ") == 2

    file = folder / "persisted.json"
    file.write_text(json.dumps({ALIAS: TEXT}))
    registered = installation.run("operations", "register", str(file))
    assert (registered.stdout, registered.stderr) == ("1 operations in 2 tenants: 2 registrations are new.\n", "")
    line = f"  {sha256_id(TEXT)}  QUERY         Mine  also {ALIAS}\n"
    assert installation.run("operations", "list").stdout.count(line) == 2
    checked = installation.run("operations", "check")
    assert (checked.returncode, checked.stdout) == (0, f"{len(shipped()) + 1} operations, 0 faults.\n")


def test_the_manifest_of_what_ships_can_be_read_again(folder: Path) -> None:
    installation = Installation(folder / "var")
    printed = installation.run("operations", "manifest")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert read_manifest(printed.stdout.encode()) == shipped()
    assert not installation.folder.exists()


def test_what_cannot_run_is_not_registered(folder: Path) -> None:
    installation = Installation(folder / "var")
    file = folder / "manifest.json"
    file.write_text(json.dumps({"a": "query Wrong { nothing }", "b": LARGE}))
    wrong = "Wrong: Cannot query field 'nothing' on type 'Query'."
    large = "Large: asks for 1020200 rows and 1030302 points."

    checked = installation.run("operations", "check", str(file))
    assert (checked.returncode, checked.stdout) == (1, f"{wrong}\n{large}\n2 operations, 2 faults.\n")
    refused = installation.run("operations", "register", str(file))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"velocity: Nothing was registered. {wrong} {large}\n"
    missing = installation.run("operations", "check", str(folder / "none.json"))
    assert missing.stderr == f"velocity: {folder / 'none.json'} cannot be read: No such file or directory.\n"

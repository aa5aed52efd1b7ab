"""`velocity api-key` and `velocity sweep` beside a serving process, whose files are in a bucket."""

import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from asyncpg import Connection, Record

from app.commands.api_key import created, listed, revoked, role_named, rotated
from app.failures import CannotContinue
from app.settings import Settings
from app.wiring import System
from db.server import Addresses
from domain.access import Role
from domain.access.operations import sha256_id
from domain.errors import DomainError
from domain.values import new_id
from tests.buckets import CREDENTIALS, bucket_server
from tests.clusters import copied
from tests.factories import access
from tests.factories.access import Tenant
from tests.installation import SCALE, Installation, refusal
from tests.serving import PATIENCE

BY = ("--as", "Admin@saffron.example")
NEW = (*BY, "--name", "Portal", "--role", "SALES_DIRECTOR", "--operation", "LeadBoard")


@pytest.fixture(scope="module")
def installation(blank: Path) -> Iterator[Installation]:
    """A small demo. The folder is not pytest's: as root, PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name, bucket_server() as buckets:
        buckets.make("velocity")
        made = Installation(
            Path(name) / "var",
            CREDENTIALS
            | {"VELOCITY_ASSET_STORE": "s3", "VELOCITY_ASSET_BUCKET": "velocity", "VELOCITY_ASSET_REGION": "us-east-1"}
            | {"VELOCITY_ASSET_ENDPOINT": buckets.endpoint, "VELOCITY_RECHECK_SECONDS": "0"},
        )
        copied(blank, made.server.directory)
        assert made.run("seed", "--scale", SCALE).returncode == 0
        assert len(buckets.keys("velocity")) == 27
        # Every command would start PostgreSQL and stop it again.
        with made.server:
            yield made


def made(installation: Installation, *arguments: str) -> tuple[str, str]:
    """The id and the secret that a command prints."""
    done = installation.run("api-key", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    found = re.fullmatch(r"key     (apikey_[0-9a-f-]{36})\nsecret  (vk_[\w-]{43})\n", done.stdout)
    assert found is not None, done.stdout
    return found[1], found[2]


def test_a_key_from_its_making_to_its_end(installation: Installation) -> None:
    with installation.serving() as serving, httpx.Client(base_url=serving.base, timeout=PATIENCE) as http:

        def sent(secret: str, name: str, **variables: Any) -> httpx.Response:
            body = {"documentId": name, "variables": variables}
            return http.post("/graphql", json=body, headers={"authorization": f"Bearer {secret}"})

        key, first = made(installation, "create", *NEW, "--operation", "Property", "--operation", "Properties")
        board = sent(first, "LeadBoard", first=3).json()
        assert len(board["data"]["leads"]["edges"]) == 3
        assert sent(first, "Viewer").json()["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"

        homes = sent(first, "Properties", first=20).json()["data"]["properties"]["edges"]
        pictures = [each["node"]["url"] for home in homes for each in home["node"]["media"]["edges"]]
        got = http.get(pictures[0], headers={"range": "bytes=1-3"})
        assert (got.status_code, got.content, got.headers["content-type"]) == (206, b"PNG", "image/png")

        _, second = made(installation, "rotate", key, *BY, "--overlap", "1h")
        assert [sent(secret, "LeadBoard", first=1).status_code for secret in (first, second)] == [200, 200]
        _, third = made(installation, "rotate", key, *BY)
        answers = [sent(secret, "LeadBoard", first=1).status_code for secret in (first, second, third)]
        assert answers == [401, 401, 200]

        listed = installation.run("api-key", "list", *BY).stdout
        assert re.fullmatch(rf"{key}  {third[:11]}…  good     used [0-9: -]{{16}}  SALES_DIRECTOR  Portal\n", listed)
        ended = installation.run("api-key", "revoke", key, *BY)
        assert ended.stdout == f"{key} is revoked. A process that trusts it asks again within 0 s.\n"
        assert sent(third, "LeadBoard", first=1).status_code == 401
        assert " revoked " in installation.run("api-key", "list", *BY).stdout
        assert refusal(installation.run("api-key", "rotate", key, *BY)) == "The API key is revoked, and stays so."

        swept = installation.run("sweep")
        assert (swept.returncode, swept.stdout.splitlines()) == (
            0,
            [
                "Removed 0 expired uploads and 0 old events.",
                "Removed 0 files that renders had left.",
                "Decided for 0 people what to do next.",
                "Finished 0 erasures and 0 sessions that nobody ended.",
                "Removed or untied 0 camera events, and removed 0 jobs of models.",
                "Told of 0 tasks that are due, and let 0 proposals expire.",
            ],
        )


@pytest.fixture
async def admin(owner_connection: "Connection[Record]", tenant: Tenant) -> str:
    """The address with which the fresh tenant's administrator signs in."""
    email = f"{tenant.id.hex}@admin.example"
    await access.password(owner_connection, tenant, tenant.users[Role.ADMIN], email=email, secret="any")
    return email


@pytest.fixture
def settings(database: Addresses, system: System) -> Settings:
    """A shell beside the shared system, on the same database."""
    return system.settings.model_copy(update={"database_url": database.app})


async def test_only_an_administrator_has_a_say(
    settings: Settings, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    email = f"{tenant.id.hex}@director.example"
    await access.password(owner_connection, tenant, tenant.users[Role.SALES_DIRECTOR], email=email, secret="any")
    for nobody in (email, f"nobody-{email}"):
        with pytest.raises(CannotContinue) as refused:
            await listed(settings, nobody)
        assert str(refused.value) == f"{nobody} is no active administrator."


async def test_a_key_of_what_is_not_registered_is_refused(
    settings: Settings, admin: str, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await access.operation(owner_connection, tenant, text="query Known { __typename }", name="Known")
    with pytest.raises(CannotContinue) as refused:
        await created(settings, admin, name="A", role=Role.ADMIN, operations=["Known", "Nothing"], lifetime=None)
    assert str(refused.value) == "Not registered: Nothing. `velocity operations list` says what is."
    assert await listed(settings, admin) == "There are no API keys."


async def test_a_name_means_its_newest_document_and_an_id_its_own(
    settings: Settings, admin: str, tenant: Tenant, owner_connection: "Connection[Record]", system: System
) -> None:
    texts = ["query Two { __typename }", "query Two { viewer { id } }", "query One { __typename }"]
    for text in texts:
        await access.operation(owner_connection, tenant, text=text, name=text.split()[1])
    given = ["Two", sha256_id(texts[2])]
    shown = await created(
        settings, admin, name="A", role=Role.JUNIOR_BROKER, operations=given, lifetime=timedelta(days=1)
    )
    caller = await system.callers.caller_for(shown.split()[-1])
    assert caller.operations == {sha256_id(texts[1]), sha256_id(texts[2])}
    assert (caller.tenant_id, caller.role, caller.user_id) == (tenant.id, Role.JUNIOR_BROKER, None)


async def test_an_id_that_is_none_and_a_key_that_is_missing(settings: Settings, admin: str) -> None:
    for work, refusal_ in (
        (revoked(settings, admin, "x"), "'x' is no key's id. `velocity api-key list` shows them."),
        (revoked(settings, admin, f"apikey_{new_id()}"), "There is no such record."),
        (
            rotated(settings, admin, f"apikey_{new_id()}", timedelta(days=31)),
            "An overlap is from 0 to 2592000 seconds.",
        ),
    ):
        with pytest.raises((CannotContinue, DomainError)) as refused:
            await work
        assert str(refused.value) == refusal_


def test_a_role_that_is_none() -> None:
    with pytest.raises(CannotContinue) as refused:
        role_named("BOSS")
    assert str(refused.value) == ("'BOSS' is no role. They are ADMIN, SALES_DIRECTOR, SENIOR_BROKER, JUNIOR_BROKER.")

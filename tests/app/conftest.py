"""Folders for installations of their own, object stores, and a demo as `velocity seed` leaves it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from asyncpg import Connection, Record

from app.assets.objects import object_store
from app.database import Database
from app.seeding import load_demo
from app.settings import Settings
from app.wiring import System, system
from domain.assets import ObjectStore
from domain.values import new_id
from tests.app.browser import Browser, Page, browsing
from tests.buckets import CREDENTIALS, BucketServer, bucket_server
from tests.clusters import copied, copied_server
from tests.installation import SCALE, Installation


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder. Not pytest's: each run closes its root to others, and as root PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def seeded(blank: Path) -> Iterator[Path]:
    """The data folder of an installation with a small demo, to be copied."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as name:
        copied(blank, Path(name) / "postgres")
        done = Installation(Path(name)).run("seed", "--scale", SCALE)
        assert done.returncode == 0, done.stderr
        yield Path(name)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser that a module's tests open tabs in."""
    with tempfile.TemporaryDirectory(prefix="velocity-", ignore_cleanup_errors=True) as profile:
        async with browsing(Path(profile)) as running:
            yield running


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A tab that nobody has used."""
    async with browser.tab() as tab:
        yield tab


@pytest.fixture(scope="session")
async def demo_system(blank: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system with a small demo, boards and all, on a server of its own."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("demo"))
    with copied_server(blank) as server:
        found = Database(server.addresses.app, server.addresses.owner, embedded=True)
        await load_demo(settings, found, 0.05)
        async with system(settings, found) as opened:
            yield opened


@pytest.fixture(scope="session")
def buckets() -> Iterator[BucketServer]:
    """A server that speaks S3."""
    with bucket_server() as running:
        yield running


@pytest.fixture(params=["disk", "s3"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, buckets: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ObjectStore]:
    """A store in a new folder, and one in a new bucket."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = new_id().hex
    buckets.make(bucket)
    settings = Settings(
        data_dir=tmp_path, asset_store=request.param, asset_bucket=bucket, asset_endpoint=buckets.endpoint,
        asset_region="us-east-1",
    )  # fmt: skip
    async with object_store(settings) as opened:
        opened.check()
        yield opened


@pytest.fixture
async def nobodys_jobs(owner_connection: "Connection[Record]") -> None:
    """End what other tests asked for and nobody did: a worker takes the jobs of every tenant."""
    await owner_connection.execute(
        "UPDATE slots SET job_id = NULL, job_tenant_id = NULL, lease_token = NULL, leased_at = NULL"
    )
    await owner_connection.execute(
        "UPDATE jobs SET status = 'CANCELLED', finished_at = now(), lease_token = NULL, leased_until = NULL"
        " WHERE status IN ('QUEUED', 'RUNNING')"
    )
    await owner_connection.execute("DELETE FROM pgqueuer.pgqueuer")

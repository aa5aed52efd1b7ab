"""Files of renders that nobody names, since a process was killed between keeping them and saying so: they are swept."""

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.outside.disk import DiskStore
from app.outside.s3 import S3Store
from db.renders import SqlLeftFiles
from db.roles import set_tenant
from domain import renders
from domain.jobs import Succeeded
from domain.renders import LEFT_AFTER
from tests.api import Api
from tests.app.test_gpu_walk import Site, leases_over, opened_site
from tests.app.test_renders import Studio, opened
from tests.buckets import CREDENTIALS, bucket_server
from tests.installation import refusal

LEASE_ENDS = "UPDATE jobs SET leased_until = now() - interval '1 ms' WHERE tenant_id = $1 AND id = $2"
OLD = "UPDATE render_files SET created_at = created_at - $2::interval WHERE tenant_id = $1"
LEFT = "SELECT object_key FROM render_files WHERE tenant_id = $1 ORDER BY object_key"


@pytest.fixture(params=["disk", "bucket"])
async def studio(
    request: pytest.FixtureRequest, tmp_path: Path, api: Api, owner_connection: "Connection[Record]",
    write_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Studio]:  # fmt: skip
    """A studio that keeps its files on a disk, and one that keeps them in a bucket."""
    if request.param == "disk":
        async with opened(tmp_path, api, owner_connection, write_engine) as made:
            yield made
        return
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with bucket_server() as server:
        server.make("renders")
        store = S3Store("renders", endpoint=server.endpoint, region="us-east-1")
        async with opened(tmp_path, api, owner_connection, write_engine, objects=store) as made:
            yield made
        await store.close()


async def swept(studio: Studio) -> int:
    """Sweep as the regular sweep does, now."""
    return await renders.sweep(SqlLeftFiles(studio.engine), studio.handler.objects, datetime.now(UTC))


@pytest.mark.usefixtures("nobodys_jobs")
async def test_files_of_an_attempt_that_is_over_are_swept_and_others_are_not(studio: Studio) -> None:
    kept_id, outcome = await studio.rendered()
    assert outcome == Succeeded()
    job_id = await studio.submitted()
    held = await studio.begun(job_id)
    left = [f"renders/{studio.tenant.id}/{job_id}/1/{name}" for name in ("1-small.webp", "1.png", "2.mp4")]
    async with held.unit() as unit:
        await unit.renders.announce(job_id, 1, left)
    # The last of them was announced and never came.
    for key in left[:2]:
        await studio.handler.objects.put(key, b"left", "image/png")

    young = await swept(studio)
    await set_tenant(studio.owner, studio.tenant.id)
    await studio.owner.execute(OLD, studio.tenant.id, LEFT_AFTER)
    under_way = await swept(studio)
    still = [await studio.handler.objects.size(key) for key in left]
    await set_tenant(studio.owner, studio.tenant.id)
    await studio.owner.execute(LEASE_ENDS, studio.tenant.id, job_id)
    over, again = await swept(studio), await swept(studio)

    assert (young, under_way, over, again) == (0, 0, 3, 0)
    assert still == [4, 4, None]
    assert [await studio.handler.objects.size(key) for key in left] == [None, None, None]
    (output,) = (await studio.shown(kept_id))["outputs"]
    assert await studio.content(output["url"])


async def test_what_was_half_written_goes_with_its_name(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    await store.put("renders/1.png", b"whole", "image/png")
    await store.put("renders/11.png", b"another", "image/png")
    half = tmp_path / "renders" / "1.png.0192.part"
    half.write_bytes(b"ha")
    await store.delete("renders/1.png")
    await store.delete("renders/none.png")

    assert [each.name for each in (tmp_path / "renders").iterdir()] == ["11.png"]


@pytest.fixture
async def site(folder: Path, blank: Path) -> AsyncIterator[Site]:
    async with opened_site(folder, blank) as made:
        yield made


async def test_what_a_killed_worker_left_is_swept(site: Site) -> None:
    """It is killed when its files are in the store and the rows that name them are about to be written."""
    site.model.killed = True
    await site.sign_in()
    owner = await asyncpg.connect(site.installation.server.addresses.owner)
    locked = owner.transaction()
    await locked.start()
    # Whoever reads goes on; the row of a result waits.
    await owner.execute("LOCK TABLE render_outputs IN EXCLUSIVE MODE")
    asked = {"photoUploadId": await site.uploaded(), "roomType": "KITCHEN", "keywords": ["oak"]}
    worker = site.start()
    job_id = (await site.ask("RenderSubmit", input=asked))["job"]["id"].removeprefix("job_")
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'render_outputs'::regclass AND NOT granted"
    async with asyncio.timeout(60):
        while not await owner.fetchval(waiting):
            assert worker.poll() is None, site.logs[-1].read_text()
    worker.send_signal(signal.SIGKILL)
    assert await asyncio.to_thread(worker.wait) == -signal.SIGKILL
    await locked.rollback()

    stored = sorted(each.name for each in site.installation.folder.rglob(f"assets/**/{job_id}/1/*"))
    tenant_id = await owner.fetchval("SELECT id FROM tenants")
    await set_tenant(owner, tenant_id)
    announced = [row[0].rpartition("/")[2] for row in await owner.fetch(LEFT, tenant_id)]
    await owner.execute(OLD, tenant_id, LEFT_AFTER)
    # Its lease has to end first, which no other worker has to see to.
    await leases_over(site)
    done = await asyncio.to_thread(site.installation.run, "sweep")

    assert stored == announced == ["1-small.webp", "1.png", "photo-small.webp"]
    assert done.returncode == 0, refusal(done)
    assert "Removed 3 files that renders had left." in done.stdout
    assert not [each for each in site.installation.folder.rglob(f"assets/**/{job_id}/1/*") if each.is_file()]
    # The next attempt makes it all anew.
    site.start()
    async with asyncio.timeout(60):
        while (job := await site.ask("RenderJob", id=f"job_{job_id}"))["status"] != "SUCCEEDED":
            assert site.workers[-1].poll() is None, site.logs[-1].read_text()
    assert (job["attempt"], len(job["outputs"])) == (2, 1)
    assert await owner.fetch(LEFT, tenant_id) == []
    await owner.close()

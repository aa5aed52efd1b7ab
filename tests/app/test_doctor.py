"""`velocity doctor`: each thing that can be wrong is found, with what to do about it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asyncpg import Connection, Record

from app.commands import doctor
from app.commands.doctor import Finding, examine, report
from app.settings import Settings
from db.engine import BRIEF_SETTINGS, ReadPool
from db.inference.sightings import SqlSightings
from db.migrations import newest_revision
from db.roles import OWNER
from db.server import PostgresServer
from domain.access import Role
from domain.audit import AuditAction, Change
from domain.inference import CircuitState, ProviderKind, Sighting
from prompts.loading import SHIPPED
from tests.api import Api
from tests.buckets import CREDENTIALS, bucket_server
from tests.comfy.server import fake_comfy
from tests.factories import jobs
from tests.factories.access import Tenant
from tests.fake_llm import FakeLlm
from tests.installation import Installation

KEY = "a-signing-key-of-more-than-32-characters"


@pytest.fixture
def settings(folder: Path, app_dsn: str, owner_dsn: str, nobodys_jobs: None) -> Settings:
    """Settings with nothing wrong, on the tests' database, in which nothing waits."""
    return Settings(data_dir=folder, database_url=app_dsn, database_owner_url=owner_dsn, signing_key=KEY)


async def wrong(settings: Settings, *, audit: bool = False) -> list[Finding]:
    return [finding for finding in await examine(settings, audit=audit) if finding.mend]


async def test_nothing_is_wrong(settings: Settings) -> None:
    found = [(finding.part, finding.state) for finding in await examine(settings, audit=False)]
    assert found[:-1] == [
        ("data folder", str(settings.data_dir)),
        ("asset store", f"{settings.assets}; the first file will make it"),
        ("signing key", "from the environment"),
        ("web pages", "built"),
        ("prompts", "5 of this release"),
        ("schema", "agrees with the database layer"),
        ("models", "none configured; work for models fails as UNAVAILABLE. See docs/gpu.md"),
        ("renders", doctor.NO_RENDERS),
        ("owner", "answers"),
        ("database", "configured, PostgreSQL 18.0"),
        ("migrations", f"at {newest_revision()}"),
    ]
    assert [part for part, _ in found[-1:]] == ["jobs"]
    assert await wrong(settings) == []


def test_a_fresh_machine_is_left_as_it_is(folder: Path) -> None:
    installation = Installation(folder / "var")
    done = installation.run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ database     embedded; `velocity serve` will set it up\n" in done.stdout
    assert "✓ signing key  will be made at the first start\n" in done.stdout
    assert not installation.folder.exists()


def test_a_fault_fails_the_command(folder: Path) -> None:
    (folder / "demo.password").write_text("secret")
    (folder / "demo.password").chmod(0o644)
    done = Installation(folder).run("doctor")
    assert done.returncode == 1
    assert (
        f"✗ demo.password  may be read by others\n                 → Run `chmod 600 {folder}/demo.password`.\n"
        in done.stdout
    )


def test_a_report_lines_up() -> None:
    assert report([Finding("a", "well"), Finding("longer", "ill", "Mend it.")]) == (
        "✓ a       well\n✗ longer  ill\n          → Mend it."
    )


async def test_secrets_that_others_may_read(settings: Settings) -> None:
    for name in ("signing.key", "demo.password"):
        path = settings.data_dir / name
        path.write_text(KEY)
        path.chmod(0o640)
    assert await wrong(settings) == [
        Finding(name, "may be read by others", f"Run `chmod 600 {settings.data_dir / name}`.")
        for name in ("signing.key", "demo.password")
    ]


async def test_a_weak_signing_key(settings: Settings) -> None:
    [finding] = await wrong(settings.model_copy(update={"signing_key": "short"}))
    assert (finding.part, finding.state) == ("signing key", "VELOCITY_SIGNING_KEY is not usable")
    assert "32 characters" in finding.mend
    assert "short" not in finding.mend


async def test_a_data_folder_that_is_no_folder(settings: Settings) -> None:
    (settings.data_dir / "file").touch()
    found = await wrong(settings.model_copy(update={"data_dir": settings.data_dir / "file"}))
    assert found[0].part == "data folder"
    assert found[0].mend.endswith("Make it writable, or set VELOCITY_DATA_DIR.")


async def test_pages_that_are_not_built(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PAGES", folder / "pages")
    assert await wrong(settings) == [
        Finding("web pages", "not built", "Run `make run`, or `npm ci && npm run build` in graph/pages.")
    ]


async def test_prompts_of_ones_own(settings: Settings, folder: Path) -> None:
    own = folder / "prompts"
    own.mkdir()
    text = (SHIPPED / "risk_analyzer.md").read_text()
    (own / "risk_analyzer.md").write_text(text.replace('version = "1"', 'version = "night"'))
    settings = settings.model_copy(update={"prompts_dir": own})
    assert Finding("prompts", f"5, 1 of them from {own}") in await examine(settings, audit=False)
    (own / "risk_analyzer.md").write_text(text.replace("{{camera}}", "Gate 2"))
    assert await wrong(settings) == [
        Finding("prompts", "cannot be used", f"{own}/risk_analyzer.md: the variable `camera` is never used.")
    ]


async def test_a_schema_that_the_database_layer_does_not_keep(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.wiring.disagreements", lambda *_: ["leads.budget"])
    assert await wrong(settings) == [Finding("schema", "declares what the database layer lacks", "leads.budget")]


async def test_a_missing_owner(settings: Settings) -> None:
    assert await wrong(settings.model_copy(update={"database_owner_url": None})) == [
        Finding("owner", "not configured", "Set DATABASE_OWNER_URL for migrations and backups.")
    ]


async def test_a_database_that_does_not_answer(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"database_url": "postgresql://somebody:hidden@127.0.0.1:1/velocity"})
    [finding] = await wrong(nowhere)
    assert (finding.part, finding.state) == ("database", "not usable")
    assert finding.mend.endswith("Start the server, or correct DATABASE_URL.")
    assert "hidden" not in finding.mend


async def test_a_folder_of_assets(settings: Settings) -> None:
    settings.assets.mkdir()
    findings = await examine(settings, audit=False)
    assert Finding("asset store", f"{settings.assets} takes files") in findings
    assert list(settings.assets.iterdir()) == []

    settings.assets.rmdir()
    settings.assets.touch()
    [finding] = await wrong(settings)
    assert (finding.part, finding.state) == ("asset store", f"{settings.assets} takes no files")
    assert finding.mend.startswith("The asset folder cannot be written: ")
    assert finding.mend.endswith(". Let this user write there, or set VELOCITY_DATA_DIR.")


async def test_a_bucket_of_assets(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in CREDENTIALS.items():
        monkeypatch.setenv(name, secret)
    unnamed = settings.model_copy(update={"asset_store": "s3", "asset_region": "us-east-1"})
    [finding] = await wrong(unnamed)
    assert finding.mend.startswith("The asset store is s3, and VELOCITY_ASSET_BUCKET names no bucket. Compare ")
    malformed = unnamed.model_copy(update={"asset_bucket": "files", "asset_endpoint": "user:hidden"})
    [finding] = await wrong(malformed)
    assert finding.mend.startswith("VELOCITY_ASSET_ENDPOINT is no address. Compare ")
    with bucket_server() as buckets:
        bucket = malformed.model_copy(update={"asset_endpoint": buckets.endpoint})
        [finding] = await wrong(bucket)
        assert (finding.part, finding.state) == ("asset store", "bucket files takes no files")
        assert finding.mend.startswith("The asset store's bucket files refused: NoSuchBucket. Compare ")
        buckets.make("files")
        assert Finding("asset store", "bucket files takes files") in await examine(bucket, audit=False)
        assert buckets.keys("files") == []


@pytest.fixture
async def behind(superuser_connection: "Connection[Record]") -> AsyncIterator[None]:
    """The database as it was one revision ago, as far as it says."""
    await superuser_connection.execute("UPDATE alembic_version SET version_num = 'foundation'")
    yield
    await superuser_connection.execute("UPDATE alembic_version SET version_num = $1", newest_revision())


async def test_models_that_answer_that_do_not_and_that_are_not_there(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "nvapi-topsecret-123")
    async with FakeLlm(ProviderKind.OLLAMA).serving() as fake:
        entries = [("good", fake.url, "m1"), ("lacking", fake.url, "m7"), ("gone", "http://127.0.0.1:9", "m1")]
        text = "".join(
            f'[[providers]]\nname = "{name}"\nkind = "OLLAMA"\nurl = "{url}"\nmodel = "{model}"\n'
            'key_variable = "SOME_KEY"\n'
            for name, url, model in entries
        )
        path = folder / "models.toml"
        path.write_text(text)
        given = settings.model_copy(update={"inference_settings": path})
        found = [each for each in await examine(given, audit=False) if each.part == "models"]
    assert found == [
        Finding("models", f"good: OLLAMA at {fake.url}, on-premise, answers; m1"),
        Finding(
            "models",
            f"lacking: OLLAMA at {fake.url}, on-premise, answers; m7",
            "It does not list m7: install it there, or name one that it lists.",
        ),
        Finding(
            "models",
            "gone: OLLAMA at http://127.0.0.1:9, on-premise: it cannot be reached",
            "Start it there, or set its `url` or VELOCITY_INFERENCE_GONE_URL. Is the key in SOME_KEY still good?",
        ),
    ]


async def test_what_models_lack_and_who_is_asked_for_nothing_is_named(settings: Settings, folder: Path) -> None:
    async with FakeLlm(ProviderKind.VLLM).serving() as fake:
        path = folder / "models.toml"
        path.write_text(
            f'[[providers]]\nname = "near"\nkind = "VLLM"\nurl = "{fake.url}"\nmodel = "m1"\nfallback_model = "m7"\n'
            'models = ["m2", "m8"]\n'
            f'[[providers]]\nname = "off"\nkind = "VLLM"\nurl = "{fake.url}"\nmodel = "m1"\nenabled = false\n'
            '[[providers]]\nname = "far"\nkind = "NVIDIA"\nurl = "https://127.0.0.1:9"\nmodel = "m1"\n'
            '[[rules]]\ntasks = ["CHAT", "LEAD_TAGGER"]\nproviders = ["off"]\n'
            '[[rules]]\nproviders = ["near"]\n'
        )
        found = await wrong(settings.model_copy(update={"inference_settings": path}))
    assert found == [
        Finding(
            "models",
            f"near: VLLM at {fake.url}, on-premise, answers; m1",
            "It does not list m7 and m8: install them there, or name some that it lists.",
        ),
        Finding(
            "models",
            "far: NVIDIA at https://127.0.0.1:9, hosted: it cannot be reached",
            "It has no key: name the variable that has it by `key_variable`.",
        ),
        Finding("models", "nobody is asked for CHAT, LEAD_TAGGER: rule 1 names off, switched off", doctor.MEND_RULE),
    ]


async def test_a_provider_that_a_running_process_leaves_alone_is_told_of(settings: Settings, app_dsn: str) -> None:
    pool = await ReadPool.open(app_dsn, size=1, settings=BRIEF_SETTINGS)
    worker = SqlSightings(pool)
    await worker.tell([Sighting("left-alone", CircuitState.OPEN, 60.0, failed=5), Sighting("busy", answered=2)])
    told = [each for each in await examine(settings, audit=False) if "left alone" in each.state]
    await worker.tell([])
    await pool.close()
    state = "left-alone: left alone for a while by 1 of the running processes, because it kept failing"
    assert [each for each in told if each.state.startswith("left-alone")] == [Finding("models", state)]


async def test_models_that_are_not_configured_as_they_have_to_be(settings: Settings, folder: Path) -> None:
    missing = folder / "missing.toml"
    [finding] = await wrong(settings.model_copy(update={"inference_settings": missing}))
    assert (finding.part, finding.state) == ("models", "not usable")
    assert finding.mend.endswith(f"{missing}: there is no such file; make it, or unset VELOCITY_INFERENCE_SETTINGS.")


@pytest.mark.usefixtures("behind")
async def test_missing_migrations(settings: Settings) -> None:
    state = f"at foundation; this release needs {newest_revision()}"
    assert await wrong(settings) == [Finding("migrations", state, "Run `velocity migrate`.")]


async def test_a_role_that_may_too_much(settings: Settings, server: PostgresServer) -> None:
    found = await wrong(settings.model_copy(update={"database_url": server.addresses.superuser}))
    assert Finding("roles", "wrong", "The role postgres has BYPASSRLS.") in found
    assert {finding.part for finding in found} == {"roles"}
    assert all(OWNER not in finding.mend for finding in found)


async def test_an_audit_chain_that_somebody_changed(
    settings: Settings, api: Api, tenant: Tenant, superuser_connection: "Connection[Record]"
) -> None:
    caller = tenant.caller(Role.SALES_DIRECTOR)
    async with api.system.units.write(caller) as unit:
        unit.record(Change(action=AuditAction.UPDATE, event="UserUpdated", noun="users", id=caller.as_user()))
    assert [finding for finding in await wrong(settings, audit=True) if str(tenant.id) in finding.state] == []

    async with superuser_connection.transaction():
        await superuser_connection.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_are_final")
        await superuser_connection.execute("UPDATE audit_entries SET action = 'DELETE' WHERE tenant_id = $1", tenant.id)
        await superuser_connection.execute("ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_are_final")
    [finding] = [finding for finding in await wrong(settings, audit=True) if str(tenant.id) in finding.state]
    assert (finding.part, finding.state) == ("audit chain", f"tenant {tenant.id}: broken at 1")


async def test_render_workers_say_how_they_are_and_what_they_lack(settings: Settings, tmp_path: Path) -> None:
    async with fake_comfy(tmp_path) as fake:
        fake.model("checkpoints/sd_xl_base_1.0.safetensors")
        fake.model("controlnet/control-lora-canny-rank256.safetensors")
        nowhere = "right=http://127.0.0.1:9"
        urls = (f"left={fake.url}", nowhere)
        found = {
            finding.part: finding
            for finding in await examine(settings.model_copy(update={"comfyui_urls": urls}), audit=False)
            if finding.part.startswith("render")
        }
    assert {part: (finding.state, finding.mend) for part, finding in found.items()} == {
        "render worker left": (
            f"{fake.url}, ComfyUI 0.38.1, cuda:0 NVIDIA L4, 20000 of 23000 MiB free, 0 running or waiting", "",
        ),
        "render worker right": (
            "http://127.0.0.1:9 is not usable: It does not answer (ConnectError).", doctor.MEND_WORKER,
        ),
        "render STAGING": ("can be made by left", ""),
        "render IMAGE_TO_VIDEO": (
            ("cannot be made: left lacks models/diffusion_models/wan2.2_ti2v_5B_fp16.safetensors,"
            " models/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors, models/vae/wan2.2_vae.safetensors"),
            doctor.MEND_MODELS,
        ),
        "render POSTER": (
            ("cannot be made: left lacks models/diffusion_models/qwen_image_edit_fp8_e4m3fn.safetensors,"
            " models/text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors, models/vae/qwen_image_vae.safetensors"),
            doctor.MEND_MODELS,
        ),
    }  # fmt: skip


async def test_a_workflow_of_the_operator_s_that_cannot_be_used_is_found(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "poster.json").write_text("{}")
    found = await wrong(settings.model_copy(update={"render_workflows": tmp_path}))
    assert [(finding.part, finding.state, finding.mend) for finding in found] == [
        ("renders", "a workflow is not usable", "VELOCITY_RENDER_WORKFLOWS: poster.json: title: Field required.")
    ]


async def test_work_that_nobody_does_is_found(
    settings: Settings, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    def states(finding: Finding) -> list[str]:
        return [part.split(":")[0] for part in finding.state.split("; ")]

    [found] = [finding for finding in await examine(settings, audit=False) if finding.part == "jobs"]
    assert states(found) == ["inference", "render"]
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    job_id = await jobs.job(owner_connection, tenant, kind="RENDER", requested_by=tenant.outsider, created_at=long_ago)
    # Those of other tests, which ended meanwhile.
    await owner_connection.execute(
        "UPDATE jobs SET finished_at = finished_at - interval '1 hour' WHERE finished_at > now() - interval '1 hour'"
    )
    [found] = [finding for finding in await examine(settings, audit=False) if finding.part == "jobs"]
    assert "Nobody does render" in found.mend
    assert re.search(r"render: \d+ wait, the oldest for \d{4,} s, \d+ run", found.state)
    await owner_connection.execute("DELETE FROM jobs WHERE tenant_id = $1 AND id = $2", tenant.id, job_id)

"""What `velocity doctor` says: what is configured, what is missing, and how to mend it."""

from __future__ import annotations

import stat
from collections import Counter as Tally
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app.access.tokens import signing_keys
from app.asgi import PAGES
from app.assets.objects import object_store
from app.database import Database, check_answers, database, embedded_server, prepare_folder
from app.failures import CannotContinue, explanation
from app.inference import examine_providers, inference_settings
from app.prompts import is_shipped
from app.renders import WorkflowsWrong, render_pool
from app.settings import Settings
from app.wiring import DeclarationsDisagree, proven_schema
from db.audit.chain import broken_links
from db.canvases.chain import broken_revisions
from db.engine import BRIEF_SETTINGS, ReadPool, create_write_engine
from db.inference.sightings import SqlSightings
from db.jobs.queue import Waiting, waiting
from db.migrations import current_revision, newest_revision
from db.roles import role_faults
from domain.errors import Unavailable
from domain.inference import CircuitState, InferenceTask, ProviderStatus
from domain.jobs import RenderWorkflow
from domain.values import new_id
from gpu.inference.probing import Found
from gpu.inference.settings import HOSTED, InferenceSettings, ProviderSettings, variable
from gpu.renders.pool import ComfyPool, WorkerHealth
from prompts.loading import read_prompts

SECRET_MODE = 0o600
MIB = 1024 * 1024
MEND_WORKER = "Start it with `--listen` on an address that this machine reaches, or change COMFYUI_URLS."
MEND_MODELS = "Put the files into the folders of that ComfyUI, or change the workflow (docs/gpu.md)."
MEND_DISK = "Let this user write there, or set VELOCITY_DATA_DIR."
MEND_S3 = (
    "Compare VELOCITY_ASSET_BUCKET, VELOCITY_ASSET_ENDPOINT, VELOCITY_ASSET_REGION and the credentials"
    " with what the store has; they have to allow writing and deleting."
)

MEND_RULE = "Name another provider in that rule, or switch one of these on (docs/gpu.md)."
NO_RENDERS = (
    "no worker configured: COMFYUI_URLS names none; renders fail as NO_WORKERS."
    " Set it where a worker of the queue `render` runs (docs/gpu.md)"
)
LONG_WAIT_SECONDS = 300
MEND_JOBS = "run `velocity worker`, or let `velocity serve` work (VELOCITY_WORKER). If one runs, its log says why."


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mend` is empty where all is well."""

    part: str
    state: str
    mend: str = ""


def report(findings: list[Finding]) -> str:
    """Return the findings as lines, each fault followed by what to do."""
    width = max(len(finding.part) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{'✗' if finding.mend else '✓'} {finding.part:<{width}}  {finding.state}")
        if finding.mend:
            lines.append(f"  {'':<{width}}  → {finding.mend}")
    return "\n".join(lines)


async def examine(settings: Settings, *, audit: bool) -> list[Finding]:
    """Look at everything. Nothing stays changed, but the embedded server is started where it was set up before."""
    findings = [
        _folder(settings),
        await _assets(settings),
        *_secrets(settings),
        _pages(PAGES),
        _prompts(settings),
        _schema(),
    ]
    findings += await _models(settings)
    findings += await _renders(settings)
    if settings.database_url is None and not (embedded_server(settings).cluster / "PG_VERSION").exists():
        return [*findings, Finding("database", "embedded; `velocity serve` will set it up")]
    try:
        async with database(settings) as found:
            findings += await _database(found)
            if audit:
                findings += [*await _audit(found), *await _canvases(found)]
    except Exception as error:
        line = explanation(error)
        if line is None:
            raise
        findings.append(Finding("database", "not usable", line))
    return findings


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir.absolute()
    if not folder.exists():
        return Finding("data folder", f"{folder}; `velocity serve` will make it")
    try:
        prepare_folder(folder)
    except CannotContinue as error:
        return Finding("data folder", f"{folder} is not writable", str(error))
    return Finding("data folder", str(folder))


async def _assets(settings: Settings) -> Finding:
    """Keep a file and remove it again: whether a store takes files, only a file shows."""
    disk, folder = settings.asset_store == "disk", settings.assets.absolute()
    where = str(folder) if disk else f"bucket {settings.asset_bucket}"
    if disk and not folder.exists():
        return Finding("asset store", f"{where}; the first file will make it")
    key = f"doctor-{new_id()}.txt"
    try:
        async with object_store(settings) as store:
            store.check()
            await store.put(key, b"Written by `velocity doctor`.", "text/plain")
            await store.delete(key)
    except (Unavailable, ValueError) as error:
        # The store's own words for a malformed address would repeat it, and there may be a password in it.
        said = error.message if isinstance(error, Unavailable) else "VELOCITY_ASSET_ENDPOINT is no address."
        return Finding("asset store", f"{where} takes no files", f"{said} {MEND_DISK if disk else MEND_S3}")
    return Finding("asset store", f"{where} takes files")


async def _models(settings: Settings) -> list[Finding]:
    """Ask every provider how it is; what it answers with is its own words, without keys and addresses."""
    try:
        found = inference_settings(settings)
    except CannotContinue as error:
        return [Finding("models", "not usable", str(error).replace("\n", "; "))]
    if not found.providers:
        return [Finding("models", "none configured; work for models fails as UNAVAILABLE. See docs/gpu.md")]
    findings = []
    for provider, state in await examine_providers(found):
        where = (
            f"{provider.name}: {provider.kind.name} at {provider.root}, {'on-premise' if provider.stays else 'hosted'}"
        )
        if not provider.enabled:
            findings.append(Finding("models", f"{where}; switched off in the file"))
        elif state.status is ProviderStatus.HEALTHY:
            findings.append(Finding("models", f"{where}, answers; {provider.model}", _mend_models(provider, state)))
        else:
            findings.append(Finding("models", f"{where}: {state.reason}", _mend_provider(provider)))
    return findings + [
        Finding("models", f"nobody is asked for {', '.join(tasks)}: {reason}", MEND_RULE)
        for reason, tasks in _unserved(found).items()
    ]


def _mend_models(provider: ProviderSettings, state: Found) -> str:
    """Name the models that a provider is to have and does not list; one that lists none says nothing of them."""
    wanted = [provider.model, provider.fallback_model, *provider.models]
    listed = {each.name for each in state.models}
    lacking = [name for name in dict.fromkeys(wanted) if name is not None and listed and name not in listed]
    if not lacking:
        return ""
    several = len(lacking) > 1
    return (
        f"It does not list {' and '.join(lacking)}: install {'them' if several else 'it'} there,"
        f" or name {'some' if several else 'one'} that it lists."
    )


def _unserved(found: InferenceSettings) -> dict[str, list[str]]:
    """Return the tasks for which nobody is asked, by the reason: all whom a rule names are switched off."""
    enabled = {each.name for each in found.providers if each.enabled}
    tasks: dict[str, list[str]] = {}
    for task in InferenceTask:
        number, rule = next(
            (
                (number, each)
                for number, each in enumerate(found.rules, start=1)
                if task in (each.tasks or InferenceTask)
            ),
            (0, None),
        )
        if rule is not None and not enabled & set(rule.providers):
            reason = f"rule {number} names {', '.join(rule.providers)}, switched off"
            tasks.setdefault(reason, []).append(task.name)
    return tasks


def _mend_provider(provider: ProviderSettings) -> str:
    url = variable(provider.name, "URL")
    key = "" if provider.key is None else f" Is the key in {provider.key_variable or 'its file'} still good?"
    if provider.kind in HOSTED and provider.key is None:
        return "It has no key: name the variable that has it by `key_variable`."
    return f"Start it there, or set its `url` or {url}.{key}"


def _secrets(settings: Settings) -> list[Finding]:
    key, password = settings.data_dir / "signing.key", settings.data_dir / "demo.password"
    findings = [
        Finding(path.name, "may be read by others", f"Run `chmod 600 {path}`.")
        for path in (key, password)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) != SECRET_MODE
    ]
    if settings.signing_key is None and not key.exists():
        return [*findings, Finding("signing key", "will be made at the first start")]
    try:
        signing_keys(settings.signing_key or key.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        where = "VELOCITY_SIGNING_KEY" if settings.signing_key else str(key)
        return [*findings, Finding("signing key", f"{where} is not usable", str(error))]
    return [*findings, Finding("signing key", "from the environment" if settings.signing_key else str(key))]


def _pages(pages: Path) -> Finding:
    if all((pages / f"{name}.html").exists() for name in ("graphiql", "live")):
        return Finding("web pages", "built")
    return Finding("web pages", "not built", "Run `make run`, or `npm ci && npm run build` in graph/pages.")


def _prompts(settings: Settings) -> Finding:
    prompts, faults = read_prompts(settings.prompts_dir)
    if faults:
        return Finding("prompts", "cannot be used", " ".join(faults))
    own = sum(not is_shipped(prompt) for prompt in prompts.values())
    where = f", {own} of them from {settings.prompts_dir}" if own else " of this release"
    return Finding("prompts", f"{len(prompts)}{where}")


def _schema() -> Finding:
    try:
        proven_schema()
    except DeclarationsDisagree as error:
        return Finding("schema", "declares what the database layer lacks", str(error))
    return Finding("schema", "agrees with the database layer")


async def _renders(settings: Settings) -> list[Finding]:
    """Say how each worker is, and for each workflow who can make it; where no worker is configured, what is missing."""
    try:
        async with render_pool(settings) as pool:
            if not pool.names:
                return [Finding("renders", NO_RENDERS)]
            findings = [_worker(health) for health in await pool.health()]
            return findings + [await _workflow(pool, workflow) for workflow in RenderWorkflow]
    except WorkflowsWrong as error:
        return [Finding("renders", "a workflow is not usable", str(error))]


def _worker(health: WorkerHealth) -> Finding:
    part = f"render worker {health.name}"
    if health.vitals is None:
        return Finding(part, f"{health.url} is not usable: {health.problem}", MEND_WORKER)
    vitals = health.vitals
    memory = f"{vitals.vram_free // MIB} of {vitals.vram_total // MIB} MiB free" if vitals.vram_total else "no GPU"
    return Finding(
        part, f"{health.url}, ComfyUI {vitals.version}, {vitals.device}, {memory}, {health.load} running or waiting"
    )


async def _workflow(pool: ComfyPool, workflow: RenderWorkflow) -> Finding:
    part = f"render {workflow.name}"
    found = await pool.lacking(workflow)
    if able := [name for name, missing in found.items() if not missing]:
        return Finding(part, f"can be made by {', '.join(able)}")
    lacks = "; ".join(f"{name} lacks {', '.join(missing)}" for name, missing in found.items())
    return Finding(part, f"cannot be made: {lacks or 'no worker answers'}", MEND_MODELS if found else MEND_WORKER)


async def _database(found: Database) -> list[Finding]:
    findings = []
    if found.owner_or_none is None:
        findings.append(Finding("owner", "not configured", "Set DATABASE_OWNER_URL for migrations and backups."))
    else:
        await check_answers(found.owner_or_none, "DATABASE_OWNER_URL")
        findings.append(Finding("owner", "answers"))
    await check_answers(found.app, "DATABASE_URL")
    connection = await asyncpg.connect(found.app)
    try:
        version = connection.get_server_version()
        findings.append(
            Finding(
                "database",
                f"{'embedded' if found.embedded else 'configured'}, PostgreSQL {version.major}.{version.minor}",
            )
        )
        revision, wanted = await current_revision(connection), newest_revision()
        if revision == wanted:
            findings.append(Finding("migrations", f"at {wanted}"))
            findings.append(await _jobs(found))
            findings += await _circuits(found)
            findings += [Finding("roles", "wrong", fault) for fault in await role_faults(connection)]
        else:
            state = f"at {revision or 'none'}; this release needs {wanted}"
            findings.append(Finding("migrations", state, "Run `velocity migrate`."))
    finally:
        await connection.close()
    return findings


async def _circuits(found: Database) -> list[Finding]:
    """Say which providers running processes leave alone now: that passes by itself, unless they go on failing."""
    pool = await ReadPool.open(found.app, size=1, settings=BRIEF_SETTINGS)
    try:
        seen = await SqlSightings(pool).others()
    finally:
        await pool.close()
    left = Tally(each.provider for each in seen if each.circuit is not CircuitState.CLOSED)
    return [
        Finding(
            "models", f"{name}: left alone for a while by {count} of the running processes, because it kept failing"
        )
        for name, count in sorted(left.items())
    ]


async def _jobs(found: Database) -> Finding:
    """Look at what waits. Work that has waited for long while none runs and none ends is work that nobody does."""
    engine = create_write_engine(found.app, size=1)
    try:
        queues = await waiting(engine)
    finally:
        await engine.dispose()
    state = "; ".join(_queue(queue) for queue in queues)
    left = [
        queue.name.lower()
        for queue in queues
        if queue.depth and queue.oldest_seconds > LONG_WAIT_SECONDS and not queue.running + queue.finished_per_minute
    ]
    return Finding("jobs", state, f"Nobody does {' or '.join(left)}: {MEND_JOBS}" if left else "")


def _queue(queue: Waiting) -> str:
    oldest = f", the oldest for {queue.oldest_seconds:.0f} s" if queue.depth else ""
    running = f"{queue.running} run, {queue.finished_per_minute:g} end a minute"
    return f"{queue.name.lower()}: {queue.depth} wait{oldest}, {running}"


async def _audit(found: Database) -> list[Finding]:
    broken = [
        Finding("audit chain", f"tenant {link.tenant_id}: broken at {link.sequence}", link.reason)
        async for link in broken_links(found.owner)
    ]
    return broken or [Finding("audit chain", "every tenant's chain verifies")]


async def _canvases(found: Database) -> list[Finding]:
    broken = [
        Finding("canvases", f"tenant {each.tenant_id}: revision {each.revision_id} is broken", each.reason)
        async for each in broken_revisions(found.owner)
    ]
    return broken or [Finding("canvases", "every revision verifies")]

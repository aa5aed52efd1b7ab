"""What `velocity doctor` says: what is configured, what is missing, and how to mend it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from app.asgi import PAGES
from app.database import Database, SettingMissing, database
from app.settings import Settings
from app.wiring import DeclarationsDisagree, proven_schema
from db.audit_chain import broken_links
from db.migrations import current_revision, newest_revision
from db.roles import role_faults
from db.server import ServerFailed

OLDEST_SERVER = 160_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mend` is empty where all is well."""

    part: str
    state: str
    mend: str = ""


async def examine(settings: Settings, *, audit: bool) -> int:
    """Print the report; return 0 when nothing is missing."""
    findings = [*_files(settings), _schema()]
    try:
        async with database(settings) as found:
            findings += await _database(found)
            if audit:
                findings += await _audit(found)
    except (SettingMissing, ServerFailed, OSError, asyncpg.PostgresError) as error:
        findings.append(Finding("database", "not reachable", str(error)))
    table = Table("Part", "State", "What to do")
    for finding in findings:
        table.add_row(finding.part, finding.state, finding.mend)
    Console().print(table)
    return 1 if any(finding.mend for finding in findings) else 0


def _files(settings: Settings) -> list[Finding]:
    findings = [Finding("data folder", str(settings.data_dir.resolve()))]
    for name in ("signing.key", "demo.password"):
        path = settings.data_dir / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) != 0o600:
            findings.append(Finding(name, "others may read it", f"chmod 600 {path}"))
    if settings.signing_key is None and not (settings.data_dir / "signing.key").exists():
        findings.append(Finding("signing key", "will be made at the first start"))
    if os.access(settings.data_dir, os.W_OK) is False and settings.data_dir.exists():
        findings.append(Finding("data folder", "not writable", f"Make {settings.data_dir} writable."))
    findings.append(_pages(PAGES))
    return findings


def _pages(pages: Path) -> Finding:
    if (pages / "graphiql.html").exists():
        return Finding("web pages", "built")
    return Finding("web pages", "not built", "Run `make run`, or `npm ci && npm run build` in graph/pages.")


def _schema() -> Finding:
    try:
        proven_schema()
    except DeclarationsDisagree as error:
        return Finding("schema", "declares what the database layer lacks", str(error))
    return Finding("schema", "agrees with the database layer")


async def _database(found: Database) -> list[Finding]:
    connection = await asyncpg.connect(found.app)
    try:
        version = await connection.fetchval("SELECT current_setting('server_version_num')::int")
        revision = await current_revision(connection)
        faults = await role_faults(connection)
    finally:
        await connection.close()
    findings = [Finding("database", f"{'embedded' if found.embedded else 'configured'}, version {version}")]
    if version < OLDEST_SERVER:
        findings.append(Finding("database", f"version {version} is too old", "Use PostgreSQL 16 or newer."))
    wanted = newest_revision()
    mend = "" if revision == wanted else "Run `velocity migrate`."
    findings.append(Finding("migrations", f"at {revision}, newest {wanted}", mend))
    if found.owner_or_none is None:
        findings.append(Finding("owner", "not configured", "Set DATABASE_OWNER_URL for migrations and backups."))
    return findings + [Finding("roles", "wrong", fault) for fault in faults]


async def _audit(found: Database) -> list[Finding]:
    broken = [
        Finding("audit chain", f"tenant {link.tenant_id}: broken at {link.sequence}", link.reason)
        async for link in broken_links(found.owner)
    ]
    return broken or [Finding("audit chain", "every tenant's chain verifies")]

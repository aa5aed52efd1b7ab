"""One file with everything: the database as `pg_dump` writes it, and the asset folder."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import asyncpg

from app.database import database
from app.settings import Settings
from db.migrations import newest_revision
from db.roles import ensure_roles
from db.server import programs

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
ASSETS: Final = "assets"
FORMAT: Final = 1


class BackupFailed(Exception):
    """A program of PostgreSQL refused. The message is its own."""


async def backup(settings: Settings, file: Path) -> None:
    """Write a backup. It appears under its name only when it is whole; raises BackupFailed."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        dump, written = Path(folder) / DUMP, Path(folder) / "backup"
        async with database(settings) as found:
            await _program("pg_dump", "--format=custom", "--no-owner", f"--file={dump}", found.owner)
        await asyncio.to_thread(_pack, written, dump, settings.assets)
        written.chmod(0o600)
        written.replace(file)


async def restore(settings: Settings, file: Path) -> None:
    """Replace the database, in one transaction, and then the assets; raises BackupFailed with nothing changed."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as name:
        folder = Path(name)
        await asyncio.to_thread(_unpack, file, folder)
        async with database(settings) as found:
            owner = await asyncpg.connect(found.owner)
            try:
                await ensure_roles(owner)
            finally:
                await owner.close()
            await _program(
                "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error",
                f"--dbname={found.owner}", str(folder / DUMP),
            )  # fmt: skip
        (folder / ASSETS).mkdir(exist_ok=True)
        if settings.assets.exists():
            settings.assets.rename(folder / "replaced")
        shutil.move(folder / ASSETS, settings.assets)


def _pack(written: Path, dump: Path, assets: Path) -> None:
    manifest = written.with_name(MANIFEST)
    manifest.write_text(json.dumps({"format": FORMAT, "revision": newest_revision()}), encoding="utf-8")
    with tarfile.open(written, "w") as archive:
        archive.add(manifest, MANIFEST)
        archive.add(dump, DUMP)
        if assets.exists():
            archive.add(assets, ASSETS)


def _unpack(file: Path, folder: Path) -> None:
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT:
        raise BackupFailed(f"{file} has format {manifest['format']}; this release reads {FORMAT}.")


async def _program(name: str, *arguments: str) -> None:
    # A restore beside a running server would wait for its locks without end.
    environment = os.environ | {"PGOPTIONS": "-c lock_timeout=30s"}
    process = await asyncio.create_subprocess_exec(
        programs() / name, *arguments, env=environment, stderr=asyncio.subprocess.PIPE
    )  # fmt: skip
    _, complaint = await process.communicate()
    if process.returncode != 0:
        raise BackupFailed(f"{name}: {complaint.decode(errors='replace').strip()}")

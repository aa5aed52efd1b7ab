"""One file with everything that cannot be made again: the database as `pg_dump` writes it, and the asset folder."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from app.database import check_answers, database, prepare_folder
from app.failures import CannotContinue
from app.settings import Settings
from db.dumps import Dumped, dump
from db.dumps import restore as replace_database
from db.migrations import is_known, migrate

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
ASSETS: Final = "assets"
FORMAT: Final = 1


class Manifest(BaseModel):
    """What stands first in a backup: the database's particulars, and the SHA-256 of every other file by its name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    database: Dumped
    digests: dict[str, str]


async def backup(settings: Settings, file: Path) -> None:
    """Write a backup. It appears under its name only when it is whole; raises CannotContinue or DumpFailed."""
    try:
        with tempfile.TemporaryDirectory(dir=file.parent) as name:
            folder = Path(name)
            async with database(settings) as found:
                await check_answers(found.owner, "DATABASE_OWNER_URL")
                dumped = await dump(found.owner, folder / DUMP)
            await asyncio.to_thread(_pack, folder, dumped, settings.assets)
            (folder / "backup").replace(file)
    except OSError as error:
        raise CannotContinue(f"{file} cannot be written: {error.strerror or error}.") from error


async def restore(settings: Settings, file: Path) -> None:
    """Replace the database, in one transaction, and then the assets, and bring an older database up to date.

    Raises CannotContinue or DumpFailed with nothing changed.
    """
    prepare_folder(settings.data_dir)
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as name:
        folder = Path(name)
        manifest = await asyncio.to_thread(_unpack, file, folder)
        async with database(settings) as found:
            await check_answers(found.owner, "DATABASE_OWNER_URL")
            await replace_database(found.owner, folder / DUMP, manifest.database)
            (folder / ASSETS).mkdir(exist_ok=True)
            if settings.assets.exists():
                settings.assets.rename(folder / "replaced")
            shutil.move(folder / ASSETS, settings.assets)
            await migrate(found.owner)


def _pack(folder: Path, dumped: Dumped, assets: Path) -> None:
    # The assets of this moment: a file that is added meanwhile belongs to the next backup.
    paths = {DUMP: folder / DUMP}
    if assets.exists():
        paths |= {f"{ASSETS}/{path.relative_to(assets)}": path for path in sorted(assets.rglob("*")) if path.is_file()}
    digests = {name: _digest(path) for name, path in paths.items()}
    manifest = folder / MANIFEST
    manifest.write_text(Manifest(format=FORMAT, database=dumped, digests=digests).model_dump_json(), encoding="utf-8")
    written = folder / "backup"
    written.touch(mode=0o600)
    with tarfile.open(written, "w") as archive:
        archive.add(manifest, MANIFEST)
        for name, path in paths.items():
            archive.add(path, name)


def _unpack(file: Path, folder: Path) -> Manifest:
    """Unpack a backup and prove it whole; raises CannotContinue."""
    if not file.is_file():
        raise CannotContinue(f"There is no file {file}.")
    try:
        with tarfile.open(file, "r:") as archive:
            archive.extractall(folder, filter="data")
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise CannotContinue(f"{file} is not a whole backup of Velocity. Nothing was changed.") from error
    if manifest.format != FORMAT or not is_known(manifest.database.revision):
        raise CannotContinue(f"{file} was written by another release of Velocity. Nothing was changed.")
    if {name: _digest(folder / name) for name in manifest.digests if (folder / name).is_file()} != manifest.digests:
        raise CannotContinue(f"{file} is damaged: what it holds is not what was written. Nothing was changed.")
    return manifest


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()

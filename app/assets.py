"""`/assets/…`: pictures and files, for whoever holds an address that we signed and that has not expired."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from domain.signing import AssetKey


class Assets:
    """Serves one folder."""

    def __init__(self, folder: Path, key: AssetKey) -> None:
        """Serve `folder`, whose addresses `key` signs."""
        self._folder = folder.resolve()
        self._key = key

    def answer(self, request: Request) -> Response:
        """Answer a file. A bad signature, an expired address and a missing file look the same: 404."""
        object_key, asked = request.path_params["object_key"], request.query_params
        now = datetime.now(UTC)
        path = (self._folder / object_key).resolve()
        signed = self._key.accepts(object_key, asked.get("expires", ""), asked.get("signature", ""), now)
        if not signed or not path.is_relative_to(self._folder) or not path.is_file():
            raise HTTPException(404)
        seconds = int(asked["expires"]) - int(now.timestamp())
        return FileResponse(path, headers={"cache-control": f"private, max-age={seconds}, immutable"})

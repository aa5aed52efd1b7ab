"""The limit: bare asyncpg behind bare ASGI. The path names a question; its ready statement is sent as it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from app.database import Database
from app.settings import Settings
from bench.dataset import Dataset
from bench.documents import questions
from bench.serving import pool_of, serve
from bench.statements import statements


async def main(token: str) -> None:
    """Serve one path for each question of the dataset that lies in the product's data folder."""
    settings = Settings()
    dataset = Dataset(**json.loads((settings.data_dir / "dataset.json").read_text()))
    database = Database(os.environ["DSN"], None, embedded=True)
    asked = questions(dataset)
    found = await statements(settings, database, token, asked)
    by_path = {f"/{question.short}": found[question.name] for question in asked}
    pool = await pool_of(os.environ["DSN"], {"app.tenant_id": dataset.tenant_id, "default_transaction_read_only": "on"})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        statement = by_path[scope["path"]]
        async with pool.acquire() as connection:
            answer: bytes = await connection.fetchval(statement.sql, *statement.arguments)
        body = b'{"data":' + answer + b"}"
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    served: ASGIApp = app
    await serve(served)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]).read_text()))

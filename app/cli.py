"""The `velocity` command."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.settings import Settings

velocity = typer.Typer(help="Velocity: one graph of people, leads, properties and conversations.", no_args_is_help=True)


@velocity.command()
def serve(
    *, demo: Annotated[bool, typer.Option("--demo", help="Load the demo tenant the first time.")] = False
) -> None:
    """Start the database, migrate it, and serve until Ctrl-C."""
    from app.serve import serve as run

    sys.exit(asyncio.run(run(Settings(), demo=demo)))


@velocity.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    from app.database import database
    from db.migrations import migrate as upgrade
    from db.migrations import newest_revision

    async def run() -> None:
        async with database(Settings()) as found:
            await upgrade(found.owner)

    asyncio.run(run())
    typer.echo(f"The database is at revision {newest_revision()}.")


@velocity.command()
def seed(
    scale: Annotated[float, typer.Option(help="1 is about 2 000 people and 30 000 interactions.")] = 1.0,
) -> None:
    """Load the demo tenants into an empty database."""
    from app.serve import seed_demo

    typer.echo(asyncio.run(seed_demo(Settings(), scale)))


@velocity.command()
def token(
    email: Annotated[str, typer.Option(help="Whose.")],
    ttl: Annotated[str, typer.Option(help="How long it is good, such as 15m, 1h or 7d.")] = "1h",
) -> None:
    """Print an access token of a user, and nothing else."""
    from app.token import access_token, duration

    typer.echo(asyncio.run(access_token(Settings(), email, duration(ttl))))


@velocity.command()
def schema() -> None:
    """Print the schema."""
    from app.wiring import proven_schema

    typer.echo(proven_schema().as_str())


@velocity.command()
def doctor(
    *, audit: Annotated[bool, typer.Option("--audit", help="Verify every tenant's audit chain.")] = False
) -> None:
    """Say what is configured, what is missing, and how to mend it."""
    from app.doctor import examine

    sys.exit(asyncio.run(examine(Settings(), audit=audit)))


@velocity.command()
def backup(file: Annotated[Path, typer.Argument(help="Where to write.")]) -> None:
    """Write the database and the asset folder into one file."""
    from app.backup import backup as write

    asyncio.run(write(Settings(), file))
    typer.echo(f"Wrote {file}.")


@velocity.command()
def restore(file: Annotated[Path, typer.Argument(help="What `velocity backup` wrote.")]) -> None:
    """Replace the database and the asset folder by what a backup holds."""
    from app.backup import restore as read

    asyncio.run(read(Settings(), file))
    typer.echo(f"Restored {file}.")


def main() -> None:
    """Run the command."""
    velocity()


if __name__ == "__main__":
    main()

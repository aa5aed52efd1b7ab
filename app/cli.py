"""The `velocity` command."""

from __future__ import annotations

import gc
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer

velocity = typer.Typer(
    help="Velocity: one graph of people, leads, properties and conversations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Result = TypeVar("Result")


def run(work: Coroutine[None, None, Result]) -> Result:
    """Run a command's work on the event loop that serves in production."""
    import uvloop

    gc.enable()
    return uvloop.run(work)


@velocity.command()
def serve(
    *, demo: Annotated[bool, typer.Option("--demo", help="Load the demo tenants the first time.")] = False
) -> None:
    """Start the database, migrate it, and serve until Ctrl-C."""
    from app.settings import Settings
    from app.starting import serve as until_stopped

    sys.exit(run(until_stopped(Settings(), demo=demo)))


@velocity.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    from app.commands.operations import register_shipped
    from app.database import check_answers, database
    from app.settings import Settings
    from db.migrations import migrate as upgrade
    from db.migrations import newest_revision

    async def work() -> None:
        async with database(Settings()) as found:
            await check_answers(found.owner, "DATABASE_OWNER_URL")
            await upgrade(found.owner)
            await register_shipped(found.owner)

    run(work())
    typer.echo(f"The database is at revision {newest_revision()}.")


@velocity.command()
def seed(
    scale: Annotated[
        float, typer.Option(min=0.01, max=100, help="1 is about 2 000 people and 30 000 interactions.")
    ] = 1.0,
) -> None:
    """Load the demo tenants into an empty database."""
    from app.commands.operations import register_shipped
    from app.database import check_answers, database
    from app.seeding import load_demo
    from app.settings import Settings
    from db.migrations import migrate as upgrade

    async def work() -> str:
        settings = Settings()
        async with database(settings) as found:
            await check_answers(found.owner, "DATABASE_OWNER_URL")
            await upgrade(found.owner)
            summary = await load_demo(settings, found, scale)
            await register_shipped(found.owner)
            return summary

    typer.echo(run(work()))


@velocity.command()
def token(
    email: Annotated[str, typer.Option(help="Whose.")],
    ttl: Annotated[str, typer.Option(help="How long it is good, such as 15m, 1h or 7d.")] = "1h",
) -> None:
    """Print an access token of a user, and nothing else."""
    from app.commands.access_token import access_token, duration
    from app.settings import Settings

    lifetime = duration(ttl)
    typer.echo(run(access_token(Settings(), email, lifetime)))


@velocity.command()
def rotate_key() -> None:
    """Make a new signing key for the next start; what the one before it signed stays good."""
    from app.access.tokens import rotate
    from app.failures import CannotContinue
    from app.settings import Settings

    settings = Settings()
    if settings.signing_key is not None:
        raise CannotContinue("VELOCITY_SIGNING_KEY is set: put a new key in front of it, with a space between them.")
    path = settings.data_dir / "signing.key"
    rotate(path)
    typer.echo(f"{path} has a new key in front. Restart every process that uses it.")


@velocity.command()
def sweep() -> None:
    """Remove unused uploads, what renders left, old events and what is kept too long, complete sessions that nobody
    ended, decide anew what to do next with people, tell of tasks that are due, and let proposals expire; `serve` does
    so by itself.
    """
    from app.settings import Settings
    from app.sweeping import swept

    done = run(swept(Settings()))
    typer.echo(f"Removed {done['uploads_swept']} expired uploads and {done['events_forgotten']} old events.")
    typer.echo(f"Removed {done['renders_swept']} files that renders had left.")
    typer.echo(f"Decided for {done['people_decided']} people what to do next.")
    erasures, sessions = done["erasures_finished"], done["sessions_completed"]
    typer.echo(f"Finished {erasures} erasures and {sessions} sessions that nobody ended.")
    cameras, jobs = done["cctv_events_forgotten"], done["jobs_forgotten"]
    typer.echo(f"Removed or untied {cameras} camera events, and removed {jobs} jobs of models.")
    tasks, expired = done["tasks_told_of"], done["proposals_expired"]
    typer.echo(f"Told of {tasks} tasks that are due, and let {expired} proposals expire.")


api_key = typer.Typer(help="API keys: programs that send registered operations.", no_args_is_help=True)
velocity.add_typer(api_key, name="api-key")

Administrator = Annotated[str, typer.Option("--as", help="The e-mail address of the administrator who does it.")]
KeyId = Annotated[str, typer.Argument(help="The key's id, as `list` shows it.")]


@api_key.command(name="create")
def api_key_create(
    administrator: Administrator,
    name: Annotated[str, typer.Option(help="What to call it.")],
    role: Annotated[str, typer.Option(help="What it acts as, such as JUNIOR_BROKER.")],
    operation: Annotated[list[str], typer.Option(help="A registered operation, by name or id; repeat it for more.")],
    ttl: Annotated[str | None, typer.Option(help="How long it is good, such as 90d; for ever, if left out.")] = None,
) -> None:
    """Make a key and print its secret, which is shown once."""
    from app.commands.access_token import duration
    from app.commands.api_key import created, role_named
    from app.settings import Settings

    lifetime, acts_as = None if ttl is None else duration(ttl), role_named(role)
    work = created(Settings(), administrator, name=name, role=acts_as, operations=operation, lifetime=lifetime)
    typer.echo(run(work))


@api_key.command(name="list")
def api_key_list(administrator: Administrator) -> None:
    """Print the tenant's keys."""
    from app.commands.api_key import listed
    from app.settings import Settings

    typer.echo(run(listed(Settings(), administrator)))


@api_key.command(name="rotate")
def api_key_rotate(
    key: KeyId,
    administrator: Administrator,
    overlap: Annotated[str | None, typer.Option(help="How long the old secret stays good, such as 1h.")] = None,
) -> None:
    """Give a key another secret and print it, once."""
    from datetime import timedelta

    from app.commands.access_token import duration
    from app.commands.api_key import rotated
    from app.settings import Settings

    until = timedelta() if overlap is None else duration(overlap)
    typer.echo(run(rotated(Settings(), administrator, key, until)))


@api_key.command(name="revoke")
def api_key_revoke(key: KeyId, administrator: Administrator) -> None:
    """End a key with all its secrets."""
    from app.commands.api_key import revoked
    from app.settings import Settings

    typer.echo(run(revoked(Settings(), administrator, key)))


@velocity.command()
def schema() -> None:
    """Print the schema."""
    from app.wiring import proven_schema

    typer.echo(proven_schema().as_str())


operations = typer.Typer(help="Persisted operations: documents that clients send by their id.", no_args_is_help=True)
velocity.add_typer(operations, name="operations")


@operations.command(name="list")
def operations_list() -> None:
    """Print what every tenant has registered."""
    from app.commands.operations import listing
    from app.settings import Settings

    typer.echo(run(listing(Settings())))


@operations.command(name="manifest")
def operations_manifest() -> None:
    """Print the manifest of what comes with this release, in the format that `register` reads."""
    from graph.persisted import shipped, written_manifest

    typer.echo(written_manifest(shipped()).decode(), nl=False)


@operations.command(name="register")
def operations_register(
    file: Annotated[Path, typer.Argument(help="A manifest: ours, Apollo's, or what relay-compiler persists.")],
    tenant: Annotated[UUID | None, typer.Option(help="Whose; left out, every tenant's.")] = None,
) -> None:
    """Register a manifest's documents."""
    from app.commands.operations import register_file
    from app.settings import Settings

    typer.echo(run(register_file(Settings(), file, tenant)))


@operations.command(name="check")
def operations_check(
    file: Annotated[
        Path | None, typer.Argument(help="A manifest; left out, what ships and what is registered.")
    ] = None,
) -> None:
    """Say which documents no longer fit the schema or the limits."""
    from app.commands.operations import check
    from app.settings import Settings

    count, faults = run(check(Settings(), file))
    typer.echo("\n".join([*faults, f"{count} operations, {len(faults)} faults."]))
    sys.exit(1 if faults else 0)


prompts = typer.Typer(help="Prompts: the words that are sent to models.", no_args_is_help=True)
velocity.add_typer(prompts, name="prompts")


@prompts.command(name="check")
def prompts_check() -> None:
    """Say which prompts are used and from where, and what is wrong with them."""
    from app.prompts import check
    from app.settings import Settings

    lines, faults = check(Settings())
    typer.echo("\n".join([*lines, *faults, f"{len(lines)} prompts, {len(faults)} faults."]))
    sys.exit(1 if faults else 0)


@velocity.command()
def explain(
    file: Annotated[Path, typer.Argument(help="A document.", exists=True, dir_okay=False)],
    email: Annotated[str, typer.Option("--as", help="As whom: their e-mail address.")],
    operation: Annotated[str | None, typer.Option(help="Which of the document's operations.")] = None,
    variables: Annotated[str, typer.Option(help="A JSON object.")] = "{}",
) -> None:
    """Print the statement that answers a document, PostgreSQL's plan and the indexes, or why resolvers run it."""
    from app.commands.explain import explain as explain_document
    from app.settings import Settings

    typer.echo(run(explain_document(Settings(), file.read_text(encoding="utf-8"), operation, variables, email)))


@velocity.command()
def worker(
    queues: Annotated[str, typer.Option(help="What to work on: `inference`, `render`, with commas.")] = (
        "inference,render"
    ),
) -> None:
    """Do queued work for models and machines until told to stop; run it on as many machines as there are."""
    from app.commands.worker import queues as chosen
    from app.commands.worker import work
    from app.settings import Settings

    run(work(Settings(), chosen(queues)))


@velocity.command()
def perceive(
    *,
    model: Annotated[Path, typer.Option(help="MediaPipe's face_landmarker.task.")],
    source: Annotated[str, typer.Option(help="A camera's number, a video file or a picture.")],
    key: Annotated[str | None, typer.Option(envvar="VELOCITY_AGENT_KEY", help="An API key or an access token.")] = None,
    server: Annotated[str, typer.Option(help="The server's address.")] = "http://127.0.0.1:8000",
    consent: Annotated[str | None, typer.Option(help="The consent on which to begin a session.")] = None,
    session: Annotated[str | None, typer.Option(help="A running session to go on with.")] = None,
    rate: Annotated[float, typer.Option(min=1, max=30, help="How many times a second to look.")] = 10,
) -> None:
    """Watch a face beside a camera and send its blend shapes; no picture leaves this machine."""
    from app.commands.perceive import Watch
    from app.commands.perceive import perceive as watch_until_stopped

    typer.echo(run(watch_until_stopped(Watch(model, source, server, key, consent, session, rate))))


@velocity.command()
def demo_session(
    server: Annotated[str, typer.Option(help="The server's address.")] = "http://127.0.0.1:8000",
    seconds: Annotated[float, typer.Option(min=5, max=3600, help="How long the visit lasts.")] = 60,
    speed: Annotated[float, typer.Option(min=0.1, max=60, help="How many times as fast as real.")] = 1,
    seed: Annotated[int, typer.Option(help="Which visitor.")] = 1,
    sessions: Annotated[int, typer.Option(min=1, max=12, help="How many visitors at once.")] = 1,
) -> None:
    """Play a showroom visit with a generated face against the running demo; /live shows it."""
    from app.demo.team import SAFFRON
    from app.demo.visit import Visit, play_together
    from app.failures import CannotContinue
    from app.seeding import demo_password
    from app.settings import Settings
    from domain.access import Role

    password = demo_password(Settings())
    if password is None:
        raise CannotContinue("There is no demo in this data folder. Start one with `make run`.")
    visit = Visit(server, SAFFRON.email(Role.SENIOR_BROKER), password, seconds, speed, seed)
    typer.echo(run(play_together(visit, sessions, typer.echo)))


@velocity.command()
def doctor(
    *, audit: Annotated[bool, typer.Option("--audit", help="Verify every tenant's audit chain and canvases.")] = False
) -> None:
    """Say what is configured, what is missing, and how to mend it."""
    from app.commands.doctor import examine, report
    from app.settings import Settings

    findings = run(examine(Settings(), audit=audit))
    typer.echo(report(findings))
    sys.exit(1 if any(finding.mend for finding in findings) else 0)


@velocity.command()
def backup(file: Annotated[Path, typer.Argument(help="Where to write.")]) -> None:
    """Write the database and the asset folder into one file."""
    from app.commands.backup import backup as write
    from app.settings import Settings

    run(write(Settings(), file))
    typer.echo(f"Wrote {file}.")


@velocity.command()
def restore(file: Annotated[Path, typer.Argument(help="What `velocity backup` wrote.")]) -> None:
    """Replace the database and the asset folder by what a backup holds."""
    from app.commands.backup import restore as read
    from app.settings import Settings

    run(read(Settings(), file))
    typer.echo(f"Restored {file}.")


def main() -> None:
    """Run the command. What an operator can mend is one line on standard error; a defect of ours is a traceback."""
    # What is imported stays. Walking it again and again would take a quarter of the start.
    gc.disable()
    try:
        velocity()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from app.failures import explanation

        line = explanation(error)
        if line is None:
            raise
        sys.stderr.write(f"velocity: {line}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

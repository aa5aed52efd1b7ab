"""The live page in a real browser: two visits over a crash of the server without a lost point, and what it says."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Role
from tests.api import Api, operation
from tests.app.browser import Page, strangers
from tests.clusters import copied
from tests.demo import PASSWORD, Demo
from tests.factories import access, people, perception
from tests.factories.access import Tenant
from tests.installation import COMMAND, ROOT, Installation, Serving
from tests.serving import PATIENCE, serving

PICTURE = ROOT / "docs" / "live.png"
EMAIL = "senior@saffron.example"
SECRET = "correct horse battery"
PHASE = "document.querySelector('.connection')?.dataset.phase"
RESUMED = "Number(document.querySelector('.connection')?.dataset.resumed)"
SENIOR = Role.SENIOR_BROKER
SAID = "document.querySelector('.connection')?.textContent"
# Keeps the phases that the page says, from now on.
REMEMBER = """window.phases = []; new MutationObserver(([{target}]) => phases.push(target.dataset.phase)).observe(
    document.querySelector('.connection'), {attributes: true, attributeFilter: ['data-phase']})"""
NAMED = {"button", "link", "image", "img", "meter", "region", "heading", "navigation", "complementary"}
VISITS = 2
# A picture shows more of a visit.
SECONDS = 45 if os.environ.get("VELOCITY_TAKE_PICTURE") else 16
# How much of a visit is told before the server dies.
BEFORE = 12
# What a page has to complain about while nobody serves it: that nobody does.
EXPECTED = (
    "net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_CONNECTION_CLOSED", "net::ERR_EMPTY_RESPONSE",
    "Connection closed before receiving a handshake response",
)  # fmt: skip
# Every score of a visit as its table has it, oldest first: when, the score, the confidence of what was told.
TABLE = """[...document.querySelectorAll(`[data-session="%s"] tbody tr`)].reverse().map((row) => [
    row.querySelector('time').dateTime, Number(row.querySelector('td:nth-child(2) data').value),
    row.querySelector('td:nth-child(3) data') && Number(row.querySelector('td:nth-child(3) data').value)])"""


@pytest.fixture
async def email(owner_connection: "Connection[Record]", tenant: Tenant) -> str:
    """The address by which the fresh tenant's senior signs in."""
    address = f"{tenant.id}@test.example"
    await access.password(owner_connection, tenant, tenant.users[SENIOR], email=address, secret=SECRET)
    return address


async def sign_in(page: Page, base: httpx.URL | str, email: str, password: str) -> None:
    await page.open(f"{str(base).rstrip('/')}/live")
    await page.type("input[name=email]", email)
    await page.type("input[name=password]", password)
    await page.click("button[type=submit]")
    await page.until(f"{PHASE} === 'live'")


def unexpected(page: Page) -> list[str]:
    """Complaints of the page, but for those that nobody answered."""
    return [each for each in page.complaints if not any(fault in each for fault in EXPECTED)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


# ── two visits, and a crash in the middle ───────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def running(installation: Installation) -> AsyncIterator[Serving]:
    """Serve the demo until killed."""
    with installation.serving("--demo") as process:
        try:
            yield process
        finally:
            process.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.process.wait)


@asynccontextmanager
async def visits(installation: Installation, base: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Play visits beside the page."""
    asked = ("--sessions", str(VISITS), "--seconds", str(SECONDS), "--server", base)
    process = await asyncio.create_subprocess_exec(
        COMMAND, "demo-session", *asked, env=installation.environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ask(base: str, password: str, name: str, **variables: Any) -> dict[str, Any]:
    """Send an operation as the demo's senior."""
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as http:
        signed = {"query": operation("Login"), "variables": {"email": EMAIL, "password": password}}
        token = (await http.post("/graphql", json=signed)).json()["data"]["login"]["accessToken"]
        body = {"query": operation(name), "variables": variables}
        answer = await http.post("/graphql", json=body, headers={"authorization": f"Bearer {token}"})
        data: dict[str, Any] = answer.json()["data"]
        return data


async def stored(installation: Installation, session_id: str) -> tuple[list[Any], list[Any]]:
    """What the database has of a visit: the end of each batch, and every score."""
    owner = await asyncpg.connect(installation.server.addresses.owner)
    try:
        session = UUID(session_id.removeprefix("session_"))
        batches = await owner.fetch(
            "SELECT qd_at, qd_score, qd_confidence FROM perception_batches"
            " WHERE session_id = $1 AND qd_at IS NOT NULL ORDER BY sequence",
            session,
        )
        scores = await owner.fetch(
            "SELECT at, score FROM qd_scores WHERE session_id = $1 AND kind = 'LIVE' ORDER BY at", session
        )
        return [tuple(each) for each in batches], [tuple(each) for each in scores]
    finally:
        await owner.close()


async def held(page: Page, session_id: str, count: int) -> list[tuple[datetime, float, float | None]]:
    """What the page has of a visit, once it has so many scores."""
    visit = f'[data-session="{session_id}"]'
    await page.until(f"document.querySelector('{visit} summary') !== null")
    await page.value(f"document.querySelector('{visit} details').open = true")
    await page.until(f"document.querySelectorAll('{visit} tbody tr').length >= {count}")
    rows = await page.value(TABLE % session_id)
    return [(datetime.fromisoformat(at), score, confidence) for at, score, confidence in rows]


async def told(page: Page, least: int) -> None:
    """Wait until every visit on the page was told so many scores."""
    counts = "[...document.querySelectorAll('.visit summary')].map((each) => parseInt(each.textContent))"
    await page.until(f"{counts}.length === {VISITS} && {counts}.every((count) => count >= {least})")


async def photograph(page: Page) -> None:
    """Keep the page as the README's picture, if that is asked for."""
    picture = await page.picture()
    assert picture.startswith(b"\x89PNG")
    if os.environ.get("VELOCITY_TAKE_PICTURE"):
        PICTURE.write_bytes(picture)


async def nothing_is_lost(page: Page, installation: Installation) -> None:
    """Compare what the page holds of each visit with the database: every batch as it was told, and every score."""
    sessions = await page.value("[...document.querySelectorAll('.visit')].map((each) => each.dataset.session)")
    assert len(sessions) == VISITS
    for session_id in sessions:
        batches, scores = await stored(installation, session_id)
        rows = await held(page, session_id, len(scores))
        assert [row for row in rows if row[2] is not None] == batches
        # The history keeps no score of which nothing is known, as that of the first packet.
        assert [score for _, score, confidence in rows if confidence != 0] == [score for _, score in scores]
        assert len(batches) > BEFORE


async def test_two_visits_over_a_crash_of_the_server(folder: Path, blank: Path, page: Page) -> None:
    settings = {"VELOCITY_DEMO_SCALE": "0.05", "VELOCITY_PORT": str(free_port())}
    installation = Installation(folder / "var", settings)
    copied(blank, installation.server.directory)
    # PostgreSQL outlives the process that is killed.
    async with AsyncExitStack() as beside:
        beside.enter_context(installation.server)
        async with running(installation) as first:
            base, password = first.base, (folder / "var" / "demo.password").read_text().strip()
            await page.prefer("light")
            await sign_in(page, base, EMAIL, password)
            said = await page.until("document.querySelector('.nobody code')?.textContent")
            assert said == f".venv/bin/velocity demo-session --sessions {VISITS}"
            await page.value(REMEMBER)
            playing = await beside.enter_async_context(visits(installation, base))
            await told(page, BEFORE)
        await page.until(f"{PHASE} === 'away'")
        assert await page.value(SAID) == "Disconnected. Trying again…"
        async with running(installation):
            await page.until(f"{PHASE} === 'live' && {RESUMED} >= 1")
            # What is resumed between two redraws is not seen being resumed.
            phases = await page.value("phases")
            assert [each for each in phases if each != "resuming"] == ["away", "live"]
            assert str(await page.value(SAID)).endswith(", nothing was missed")
            await ask(base, password, "CanvasCreate", title="Saturday's open house")
            await page.until(
                "document.querySelector('[aria-label=Canvases] .new b')?.textContent.startsWith('Saturday')"
            )
            lengths = "[...document.querySelectorAll('.visit .length')].map((each) => each.textContent.split(':')[1])"
            await page.until(f"{lengths}.every((each) => Number(each) >= {SECONDS - 6})")
            await photograph(page)
            await page.until(f"document.querySelectorAll('.visit.over output').length === {VISITS}")
            news = "[...document.querySelectorAll('[aria-label=Notifications] .new')].map((each) => each.textContent)"
            await page.until(f"{news}.filter((each) => each.includes('A session is complete')).length === {VISITS}")
            await nothing_is_lost(page, installation)
            assert await playing.wait() == 0
    assert strangers(page, base) == []
    assert unexpected(page) == []


# ── what the page does when it cannot go on ─────────────────────────────────────────────────────────────────────────


async def test_what_is_no_longer_kept_is_loaded_anew(
    page: Page, system: System, tenant: Tenant, email: str, owner_connection: "Connection[Record]"
) -> None:
    api, port = Api(system, tenant), free_port()
    async with serving(system, port=port) as http:
        await sign_in(page, http.base_url, email, SECRET)
    await page.until(f"{PHASE} === 'away'")
    await api.data("CanvasCreate", role=SENIOR, title="Made meanwhile")
    past = datetime.now(UTC) - timedelta(days=400)
    await owner_connection.execute("UPDATE events SET at = $2 WHERE tenant_id = $1", tenant.id, past)
    await system.events.forget(datetime.now(UTC) - timedelta(days=365))
    async with serving(system, port=port):
        await page.until("document.querySelector('[aria-label=Canvases] b')?.textContent === 'Made meanwhile'")
        await page.until(f"{SAID}?.endsWith(', loaded anew')")
        await api.data("CanvasCreate", role=SENIOR, title="Made then")
        await page.until("document.querySelector('[aria-label=Canvases] .new b')?.textContent === 'Made then'")
    assert unexpected(page) == []


async def test_a_token_that_expires_while_connected_is_exchanged(page: Page, system: System, email: str) -> None:
    rules = replace(system.sign_in.rules, access_token=timedelta(seconds=2))
    async with serving(replace(system, sign_in=replace(system.sign_in, rules=rules))) as http:
        await sign_in(page, http.base_url, email, SECRET)
        await page.until(f"{PHASE} === 'live' && {RESUMED} >= 2")
        assert await page.value("document.querySelector('input[name=email]')") is None
    assert unexpected(page) == []


async def test_a_session_that_was_ended_elsewhere_leads_back_to_the_form(
    page: Page, http: httpx.AsyncClient, email: str
) -> None:
    await sign_in(page, http.base_url, email, SECRET)
    token = await page.value("JSON.parse(sessionStorage.getItem('velocity.session')).refreshToken")
    body = {"query": operation("SessionRevoke"), "variables": {"refreshToken": token}}
    await http.post("/graphql", json=body)
    await page.until("document.querySelector('input[name=email]') !== null")
    assert await page.value("sessionStorage.getItem('velocity.session')") is None


# ── what it shows ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_visit_that_was_under_way_is_shown_with_its_history(
    page: Page, http: httpx.AsyncClient, tenant: Tenant, email: str, owner_connection: "Connection[Record]"
) -> None:
    now, senior = datetime.now(UTC), tenant.users[SENIOR]
    person_id = await people.person(owner_connection, tenant, full_name="Meera Nair")
    consent_id = await perception.consent(
        owner_connection, tenant, granted_at=now - timedelta(hours=1), person_id=person_id
    )
    session_id = await perception.session(
        owner_connection, tenant, consent_id=consent_id, started_by_id=senior, person_id=person_id,
        started_at=now - timedelta(seconds=20),
    )  # fmt: skip
    for second, score in enumerate((40.25, 41.5, 47.125)):
        at = now - timedelta(seconds=15 - second)
        await perception.score(
            owner_connection, tenant, person_id=person_id, session_id=session_id, at=at, score=score, confidence=0.9
        )
    await sign_in(page, http.base_url, email, SECRET)
    rows = await held(page, f"session_{session_id}", 3)
    assert [score for _, score, _ in rows] == [40.25, 41.5, 47.125]
    assert unexpected(page) == []


@pytest.mark.parametrize(("width", "height"), [(820, 1180), (1180, 820)])
async def test_it_fits_an_ipad_and_everything_has_a_name(
    page: Page, http: httpx.AsyncClient, demo_tenant: Demo, width: int, height: int
) -> None:
    await page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=True)
    await sign_in(page, http.base_url, EMAIL, PASSWORD)
    await page.until("document.querySelector('[aria-label=Activity] li') !== null")
    assert await page.value("document.documentElement.scrollWidth <= innerWidth") is True
    nodes = (await page.call("Accessibility.getFullAXTree"))["nodes"]
    named = [each for each in nodes if not each["ignored"] and each["role"]["value"] in NAMED]
    assert len(named) >= 6
    assert [each["role"]["value"] for each in named if not each.get("name", {}).get("value")] == []
    assert unexpected(page) == []


async def test_dark_and_light_as_the_system_prefers(page: Page, http: httpx.AsyncClient, email: str) -> None:
    colour = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    await page.prefer("dark")
    await sign_in(page, http.base_url, email, SECRET)
    await page.until(f"Math.max(...{colour}) < 60")
    await page.prefer("light")
    await page.until(f"Math.min(...{colour}) > 200")

"""GraphiQL in a real browser: signing in, the examples, rows, a session that lasts, and no word to any other host."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx

from app.wiring import System
from domain.access import Role
from domain.values import new_id
from tests.app.browser import Page, strangers
from tests.demo import PASSWORD, SIGN_INS, Demo
from tests.serving import serving

PICTURE = Path(__file__).parents[2] / "docs" / "graphiql.png"
SHOWN = "document.querySelector('.result-window .view-lines')?.textContent.replaceAll('\\u00a0', ' ')"


async def sign_in(page: Page, http: httpx.AsyncClient) -> None:
    await page.open(str(http.base_url.join("/graphiql")))
    await page.type("input[name=email]", SIGN_INS[Role.SENIOR_BROKER])
    await page.type("input[name=password]", PASSWORD)
    await page.click("button[type=submit]")
    await page.until("document.querySelector('.account') !== null")


async def open_example(page: Page, name: str) -> None:
    # A page that was left with its examples open comes back so.
    await page.until("document.querySelector(`button[aria-label$=' Examples']`) !== null")
    if await page.value("document.querySelector(`button[aria-label='Show Examples']`) !== null"):
        await page.click("button[aria-label='Show Examples']")
    await page.type(".examples input", name)
    await page.click(".examples li button:not([disabled])")
    # The tab bears the name once the page knows which operation is to run.
    await page.until(f"document.querySelector('.graphiql-tab-active')?.textContent.includes('{name}')")


async def run(page: Page) -> str:
    """Execute what is in the editor and return what is shown then, an error too."""
    # A click before the editors are there is lost: of the operation, of its variables, and of the answer.
    await page.until("document.querySelectorAll('.monaco-editor .view-lines').length >= 3")
    await page.click(".graphiql-execute-button:not([disabled])")
    return str(await page.until(f"/\"(data|errors)\"/.test({SHOWN} ?? '') && {SHOWN}"))


def sent(page: Page) -> list[str]:
    """The names of the operations that the page sent."""
    return [json.loads(each["postData"])["operationName"] for each in page.requests if each["method"] == "POST"]


# Red, green and blue of what is behind the editors; nothing while they are not there.
BACKGROUND = """(() => {
    const editors = document.querySelector('.graphiql-editors');
    return editors ? getComputedStyle(editors).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number) : [];
})()"""


async def test_an_example_shows_rows_and_nobody_else_is_asked(
    page: Page, http: httpx.AsyncClient, demo_tenant: Demo
) -> None:
    await page.prefer("light")
    await sign_in(page, http)
    await open_example(page, "LeadBoard")
    rows = await run(page)
    assert '"leads"' in rows
    assert '"fullName"' in rows
    assert page.complaints == []
    assert strangers(page, http.base_url) == []
    assert {"Login", "LeadBoard"} <= set(sent(page))
    # The editor's workers run under the strict policy too, and were really asked for.
    workers = [each["url"] for each in page.requests if each["url"].endswith(".worker.js")]
    assert len(workers) >= 2
    picture = await page.picture()
    assert picture.startswith(b"\x89PNG")
    if os.environ.get("VELOCITY_TAKE_PICTURE"):
        PICTURE.write_bytes(picture)


async def test_what_a_request_cost_and_how_it_ran_is_shown_on_request(
    page: Page, http: httpx.AsyncClient, demo_tenant: Demo
) -> None:
    # The editor draws the lines that fit, and what is told comes last.
    await page.call("Emulation.setDeviceMetricsOverride", width=1200, height=3000, deviceScaleFactor=1, mobile=False)
    await sign_in(page, http)
    await open_example(page, "Viewer")
    assert '"extensions"' not in await run(page)
    await page.click("input[name=told]")
    await page.click(".graphiql-execute-button:not([disabled])")
    told = await page.until(f'/"path": "COMPILED"/.test({SHOWN} ?? \'\') && {SHOWN}')
    assert '"points"' in told
    assert page.complaints == []


async def test_the_session_outlives_a_reload_and_is_refreshed_before_it_expires(
    page: Page, system: System, demo_tenant: Demo
) -> None:
    # So short that every request finds its token about to end.
    rules = replace(system.sign_in.rules, access_token=timedelta(seconds=50))
    async with serving(replace(system, sign_in=replace(system.sign_in, rules=rules))) as http:
        await sign_in(page, http)
        await open_example(page, "LeadBoard")
        assert '"fullName"' in await run(page)
        first = sent(page)
        assert first[0] == "Login"
        assert first[first.index("LeadBoard") - 1] == "SessionRefresh"

        page.requests.clear()
        await page.call("Page.reload")
        await page.until("performance.getEntriesByType('navigation')[0].type === 'reload'")
        await open_example(page, "LeadBoard")
        assert '"fullName"' in await run(page)
        again = sent(page)
        assert "Login" not in again
        # Whatever was asked was asked with a fresh token: requests that come together share one exchange.
        assert again[0] == "SessionRefresh"
        assert again[again.index("LeadBoard") - 1] == "SessionRefresh"
        # While it is served: what the page still loads when the server has gone, it complains of.
        assert page.complaints == []


async def test_a_session_that_was_ended_elsewhere_leads_back_to_the_form(
    page: Page, http: httpx.AsyncClient, system: System, demo_tenant: Demo
) -> None:
    await sign_in(page, http)
    await page.value(
        "sessionStorage.setItem('velocity.session', JSON.stringify("
        "{...JSON.parse(sessionStorage.getItem('velocity.session')), accessTokenExpiresAt: 0, refreshToken: 'x'}))"
    )
    await page.call("Page.reload")
    await page.until("document.querySelector('input[name=email]') !== null")
    assert await page.value("sessionStorage.getItem('velocity.session')") is None


async def test_a_wrong_password_is_said_and_nothing_is_kept(
    page: Page, http: httpx.AsyncClient, demo_tenant: Demo
) -> None:
    await page.open(str(http.base_url.join("/graphiql")))
    await page.type("input[name=email]", f"{new_id()}@saffron.example")
    await page.type("input[name=password]", "wrong")
    await page.click("button[type=submit]")
    said = await page.until("document.querySelector('[role=alert]')?.textContent")
    assert said == "The e-mail address or the password is wrong."
    assert await page.value("sessionStorage.length") == 0
    assert page.complaints == []


async def test_dark_and_light_as_the_system_prefers(page: Page, http: httpx.AsyncClient, demo_tenant: Demo) -> None:
    await page.prefer("dark")
    await sign_in(page, http)
    await page.until(f"{BACKGROUND}.length === 3 && Math.max(...{BACKGROUND}) < 80")
    await page.prefer("light")
    await page.call("Page.reload")
    await page.until("performance.getEntriesByType('navigation')[0].type === 'reload'")
    await page.until(f"{BACKGROUND}.length === 3 && Math.min(...{BACKGROUND}) > 200")
    assert page.complaints == []

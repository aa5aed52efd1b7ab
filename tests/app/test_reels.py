"""The demo's videos in a real browser."""

import base64
import json

from app.demo.reels import HEIGHT, WIDTH, reels
from tests.app.browser import Page

PLAYED = """
const video = document.body.appendChild(document.createElement("video"));
video.muted = true;
video.src = "data:video/webm;base64,%s";
video.onloadedmetadata = () => { video.currentTime = 21; };
video.onseeked = () => { window.seen = [video.duration, video.videoWidth, video.videoHeight, video.currentTime]; };
video.onerror = () => { window.seen = video.error.message; };
true
"""


async def test_a_browser_plays_and_winds_them(page: Page) -> None:
    reel = reels()[0]
    await page.open("data:text/html,<body></body>")
    await page.value(PLAYED % base64.b64encode(reel.file.content).decode())
    await page.until("window.seen !== undefined")
    seen = json.loads(await page.value("JSON.stringify(window.seen)"))

    assert seen == [reel.duration_ms / 1000, WIDTH, HEIGHT, 21]

"""A model's server and a ComfyUI that need no GPU: `python -m tests.stand_ins`, where Ollama and ComfyUI would listen.

They are slow on purpose, so that there is time to look, and to kill a worker. README.md, "GPU work", says how.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from domain.inference import ProviderKind
from tests.comfy.engine import Engine
from tests.comfy.server import FakeComfy, fake_comfy
from tests.fake_llm import FakeLlm, Json, Say, Stall

OLLAMA, COMFYUI = 11434, 8188
ANSWER_SECONDS = 1.0
RENDER_SECONDS = 15.0


def answering(seconds: float, body: Json) -> Stall:
    """Begin at once and end after a while: with the words of a render where those are asked for."""
    stall = Stall("" if "format" in body else "Well: ", then=Say("It has a sea view."))
    if "negative_prompt" in json.dumps(body.get("format", {})):
        stall = Stall(then=Say('{"prompt": "warm oak, morning light", "negative_prompt": "people"}'))
    asyncio.get_running_loop().call_later(seconds, stall.released.set)
    return stall


async def slowly(engine: Engine, seconds: float) -> None:
    """Let each picture stand still for a while."""
    while True:
        engine.faults.hold.add("ImageBlur")
        await engine.held.wait()
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, over.set)
        await over.wait()
        engine.release()


@asynccontextmanager
async def stand_ins(
    folder: Path, *, ports: tuple[int, int] = (OLLAMA, COMFYUI), seconds: tuple[float, float]
) -> AsyncIterator[tuple[FakeLlm, FakeComfy]]:
    """Serve both, until the end."""
    llm = FakeLlm(ProviderKind.OLLAMA, models=("stand-in",))
    llm.otherwise = lambda body: answering(seconds[0], body)
    async with llm.serving(ports[0]), fake_comfy(folder, port=ports[1]) as comfy:
        waiting = asyncio.create_task(slowly(comfy.engine, seconds[1]))
        try:
            yield llm, comfy
        finally:
            waiting.cancel()


async def main() -> None:
    """Serve until somebody ends it."""
    with tempfile.TemporaryDirectory() as folder:
        async with stand_ins(Path(folder), seconds=(ANSWER_SECONDS, RENDER_SECONDS)) as (llm, comfy):
            sys.stdout.write(
                f"A model called stand-in at {llm.url}, and a ComfyUI at {comfy.url}. Ctrl-C stops them.\n"
            )
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

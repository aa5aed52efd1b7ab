"""The servers that stand in for models where the README shows how work for them is done."""

import uuid
from pathlib import Path

import httpx

from domain.jobs import RenderWorkflow
from gpu.renders.pool import ComfyPool, WorkerAddress
from tests.comfy.workers import PATIENT, TRIAL, Rendering, order
from tests.stand_ins import stand_ins


async def test_they_answer_after_a_while_and_as_they_are_asked(tmp_path: Path) -> None:
    shape = {"type": "object", "properties": {"prompt": {}, "negative_prompt": {}}}
    asked = {"model": "stand-in", "messages": [{"role": "user", "content": "Hello."}]}
    async with stand_ins(tmp_path, ports=(0, 0), seconds=(0.01, 0.01)) as (llm, comfy), httpx.AsyncClient() as http:
        words = await http.post(f"{llm.url}/api/chat", json=asked | {"format": shape})
        chat = await http.post(f"{llm.url}/api/chat", json=asked)
        pool = ComfyPool(
            [WorkerAddress("one", comfy.url)], dict.fromkeys(RenderWorkflow, TRIAL), client_id=uuid.uuid4().hex,
            rules=PATIENT,
        )  # fmt: skip
        studio = Rendering(pool, [comfy], [])
        pictures = [await studio.render(order()) for _ in range(2)]
        await pool.close()
    assert "oak" in words.text
    assert "Well: " in chat.text
    assert [len(each) for each in pictures] == [1, 1]

"""Items that clients submit are answered behind the prompts, and with pseudonyms for hosted providers."""

import json

from app.worker.replies import reply
from domain.inference import InferenceTask, Message
from domain.structured import Usage
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.gpu.models import Scripted

ANSWERS = PromptedAnswers(load_prompts())
OWN = [Message("user", "Priya Sharma waits at gate 2, +91 98200 00001.")]
SENT = Message("user", "PERSON_1 waits at gate 2, PHONE_1.")


async def unheard(_: str) -> None:
    """Nobody follows the text."""


async def test_a_chat() -> None:
    models = Scripted(['Let "PERSON_1" in, or call PHONE_1.'])
    said = await reply(ANSWERS, models, InferenceTask.CHAT, OWN, names=["Priya Sharma"], model=None, on_text=unheard)
    assert models.sent == [(SENT,)]
    assert (said.text, said.value, said.repaired) == (
        'Let "Priya Sharma" in, or call +91 98200 00001.',
        None,
        False,
    )


async def test_a_task_with_a_shape() -> None:
    answer = {"score": 10, "summary": "PERSON_1 waits.", "reasoning": "PERSON_1 is expected."}
    models = Scripted([f"```json\n{json.dumps(answer)}\n```"])
    said = await reply(
        ANSWERS, models, InferenceTask.RISK_ANALYZER, OWN, names=["Priya Sharma"], model="large", on_text=unheard
    )
    [(system, sent)] = models.sent
    assert (system.role, sent) == ("system", SENT)
    assert said.value == {"score": 10, "summary": "Priya Sharma waits.", "reasoning": "Priya Sharma is expected."}
    assert (said.repaired, said.model, said.usage) == (True, "large", Usage(100, 20))

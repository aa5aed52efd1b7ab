"""Items that clients submit are answered behind the prompts, and with pseudonyms for hosted providers."""

import json

from app.prompts import loaded_prompts, replies
from app.settings import Settings
from domain.inference import InferenceTask, Message
from gpu.answers import PromptedAnswers
from tests.gpu.models import Scripted

OWN = [Message("user", "Priya Sharma waits at gate 2, +91 98200 00001.")]
SENT = Message("user", "PERSON_1 waits at gate 2, PHONE_1.")


async def unheard(_: str) -> None:
    """Nobody follows the text."""


async def test_a_chat() -> None:
    models = Scripted(['Let "PERSON_1" in, or call PHONE_1.'])
    reply = await replies(PromptedAnswers(loaded_prompts(Settings()))).reply(
        models, InferenceTask.CHAT, OWN, names=["Priya Sharma"], model=None, on_text=unheard
    )
    assert models.sent == [(SENT,)]
    assert (reply.text, reply.value, reply.repaired) == (
        'Let "Priya Sharma" in, or call +91 98200 00001.',
        None,
        False,
    )


async def test_a_task_with_a_shape() -> None:
    answer = {"score": 10, "summary": "PERSON_1 waits.", "reasoning": "PERSON_1 is expected."}
    models = Scripted([f"```json\n{json.dumps(answer)}\n```"])
    reply = await replies(PromptedAnswers(loaded_prompts(Settings()))).reply(
        models, InferenceTask.RISK_ANALYZER, OWN, names=["Priya Sharma"], model="large", on_text=unheard
    )
    [(system, sent)] = models.sent
    assert (system.role, sent) == ("system", SENT)
    assert reply.value == {"score": 10, "summary": "Priya Sharma waits.", "reasoning": "Priya Sharma is expected."}
    assert (reply.repaired, reply.model, reply.prompt_tokens, reply.completion_tokens) == (True, "large", 100, 20)

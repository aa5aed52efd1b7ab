"""Structured answers through the router, over real sockets: what leaves the premises, and what comes back."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from domain.inference import InferenceTask, ProviderKind
from domain.structured import Identity, Usage
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.fake_llm import NESTED, FakeLlm, Refuse, Say
from tests.gpu.inference.routing import Setting, routed

PROMPTS = load_prompts()
ANSWERS = PromptedAnswers(PROMPTS)
PEOPLE = [Identity(names=("Priya Sharma", "प्रिया शर्मा"), phones=("+919820000001",), emails=("priya.s@example.com",))]
PERSONAL = ("priya", "sharma", "प्रिया", "98200", "00001", "example.com")
BATCH: dict[str, object] = {
    "camera": "Priya Sharma's gate",
    "detections": [{"label": "PRIYA", "note": "98200 00001, priya.s@example.com, प्रिया"}],
}
ANSWER = json.dumps({"score": 10, "summary": "PERSON_1 came.", "reasoning": "PERSON_1_2, PHONE_1, \u201cEMAIL_1\u201d"})
VALUE = {
    "score": 10,
    "summary": "Priya Sharma came.",
    "reasoning": "PRIYA, 98200 00001, \u201cpriya.s@example.com\u201d",
}


@asynccontextmanager
async def hosted(kind: ProviderKind, *before: Mapping[str, Any]) -> AsyncIterator[tuple[Setting, FakeLlm]]:
    """A router whose last provider is no one's on the premises. TLS is for the real world: the fake has none."""
    entry = {"kind": kind.name, "on_premise": False, "url": "https://hosted.invalid"}
    fake = FakeLlm(kind)
    async with fake.serving(), routed(*before, entry) as setting:
        setting.router.endpoints[f"p{len(before)}"].wire._root = fake.url
        yield setting, fake


@pytest.mark.parametrize("kind", list(ProviderKind), ids=lambda kind: kind.name)
async def test_nothing_personal_is_on_the_wire(kind: ProviderKind) -> None:
    pieces: list[str] = []

    async def on_text(piece: str) -> None:
        pieces.append(piece)

    async with hosted(kind) as (setting, fake):
        fake.otherwise = Say(f"```json\n{ANSWER}\n```", dribble=True)
        answer = await ANSWERS.ask(
            setting.models, InferenceTask.RISK_ANALYZER, BATCH, people=PEOPLE, on_text=on_text
        )  # fmt: skip
        wire = "\n".join(json.dumps(each.body, ensure_ascii=False) for each in fake.received).casefold()
        [asked] = fake.asked
    assert [word for word in PERSONAL if word in wire] == []
    assert "person_1" in wire
    assert '"additionalProperties"' in json.dumps({**asked.body, "messages": []})
    assert (answer.value, answer.repaired, answer.asked_again, answer.on_premise) == (VALUE, True, False, False)
    assert "".join(pieces) == answer.text
    assert json.loads(answer.text.removeprefix("```json\n").removesuffix("\n```")) == VALUE


async def test_a_fallback_from_the_premises_to_a_host_hides_what_the_first_would_have_seen() -> None:
    async with hosted(ProviderKind.NVIDIA, {"on_premise": True}) as (setting, fake):
        setting.fakes["p0"].otherwise = Refuse(503, NESTED)
        fake.otherwise = Say(ANSWER)
        answer = await ANSWERS.ask(setting.models, InferenceTask.RISK_ANALYZER, BATCH, people=PEOPLE)
        seen = [json.dumps(each.asked[0].body, ensure_ascii=False).casefold() for each in (setting.fakes["p0"], fake)]
    assert (answer.provider, answer.on_premise, answer.value) == ("p1", False, VALUE)
    assert "priya sharma's gate" in seen[0]
    assert [word for word in PERSONAL if word in seen[1]] == []


async def test_an_answer_that_was_cut_off_is_asked_for_again() -> None:
    async with hosted(ProviderKind.VLLM) as (setting, fake):
        fake.otherwise = lambda body: (
            Say(ANSWER) if body["messages"][-1]["content"].startswith("Your answer") else Say(ANSWER[:-9], "length")
        )
        answer = await ANSWERS.ask(setting.models, InferenceTask.RISK_ANALYZER, BATCH, people=PEOPLE)
        first, second = fake.asked
        wire = json.dumps([first.body, second.body], ensure_ascii=False).casefold()
    assert (answer.value, answer.repaired, answer.asked_again) == (VALUE, False, True)
    assert [message["role"] for message in second.body["messages"]] == ["system", "user", "assistant", "user"]
    assert second.body["messages"][2]["content"] == json.loads(json.dumps(ANSWER[:-9]))
    assert [word for word in PERSONAL if word in wire] == []
    assert isinstance(answer.usage, Usage)

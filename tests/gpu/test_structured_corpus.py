"""Every answer of the corpus ends as was written by hand: accepted as it is, accepted unwrapped, or refused."""

import json
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from domain.inference import FinishReason, InferenceTask
from domain.structured import AnswerRefused, Fault
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.gpu.models import Scripted

FOLDER = Path(__file__).parent / "structured"
CASES = {
    "plain": 12,
    "fences": 12,
    "prose": 12,
    "thinking": 12,
    "truncation": 16,
    "types": 15,
    "duplicates": 9,
    "numbers": 15,
    "ranges": 12,
    "fields": 12,
    "several": 10,
    "shapes": 13,
    "grammar": 21,
    "languages": 11,
    "unicode": 15,
    "injected": 13,
    "empty": 8,
}
"""How many answers there are of each class."""
OUTCOMES = {
    "accepted as it was": 20,
    "accepted repaired": 29,
    "BROKEN_JSON": 35,
    "CUT_OFF": 11,
    "DUPLICATE_KEY": 8,
    "EMPTY": 5,
    "FILTERED": 2,
    "NOT_AN_OBJECT": 11,
    "NOT_A_NUMBER": 7,
    "NO_JSON": 16,
    "SEVERAL": 13,
    "SHAPE": 51,
    "UNFIT_TEXT": 8,
    "UNKNOWN_TOKEN": 2,
}

ANSWERS = PromptedAnswers(load_prompts())

# What is said of a fault that needs no words of its own.
REASONS = {
    Fault.EMPTY: "it is empty.",
    Fault.CUT_OFF: "it ends before it is whole.",
    Fault.FILTERED: "the provider withheld it.",
    Fault.NO_JSON: "there is no JSON object in it.",
    Fault.BROKEN_JSON: "the JSON in it is not valid.",
    Fault.SEVERAL: "there is more than one JSON object in it.",
    Fault.NOT_AN_OBJECT: "it is no JSON object.",
    Fault.DUPLICATE_KEY: "an object in it has the same key twice.",
    Fault.UNFIT_TEXT: "a text in it has characters that are no text.",
    Fault.UNKNOWN_TOKEN: "it has a token such as PERSON_1 that was not given.",
}
NUMBER_REASONS = {"NaN and Infinity are no JSON numbers.", "a number in it is too large."}

VARIABLES: dict[InferenceTask, dict[str, object]] = {
    InferenceTask.QD_CALCULATOR: {"session": {}, "scenes": [], "interactions": []},
    InferenceTask.LEAD_TAGGER: {"lead": {}, "facts": [], "interactions": [], "allowed_tags": []},
    InferenceTask.CCTV_PROFILER: {"event": {}, "detections": []},
    InferenceTask.RISK_ANALYZER: {"camera": "Gate 2", "detections": []},
    InferenceTask.PROMPT_EXPANDER: {"room_type": "KITCHEN", "keywords": []},
}


@dataclass(frozen=True, slots=True)
class Case:
    """An answer as a model gave it, and what becomes of it: a value, or a fault with its reason."""

    group: str
    name: str
    text: str
    task: InferenceTask
    finish: FinishReason
    value: str | None
    repaired: bool | None
    fault: Fault | None
    reason: str | None

    @property
    def outcome(self) -> str:
        if self.fault is not None:
            return self.fault.name
        return "accepted repaired" if self.repaired else "accepted as it was"


def cases_of(path: Path) -> list[Case]:
    return [case_of(path.stem, **case) for case in tomllib.loads(path.read_text())["case"]]


def case_of(
    group: str,
    *,
    name: str,
    text: str,
    task: str = "RISK_ANALYZER",
    finish: str = "STOP",
    value: str | None = None,
    repaired: bool | None = None,
    fault: str | None = None,
    reason: str | None = None,
) -> Case:
    """Read a case. It has a value and whether it was repaired, or a fault; a shape's fault also has its reason."""
    assert (value is None) is (repaired is None) is (fault is not None)
    assert (reason is not None) is (fault == "SHAPE")
    wrong = None if fault is None else Fault[fault]
    return Case(group, name, text, InferenceTask[task], FinishReason[finish], value, repaired, wrong, reason)


CORPUS = [case for path in sorted(FOLDER.glob("*.toml")) for case in cases_of(path)]


def typed(value: Any) -> Any:
    """A value whose numbers also say of which type they are: 40 is not 40.0."""
    match value:
        case dict():
            return {key: typed(each) for key, each in value.items()}
        case list():
            return [typed(each) for each in value]
        case _:
            return (type(value).__name__, value)


def test_the_corpus_is_whole() -> None:
    assert Counter(case.group for case in CORPUS) == CASES
    assert len(CASES) == 17
    assert len(CORPUS) == 218
    assert len({(case.group, case.name) for case in CORPUS}) == len(CORPUS)
    assert len({(case.task, case.finish, case.text) for case in CORPUS}) == len(CORPUS)


def test_every_outcome_is_there() -> None:
    assert Counter(case.outcome for case in CORPUS) == OUTCOMES


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: f"{case.group}: {case.name}")
async def test_an_answer_ends_as_it_was_written(case: Case) -> None:
    models = Scripted([case.text], case.finish)
    asked = ANSWERS.ask(models, case.task, VARIABLES[case.task], people=[])
    if case.value is not None:
        answer = await asked
        assert typed(answer.value) == typed(json.loads(case.value))
        assert (answer.repaired, answer.asked_again, len(models.asked)) == (case.repaired, False, 1)
        return
    with pytest.raises(AnswerRefused) as refused:
        await asked
    assert refused.value.fault is case.fault
    if case.fault is Fault.NOT_A_NUMBER:
        assert refused.value.reason in NUMBER_REASONS
    else:
        assert refused.value.reason == (case.reason or REASONS[refused.value.fault])
    assert len(models.asked) == 2

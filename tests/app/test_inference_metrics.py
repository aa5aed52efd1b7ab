"""What `/metrics` tells of models: that it moves with what is asked, and that no label comes from a client."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.metrics.inference import Asked
from domain.errors import Unavailable
from domain.inference import CircuitState, InferenceTask, Message, ModelRefused, ModelUnavailable, Sighting
from domain.structured import AnswerRefused
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from tests.fake_llm import NESTED, Refuse, Say
from tests.gpu.inference.routing import ASKED, TENANT, Setting, routed

LIMITED = '{"status":429,"title":"Too Many Requests"}'
RISK = '{"score": 7, "summary": "A van.", "reasoning": "It is by day."}'


class Heard:
    """What other processes have told."""

    def __init__(self, *told: Sighting) -> None:
        self._told = told
        self.away = False

    async def tell(self, seen: Sequence[Sighting]) -> None:
        """Nobody listens."""

    async def others(self) -> Sequence[Sighting]:
        if self.away:
            raise Unavailable
        return self._told


def labels(given: Mapping[str, str]) -> list[str]:
    """The values of labels, as they are read."""
    return [given[name] for name in ("provider", "task", "outcome", "of", "state", "fault", "le") if name in given]


async def samples(setting: Setting, heard: Heard | None = None) -> dict[str, float]:
    """Every sample by its name and the values of its labels."""
    registry, asked = CollectorRegistry(), Asked(setting.router, heard or Heard())
    registry.register(asked)
    await asked.read()
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        " ".join((each.name.removeprefix("velocity_model_"), *labels(each.labels))): each.value
        for family in families
        for each in family.samples
    }


async def test_requests_seconds_and_tokens_are_counted_by_provider_task_and_outcome() -> None:
    async with routed({}, {}) as setting:
        before = await samples(setting)
        await setting.models.complete(ASKED)
        setting.fakes["p0"].otherwise = Refuse(500, NESTED)
        await setting.models.complete(replace(ASKED, model=None))
        after = await samples(setting)
    assert "requests_total p0 CHAT ANSWERED" not in before
    assert {name: value for name, value in after.items() if name.startswith("requests_total")} == {
        "requests_total p0 CHAT ANSWERED": 1, "requests_total p0 CHAT UNKNOWN": 1,
        "requests_total p1 CHAT ANSWERED": 1,
    }  # fmt: skip
    assert (after["seconds_count p0"], after["seconds_count p1"], before["seconds_count p0"]) == (1, 1, 0)
    assert after["seconds_bucket p0 0.1"] == after["seconds_bucket p0 +Inf"] == 1
    assert (after["tokens_total p0 prompt"], after["tokens_total p0 completion"]) == (11, 7)


async def test_waiting_for_a_limit_is_counted_and_other_waiting_is_not() -> None:
    async with routed({}) as setting:
        setting.fakes["p0"].script += [Refuse(500, NESTED), Refuse(429, LIMITED, {"retry-after": "7"})]
        before = await samples(setting)
        await setting.models.complete(ASKED)
        after = await samples(setting)
    assert (before["limit_waits_total p0"], before["limit_wait_seconds_total p0"]) == (0, 0)
    assert "requests_per_minute p0" not in before
    assert setting.time.waits == [0.5, 7.0]
    assert (after["limit_waits_total p0"], after["limit_wait_seconds_total p0"]) == (1, 7)
    assert after["requests_per_minute p0"] == pytest.approx(1.05)
    assert after["requests_total p0 CHAT RATE_LIMITED"] == 1


async def test_answers_that_did_not_fit_are_counted() -> None:
    async with routed({}) as setting:
        answers = PromptedAnswers(load_prompts(), setting.router.tallies)
        fake, models = setting.fakes["p0"], setting.router.of(TENANT)
        asked = (Message("user", "What was that?"),)
        fake.script += [Say(RISK), Say(f"```json\n{RISK}\n```"), Say("Nothing."), Say(RISK)]
        for _ in range(3):
            await answers.ask_with(models, InferenceTask.RISK_ANALYZER, asked, people=())
        fake.otherwise = Say('{"score": 7')
        with pytest.raises(AnswerRefused):
            await answers.ask_with(models, InferenceTask.RISK_ANALYZER, asked, people=())
        after = await samples(setting)
    outcomes = {name: value for name, value in after.items() if name.startswith("answers_total RISK")}
    assert outcomes == {
        "answers_total RISK_ANALYZER AS_IT_CAME": 2, "answers_total RISK_ANALYZER REPAIRED": 1,
        "answers_total RISK_ANALYZER REFUSED": 1,
    }  # fmt: skip
    assert after["answers_asked_again_total RISK_ANALYZER"] == 2
    assert (after["answer_faults_total NO_JSON"], after["answer_faults_total BROKEN_JSON"]) == (1, 2)
    assert "answers_total CHAT REFUSED" not in after


async def test_circuits_are_counted_over_all_processes() -> None:
    heard = Heard(
        Sighting("p0", CircuitState.OPEN, 5.0),
        Sighting("p0", CircuitState.HALF_OPEN),
        Sighting("gone", CircuitState.OPEN),
    )
    async with routed({}) as setting:
        before = await samples(setting, heard)
        setting.router.endpoints["p0"].breaker.open(60)
        after = await samples(setting, heard)
        heard.away = True
        alone = await samples(setting, heard)
    assert [before[f"circuits p0 {state}"] for state in ("CLOSED", "OPEN", "HALF_OPEN")] == [1, 1, 1]
    assert [after[f"circuits p0 {state}"] for state in ("CLOSED", "OPEN", "HALF_OPEN")] == [0, 2, 1]
    assert [alone[f"circuits p0 {state}"] for state in ("CLOSED", "OPEN", "HALF_OPEN")] == [0, 1, 0]
    assert not [name for name in after if "gone" in name]


async def test_what_clients_send_names_no_label() -> None:
    async with routed({}) as setting:
        before = await samples(setting)
        with pytest.raises((ModelUnavailable, ModelRefused)):
            await setting.models.complete(replace(ASKED, model="a-model-of-the-client-s"))
        assert (await samples(setting)).keys() == before.keys()

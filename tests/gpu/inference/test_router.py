"""Who is asked, in which order, how often and how patiently; and what is said when nobody can answer."""

import asyncio
import re
from dataclasses import dataclass, field, replace

import pytest

from domain.inference import (
    CircuitState,
    InferenceTask,
    Message,
    ModelRefused,
    ModelUnavailable,
    ProviderStatus,
    ProviderSwitch,
    RefusalCode,
)
from tests.fake_llm import NESTED, PROBLEM, Break, Refuse, Say, Stall
from tests.gpu.inference.routing import ASKED, routed

LIMITED = '{"status":429,"title":"Too Many Requests"}'
NOT_OURS = '{"status":404,"title":"Not Found","detail":"Function \'f\': Not found for account \'a\'"}'
LONG = replace(ASKED, messages=(Message("user", "x" * 7000),))


@dataclass
class Tokens:
    """Pseudonyms of one name."""

    hidden: list[str] = field(default_factory=list)

    def hide(self, text: str) -> str:
        self.hidden.append(text)
        return text.replace("Ananya", "<P1>")

    def restore(self, text: str) -> str:
        return text.replace("<P1>", "Ananya")

    def settled(self, text: str) -> int:
        open_at = text.rfind("<")
        return len(text) if open_at == -1 or ">" in text[open_at:] else open_at


async def test_the_first_by_priority_answers_and_the_next_one_when_it_cannot() -> None:
    async with routed({"priority": 5}, {"priority": 1}) as setting:
        assert (await setting.models.complete(ASKED)).provider == "p1"
        setting.fakes["p1"].otherwise = Refuse(503, NESTED)
        assert (await setting.models.complete(ASKED)).provider == "p0"
    assert setting.time.waits == []


async def test_the_fallback_model_of_a_provider_comes_before_the_next_provider() -> None:
    async with routed({"fallback_model": "m2"}, {}) as setting:
        setting.fakes["p0"].script.append(Refuse(404, NOT_OURS))
        done = await setting.models.complete(ASKED)
        assert (done.provider, done.model) == ("p0", "m2")
        # The model is left alone from now on, and the provider is not.
        again = await setting.models.complete(ASKED)
        assert (again.provider, again.model) == ("p0", "m2")
        assert [each.body["model"] for each in setting.fakes["p0"].asked] == ["m1", "m2", "m2"]
        assert setting.router.endpoints["p0"].breaker.state is CircuitState.CLOSED


async def test_rules_choose_by_task_and_size_of_the_prompt() -> None:
    rules = (
        {"tasks": ["LEAD_TAGGER"], "providers": ["p1"], "models": {"p1": "m2"}},
        {"least_prompt_tokens": 1000, "providers": ["p1", "p0"]},
    )
    async with routed({}, {}, rules=rules) as setting:
        small = await setting.models.complete(ASKED)
        large = await setting.models.complete(LONG)
        tagger = await setting.models.complete(replace(ASKED, task=InferenceTask.LEAD_TAGGER))
        setting.fakes["p1"].otherwise = Refuse(500, NESTED)
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(replace(ASKED, task=InferenceTask.LEAD_TAGGER))
    assert [each.provider for each in (small, large, tagger)] == ["p0", "p1", "p1"]
    assert tagger.model == "m2"
    assert [(each.provider, each.model) for each in raised.value.tried] == [("p1", "m2")]


async def test_a_model_that_is_asked_for_comes_from_whoever_has_it() -> None:
    async with routed({}, {"models": ["special"]}) as setting:
        done = await setting.models.complete(replace(ASKED, model="special"))
        with pytest.raises(ModelUnavailable, match="No provider serves nothing-like-it"):
            await setting.models.complete(replace(ASKED, model="nothing-like-it"))
        await setting.router.endpoints["p0"].look()
        found = await setting.models.complete(replace(ASKED, model="m2"))
    assert (done.provider, done.model, found.provider, found.model) == ("p1", "special", "p0", "m2")


async def test_operators_switch_providers_priorities_and_models() -> None:
    async with routed({}, {}) as setting:
        ids = {name: each.id for name, each in setting.router.endpoints.items()}
        setting.switches.switched = {ids["p1"]: ProviderSwitch(priority=0, model="m2"), ids["p0"]: ProviderSwitch()}
        setting.switches.switched[ids["p0"]] = ProviderSwitch(priority=1)
        done = await setting.models.complete(ASKED)
        setting.switches.switched = {each: ProviderSwitch(enabled=False) for each in ids.values()}
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
    assert (done.provider, done.model) == ("p1", "m2")
    said = "No model can answer now. p0 (m1): it is switched off; p1 (m1): it is switched off"
    assert raised.value.message == said


async def test_too_long_a_request_is_not_sent_and_is_no_reason_to_wait() -> None:
    async with routed({"context_tokens": 1000}, {"context_tokens": 500}) as setting:
        with pytest.raises(ModelRefused) as raised:
            await setting.models.complete(LONG)
        assert all(each.received == [] for each in setting.fakes.values())
    assert (raised.value.refusal, raised.value.retryable) == (RefusalCode.CONTEXT_TOO_LONG, False)
    assert raised.value.message == "p1 (m1): the request has about 2008 tokens, and it takes 500."


async def test_an_answer_is_as_long_as_there_is_room_for_it() -> None:
    long = replace(LONG, max_tokens=500)
    async with routed({"context_tokens": 2100}, {"context_tokens": 2060}) as setting:
        done = await setting.models.complete(long)
        [sent] = setting.fakes["p0"].asked
        assert (done.provider, sent.body["max_tokens"]) == ("p0", 92)
        setting.fakes["p0"].otherwise = Refuse(500, NESTED)
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(long)
        assert setting.fakes["p1"].received == []
    # There would be room for 52 tokens.
    assert [each.code for each in raised.value.tried] == [RefusalCode.UNKNOWN, RefusalCode.CONTEXT_TOO_LONG]


async def test_a_refused_request_is_refused_when_nobody_takes_it() -> None:
    body = '{"error":{"message":"temperature must be positive","type":"invalid_request_error"}}'
    async with routed({}, {}) as setting:
        for fake in setting.fakes.values():
            fake.otherwise = Refuse(400, body)
        with pytest.raises(ModelRefused) as raised:
            await setting.models.complete(ASKED)
        assert [len(each.asked) for each in setting.fakes.values()] == [1, 1]
    assert (raised.value.refusal, raised.value.retryable) == (RefusalCode.INVALID_REQUEST, False)
    assert raised.value.message == "p1 (m1): it refuses the request (HTTP 400): temperature must be positive."


async def test_tries_are_spaced_and_counted() -> None:
    async with routed({}) as setting:
        setting.fakes["p0"].script += [Refuse(500, NESTED), Break()]
        assert (await setting.models.complete(ASKED)).text == "Hello there."
        assert setting.time.waits == [0.5, 1.0]


async def test_five_failures_open_the_circuit_and_one_answer_closes_it() -> None:
    async with routed({}) as setting:
        fake, endpoint = setting.fakes["p0"], setting.router.endpoints["p0"]
        fake.otherwise = Refuse(500, NESTED)
        for _ in range(2):
            with pytest.raises(ModelUnavailable):
                await setting.models.complete(ASKED)
        assert endpoint.breaker.state is CircuitState.OPEN
        endpoint.breaker.open(100)
        asked = len(fake.asked)
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
        assert len(fake.asked) == asked
        assert raised.value.tried[0].code is RefusalCode.CIRCUIT_OPEN
        assert raised.value.retry_after == 100
        fake.otherwise = Say()
        setting.time.seconds += 100
        assert (await setting.models.complete(ASKED)).provider == "p0"
        assert (endpoint.breaker.state, endpoint.found.status) == (CircuitState.CLOSED, ProviderStatus.HEALTHY)


async def test_a_wrong_key_is_not_tried_again_for_a_while() -> None:
    async with routed({"key": "right"}, {}) as setting:
        setting.fakes["p0"].key = "another"
        for _ in range(3):
            assert (await setting.models.complete(ASKED)).provider == "p1"
        assert len(setting.fakes["p0"].asked) == 1


async def test_whoever_cannot_be_reached_comes_last_for_a_moment() -> None:
    async with routed({"url": "http://127.0.0.1:9"}, {}) as setting:
        assert (await setting.models.complete(ASKED)).provider == "p1"
        endpoint = setting.router.endpoints["p0"]
        assert (endpoint.found.status, endpoint.ailing) == (ProviderStatus.DOWN, True)
        setting.time.seconds += 15
        assert not endpoint.ailing


async def test_too_many_requests_wait_as_long_as_the_provider_says() -> None:
    async with routed({}) as setting:
        setting.fakes["p0"].script += [Refuse(429, LIMITED, {"retry-after": "7"})]
        assert (await setting.models.complete(ASKED)).text == "Hello there."
        endpoint = setting.router.endpoints["p0"]
        assert (setting.time.waits, endpoint.pace.per_minute) == ([7.0], 1.05)
        assert endpoint.breaker.outcomes == (1, 0)


async def test_too_many_requests_without_a_time_slow_down_by_themselves() -> None:
    async with routed({"requests_per_minute": 600}) as setting:
        setting.fakes["p0"].script += [Refuse(429, LIMITED)]
        assert (await setting.models.complete(ASKED)).text == "Hello there."
        assert setting.router.endpoints["p0"].pace.per_minute == 315
        assert setting.time.waits == [0.5]


async def test_a_longer_limit_is_said_and_not_waited_for() -> None:
    async with routed({}) as setting:
        setting.fakes["p0"].otherwise = Refuse(429, LIMITED, {"retry-after": "600"})
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
    assert raised.value.message == (
        "No model can answer now. p0 (m1): it limits how often it is asked (HTTP 429): Too Many Requests"
    )
    assert (raised.value.retry_after, setting.time.waits) == (600, [])


async def test_a_turn_within_a_limit_is_waited_for_longer_than_a_fault() -> None:
    async with routed({"requests_per_minute": 1}) as setting:
        for _ in range(2):
            assert (await setting.models.complete(ASKED)).text == "Hello there."
        assert setting.time.waits == [60]
        setting.fakes["p0"].otherwise = Refuse(500, NESTED)
        setting.time.seconds += 60
        setting.time.waits.clear()
        with pytest.raises(ModelUnavailable):
            await setting.models.complete(ASKED)
    # Three tries, a minute apart: the pauses between them would have been over long before.
    assert setting.time.waits == [0.5, 59.5, 1.0, 59.0]


async def test_a_limited_provider_gives_way_to_one_that_is_free() -> None:
    async with routed({}, {}) as setting:
        setting.fakes["p0"].otherwise = Refuse(429, LIMITED, {"retry-after": "5"})
        assert [(await setting.models.complete(ASKED)).provider for _ in range(3)] == ["p1"] * 3
        assert len(setting.fakes["p0"].asked) == 1


async def test_no_more_run_at_once_than_a_provider_serves() -> None:
    async with routed({"at_once": 3}) as setting:
        fake = setting.fakes["p0"]
        fake.otherwise = stall = Stall()
        every = asyncio.gather(*(setting.models.complete(ASKED) for _ in range(20)))
        while fake.running < 3:
            await asyncio.wait({every}, timeout=0.01)
        stall.released.set()
        await every
        assert (fake.most_running, len(fake.asked)) == (3, 20)
        assert setting.router.endpoints["p0"].in_flight == 0


async def test_hosted_providers_get_pseudonyms_and_their_answers_get_names() -> None:
    tokens, heard = Tokens(), list[str]()

    async def on_text(text: str) -> None:
        heard.append(text)

    request = replace(ASKED, messages=(Message("user", "Call Ananya."),), pseudonyms=tokens)
    async with routed({"on_premise": False, "kind": "VLLM", "url": "https://hosted.invalid"}, {}) as setting:
        # TLS is for the real world: the fake stands behind the same provider's settings.
        endpoint = setting.router.endpoints["p0"]
        endpoint.wire._root = setting.fakes["p1"].url
        setting.fakes["p1"].otherwise = Say("I call <P1> now.")
        done = await setting.models.complete(request, on_text=on_text)
        [sent] = setting.fakes["p1"].asked
        assert (done.provider, done.on_premise, done.text) == ("p0", False, "I call Ananya now.")
        assert sent.body["messages"] == [{"role": "user", "content": "Call <P1>."}]
        assert ("".join(heard), tokens.hidden) == ("I call Ananya now.", ["Call Ananya."])
        local = await setting.models.complete(replace(request, pseudonyms=None))
        assert (local.provider, local.on_premise, local.text) == ("p1", True, "I call <P1> now.")


async def test_on_premise_models_get_the_names_themselves() -> None:
    request = replace(ASKED, messages=(Message("user", "Call Ananya."),), pseudonyms=Tokens())
    async with routed({}) as setting:
        await setting.models.complete(request)
        assert setting.fakes["p0"].asked[0].body["messages"][0]["content"] == "Call Ananya."


async def test_without_pseudonyms_nothing_leaves_the_premises() -> None:
    async with routed({"on_premise": False, "url": "https://hosted.invalid"}) as setting:
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
    assert raised.value.tried[0].code is RefusalCode.WITHHELD


async def test_nothing_configured_is_said() -> None:
    async with routed() as setting:
        with pytest.raises(ModelUnavailable, match=re.escape("No provider is configured.")):
            await setting.models.complete(ASKED)


async def test_everybody_who_was_tried_is_named() -> None:
    async with routed({"fallback_model": "m2"}, {}, {"url": "http://127.0.0.1:9"}) as setting:
        setting.fakes["p0"].otherwise = Refuse(503, PROBLEM)
        setting.fakes["p1"].otherwise = Refuse(404, NOT_OURS)
        with pytest.raises(ModelUnavailable) as raised:
            await setting.models.complete(ASKED)
    codes = {(each.provider, each.model): each.code for each in raised.value.tried}
    assert codes == {
        ("p0", "m1"): RefusalCode.OVERLOADED, ("p0", "m2"): RefusalCode.OVERLOADED,
        ("p1", "m1"): RefusalCode.MODEL_NOT_FOUND, ("p2", "m1"): RefusalCode.UNREACHABLE,
    }  # fmt: skip
    assert all(name in raised.value.message for name in ("p0 (m1)", "p0 (m2)", "p1 (m1)", "p2 (m1)"))


async def test_a_cancelled_request_gives_its_place_back() -> None:
    stall = Stall()
    async with routed({}) as setting:
        setting.fakes["p0"].script.append(stall)
        first = asyncio.create_task(setting.models.complete(ASKED))
        second = asyncio.create_task(setting.models.complete(ASKED))
        while not setting.fakes["p0"].asked:
            await asyncio.wait({first, second}, timeout=0.01)
        first.cancel()
        assert (await second).text == "Hello there."
        assert setting.router.endpoints["p0"].in_flight == 0

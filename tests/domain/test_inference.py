"""The rules of inference: what a batch may be, what it hashes to, and how switches change."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.errors import Invalid
from domain.inference import (
    InferenceProviderUpdate,
    InferenceSubmit,
    InferenceTask,
    Message,
    ModelUnavailable,
    Names,
    NewItem,
    ProviderSwitch,
    RefusalCode,
    Tried,
    check_submit,
    items_hash,
    provider_id,
    switched,
    texts_in,
    words_of,
)

HELLO = Message("user", "Hello.")
ONE = NewItem("one", (HELLO,))
PROVIDER = UUID(int=1)


def submit(*items: NewItem, model: str | None = None) -> InferenceSubmit:
    return InferenceSubmit(InferenceTask.CHAT, items, model)


def issues_of(command: InferenceSubmit) -> list[str]:
    with pytest.raises(Invalid) as raised:
        check_submit(command)
    return [issue.field for issue in raised.value.issues]


def test_a_batch_has_1_to_1000_items() -> None:
    thousand = [replace(ONE, request_id=str(number)) for number in range(1000)]
    check_submit(submit(*thousand))
    assert issues_of(submit()) == ["items"]
    assert issues_of(submit(*thousand, ONE)) == ["items"]


def test_every_issue_is_named() -> None:
    wrong = (
        NewItem("", (HELLO,)),
        NewItem("x" * 201, ()),
        ONE,
        ONE,
        NewItem("roles", (Message("tool", "Hi."), Message("user", " "))),
        NewItem("system", (Message("system", "Be kind."),)),
    )
    assert issues_of(submit(*wrong, model=" ")) == [
        "model",
        "items.0.requestId",
        "items.1.requestId",
        "items.1.messages",
        "items.3.requestId",
        "items.4.messages.0.role",
        "items.4.messages.1.content",
        "items.5.messages",
    ]


def test_the_hash_is_of_ids_roles_texts_and_their_order() -> None:
    two = NewItem("two", (HELLO, Message("assistant", "Hello. ")))
    batches = [
        (ONE, two), (two, ONE), (ONE,), (replace(ONE, request_id="uno"), two),
        (ONE, replace(two, messages=(HELLO, Message("user", "Hello. ")))),
    ]  # fmt: skip
    assert len({items_hash(each) for each in batches}) == len(batches)
    assert items_hash((ONE,)) == items_hash([NewItem("one", [Message("user", "Hello.")])])


def test_a_switch_keeps_what_is_left_out_and_gives_back_what_is_null() -> None:
    before = ProviderSwitch(enabled=False, priority=3, model="m")
    assert switched(before, InferenceProviderUpdate(PROVIDER)) == before
    assert switched(before, InferenceProviderUpdate(PROVIDER, enabled=None, priority=0)) == ProviderSwitch(
        priority=0, model="m"
    )


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (InferenceProviderUpdate(PROVIDER, priority=-1), "priority"),
        (InferenceProviderUpdate(PROVIDER, priority=1001), "priority"),
        (InferenceProviderUpdate(PROVIDER, model=""), "model"),
        (InferenceProviderUpdate(PROVIDER, model="m "), "model"),
        (InferenceProviderUpdate(PROVIDER, model="m" * 201), "model"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(command: InferenceProviderUpdate, field: str) -> None:
    with pytest.raises(Invalid) as raised:
        switched(ProviderSwitch(), command)
    assert raised.value.field == field


def test_a_provider_is_the_same_everywhere() -> None:
    assert provider_id("nvidia") == provider_id("nvidia") != provider_id("ollama")
    assert str(provider_id("local")) == str(UUID(str(provider_id("local"))))


def test_names_are_found_by_any_part_whatever_their_case() -> None:
    names = ["Ananya Rao-Mehta", "राज शर्मा", "Xi Li", "Vikram Shah"]
    messages = (Message("user", "Call MEHTA about the villa; शर्मा wants it too, and li."), Message("user", "Now."))
    assert Names(names).within(messages) == ["Ananya Rao-Mehta", "राज शर्मा", "Xi Li"]
    assert Names([*names, "Ananya Rao-Mehta"]).within(messages[1:]) == []
    assert words_of(["a 12 bc_de, O'Brien\u2019s \u201cशर्मा\u201d\u2026"]) == {"12", "bc", "de", "brien", "शर्मा"}


def test_unavailable_names_what_was_tried_and_why() -> None:
    tried = (
        Tried("near", "m1", RefusalCode.OVERLOADED, "it is too busy"),
        Tried("far", "m2", RefusalCode.SWITCHED_OFF, "it is switched off"),
    )
    assert ModelUnavailable(tried).message == (
        "No model can answer now. near (m1): it is too busy; far (m2): it is switched off"
    )
    assert ModelUnavailable(()).message == "No model can answer now. No provider is configured."


def test_words_that_may_be_a_part_of_a_name_are_small_and_plain() -> None:
    said = words_of(["JOSÉ, Asha-ji and Pri\u200bya's", "ПЕТРОВА"])
    assert {"jose", "asha", "priya", "петрова"} <= said
    assert "a" not in words_of(["a b"])
    # A whole name is said where all of its parts are, however they are written.
    assert words_of(["José Ñúñez"]) <= words_of(["NUNEZji, Jose"])


def test_texts_are_looked_for_everywhere_in_data() -> None:
    data = {"key": ["one", {"deep": ("two", 3, None)}], "4": True}
    assert list(texts_in(data)) == ["key", "one", "deep", "two", "4"]

"""Every prompt is asked about the demo's people: nothing of them is in what is sent, all is in what comes back."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat

from app.demo.generate import generate
from app.demo.team import MERIDIAN, SAFFRON, TenantPlan
from domain.inference import InferenceTask, Message
from domain.pseudonyms import Pseudonymiser
from domain.structured import Identity
from gpu.structured import PromptedAnswers
from prompts.loading import load_prompts
from prompts.rendering import rendered
from tests.gpu.models import Scripted

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PROMPTS = load_prompts()
ANSWERS = PromptedAnswers(PROMPTS)
PARTICLES = {"al", "bin"}
"""Parts of the demo's names that say nothing of whose they are, and stay."""
MARK: Final = re.compile(r"^(?:BEGIN|END) DATA \w+ [0-9a-f]{16}$", re.MULTILINE)
GIVEN_TOKENS: Final = re.compile(r"(?:PERSON|PHONE|EMAIL|IDENTIFIER|ADDRESS)_\d+(?:_\d+)?")


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of the demo, or one of its brokers."""

    name: str
    phone: str | None
    email: str | None

    @property
    def identity(self) -> Identity:
        return Identity((self.name,), (self.phone,) if self.phone else (), (self.email,) if self.email else ())

    @property
    def parts(self) -> set[str]:
        """What names them: every part of the name of more than a letter that is no particle."""
        return {part for part in re.findall(r"\w+", self.name.casefold()) if len(part) > 1} - PARTICLES

    @property
    def spellings(self) -> list[str]:
        """Their name and phone as others would write them."""
        name = [self.name, self.name.upper(), self.name.lower(), " ".join(reversed(self.name.split()))]
        name += [f"{self.name.split()[-1]}'s", f"{self.name.split()[-1]}ji", self.name.replace(" ", "_")]
        name += [self.email, self.email.upper()] if self.email else []
        if self.phone is None:
            return name
        number = phonenumbers.parse(self.phone)
        national = phonenumbers.national_significant_number(number)
        phones = [self.phone, phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)]
        phones += [phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL), national, f"0{national}"]
        phones += [self.phone.replace("+", "00"), self.phone.removeprefix("+"), "-".join(national)]
        return name + phones


@dataclass(frozen=True, slots=True)
class Tenant:
    people: list[Somebody]
    sayings: list[str]


def tenant(plan: TenantPlan) -> Tenant:
    """Generate a small tenant: its people and brokers, and all that is written or said in it."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for batch in generate(plan, 0.02, "a hash", NOW):
        for table, some in batch.rows.items():
            names = batch.column_names(table)
            rows.setdefault(table, []).extend(dict(zip(names, row, strict=True)) for row in some)
    people = [Somebody(row["full_name"], row["primary_phone_e164"], row["primary_email"]) for row in rows["people"]]
    people += [Somebody(row["full_name"], None, row["email"]) for row in rows["users"]]
    sayings = [row["text"] for table in ("thread_messages", "transcript_segments", "facts") for row in rows[table]]
    return Tenant(people, [saying for saying in sayings if saying])


@pytest.fixture(scope="module", params=[SAFFRON, MERIDIAN], ids=["Saffron", "Meridian"])
def demo(request: pytest.FixtureRequest) -> Tenant:
    return tenant(request.param)


def variables(task: InferenceTask, person: Somebody, sayings: Sequence[str]) -> dict[str, object]:
    """The variables of a task with somebody in each of them: in texts, in keys, in lists and as a number."""
    talk = [{"id": f"i{number}", "text": saying} for number, saying in enumerate([*person.spellings, *sayings])]
    number = int(person.phone.removeprefix("+")) if person.phone else 0
    everything = {"who": person.name, person.name: person.spellings, "dial": number}
    values: dict[str, object] = {
        "session": everything, "scenes": talk[:3], "interactions": talk, "lead": everything, "facts": talk,
        "allowed_tags": ["cash", f"friend of {person.name}"], "event": everything, "detections": talk,
        "camera": f"At {person.name}'s door, {person.phone}, {person.email}", "room_type": "KITCHEN",
        "keywords": person.spellings,
    }  # fmt: skip
    return {name: values[name] for name in PROMPTS[task].variables}


def reply(task: InferenceTask, said: str) -> str:
    """An answer of the task's shape that says this."""
    answers: dict[InferenceTask, object] = {
        InferenceTask.QD_CALCULATOR: {
            "score": 50, "attention": 0.5, "valence": 0, "engagement": 0.5, "confidence": 0.5, "reasoning": said,
        },
        InferenceTask.LEAD_TAGGER: {
            "tags": [
                {"tag": "cash", "confidence": 0.5, "reason": "Says so.",
                 "evidence": [{"interaction": "i1", "quote": each}]}
                for each in said.split("\n")
            ]
        },
        InferenceTask.CCTV_PROFILER: {
            "visitor_kind": None, "vehicle": None, "confidence": 0.5, "summary": said,
        },
        InferenceTask.RISK_ANALYZER: {"score": 50, "summary": "A visit.", "reasoning": said},
        InferenceTask.PROMPT_EXPANDER: {"prompt": said, "negative_prompt": ""},
    }  # fmt: skip
    return json.dumps(answers[task])


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


class Sent:
    """What left, as somebody would look through it who wants to know of whom it speaks."""

    def __init__(self, task: InferenceTask, messages: Sequence[Message]) -> None:
        text = MARK.sub("", "\n".join(message.content for message in messages)).casefold()
        empty = rendered(PROMPTS[task], dict.fromkeys(PROMPTS[task].variables, ""))
        own_words = words("\n".join(message.content for message in empty))
        self.text = text
        self.words = words(text) - own_words
        # Digits and what stands between those of one number; letters and line ends keep numbers apart.
        self.numbers = [digits(run) for run in re.findall(r"[\d .()+-]+", text)]

    def leaks(self, person: Somebody) -> list[str]:
        """Return what of a person is in it: a part of the name, the phone, the address."""
        found = sorted(person.parts & self.words)
        if person.email and person.email.casefold() in self.text:
            found.append(person.email)
        if person.phone:
            national = phonenumbers.national_significant_number(phonenumbers.parse(person.phone))
            found += [number for number in self.numbers if national in number]
        return found


def words(text: str) -> set[str]:
    """The words of a text, also without the ending that makes a name polite."""
    return {form for word in re.findall(r"[^\W\d_]+", text.casefold()) for form in (word, word.removesuffix("ji"))}


def test_a_leak_would_be_found(demo: Tenant) -> None:
    for person in demo.people:
        for spelling in person.spellings:
            sent = Sent(InferenceTask.RISK_ANALYZER, [Message("user", f"It was {spelling}.")])
            assert sent.leaks(person), spelling


@pytest.mark.parametrize("task", [*PROMPTS], ids=lambda task: task.name)
async def test_a_prompt_about_each_person(task: InferenceTask, demo: Tenant) -> None:
    """One after the other, each alone in a request, with everything that is known of them."""
    for person in demo.people:

        def answer(messages: Sequence[Message]) -> str:
            tokens = dict.fromkeys(GIVEN_TOKENS.findall(MARK.sub("", messages[1].content)))
            return reply(task, "\n".join([*tokens][:20]))

        models = Scripted([answer])
        got = await ANSWERS.ask(models, task, variables(task, person, []), people=[person.identity])
        assert Sent(task, models.sent[0]).leaks(person) == []
        restored = json.dumps(got.value, ensure_ascii=False)
        assert person.name in restored
        assert person.phone is None or person.phone in restored or digits(person.phone) in digits(restored)
        assert person.email is None or person.email in restored
        assert GIVEN_TOKENS.search(restored) is None
        assert got.asked_again is False


@pytest.mark.parametrize("task", [InferenceTask.LEAD_TAGGER, InferenceTask.QD_CALCULATOR], ids=lambda task: task.name)
async def test_a_prompt_with_every_conversation(task: InferenceTask, demo: Tenant) -> None:
    """All people and all that was said at once: more names than any request has."""
    models = Scripted([reply(task, "Says so.")])
    people = [person.identity for person in demo.people]
    await ANSWERS.ask(models, task, variables(task, demo.people[0], demo.sayings[::4]), people=people)
    sent = Sent(task, models.sent[0])
    assert [leak for person in demo.people for leak in sent.leaks(person)] == []
    assert len(set(re.findall(r"person_\d+", sent.text))) > 20


def test_every_conversation_comes_back_as_it_was(demo: Tenant) -> None:
    pseudonymiser = Pseudonymiser([person.identity for person in demo.people])
    hidden = [pseudonymiser.hide(saying) for saying in demo.sayings]
    assert [pseudonymiser.restore(saying) for saying in hidden] == demo.sayings
    assert sum(before != after for before, after in zip(demo.sayings, hidden, strict=True)) > 100


async def test_a_provider_on_the_premises_gets_what_is_written(demo: Tenant) -> None:
    person = demo.people[0]
    models = Scripted([reply(InferenceTask.RISK_ANALYZER, f"{person.name} came.")], on_premise=True)
    given = variables(InferenceTask.RISK_ANALYZER, person, [])
    got = await ANSWERS.ask(models, InferenceTask.RISK_ANALYZER, given, people=[person.identity])
    assert person.name in models.sent[0][1].content
    assert (got.value["reasoning"], got.on_premise) == (f"{person.name} came.", True)


async def test_the_second_question_hides_what_the_first_answer_said(demo: Tenant) -> None:
    """The first answer is restored before it is read, and may go to another provider the second time."""
    person = demo.people[0]
    answers = ["PERSON_1 came, and PERSON_1 left.", reply(InferenceTask.RISK_ANALYZER, "PERSON_1 came.")]
    models = Scripted(answers)
    given = variables(InferenceTask.RISK_ANALYZER, person, [])
    got = await ANSWERS.ask(models, InferenceTask.RISK_ANALYZER, given, people=[person.identity])
    assert models.asked[1].messages[2] == Message("assistant", f"{person.name} came, and {person.name} left.")
    assert models.sent[1][2] == Message("assistant", answers[0])
    assert got.value["reasoning"] == f"{person.name} came."


async def test_a_name_that_is_a_word_of_the_prompt_hides_nothing_of_it() -> None:
    people = [Identity(names=("Data Score Camera",))]
    models = Scripted([reply(InferenceTask.RISK_ANALYZER, "PERSON_1 came.")])
    given: dict[str, object] = {"camera": "Score", "detections": [{"label": "Data Score Camera"}]}
    got = await ANSWERS.ask(models, InferenceTask.RISK_ANALYZER, given, people=people)
    plain = rendered(PROMPTS[InferenceTask.RISK_ANALYZER], {"camera": "", "detections": []})
    system, user = models.sent[0]
    assert system == plain[0]
    assert "BEGIN DATA camera " in user.content
    assert "\nPERSON_1\nEND DATA camera " in user.content
    assert '"label": "PERSON_1_2"' in user.content
    assert got.value["reasoning"] == "Score came."


async def test_a_clients_own_messages_are_hidden_too() -> None:
    people = [Identity(names=("Priya Sharma",), phones=("+919820000001",))]
    models = Scripted([reply(InferenceTask.RISK_ANALYZER, "PERSON_1, PHONE_1")])
    own = [Message("user", "Priya Sharma waits; call 98200 00001 or unknown@example.com.")]
    got = await ANSWERS.ask_with(models, InferenceTask.RISK_ANALYZER, own, people=people)
    assert models.sent[0][1].content == "PERSON_1 waits; call PHONE_1 or EMAIL_1."
    assert got.value["reasoning"] == "Priya Sharma, 98200 00001"

"""A prompt is asked; an answer that cannot be used is asked for once more, with what was wrong, and then refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from domain.inference import Completed, Completion, InferenceTask, Message, Models, OnText
from domain.pseudonyms import Pseudonymiser, tokens_in
from domain.structured import Answer, AnswerRefused, Check, Fault, Identity, Usage
from gpu.inference.tallies import Kept, Tallies
from gpu.structured.reading import Unusable, read, texts_in
from prompts.loading import Prompt, Prompts
from prompts.rendering import rendered, system_text
from prompts.shapes import Shape

_SHOWN_AGAIN: Final = 8_000
"""Characters of a refused answer that the model sees again."""
_MOST_FAULTS: Final = 10


@dataclass(frozen=True, slots=True)
class _Veil:
    """The pseudonyms of one request. Messages whose data was hidden before it was put into them are known already.

    So nothing of a prompt's own words is ever taken for a name, and JSON in it stays JSON. `look_alikes` are tokens
    that the data spoke of itself: an answer may repeat these, and no others.
    """

    pseudonymiser: Pseudonymiser
    hidden: Mapping[str, str]
    look_alikes: frozenset[str]

    def hide(self, text: str) -> str:
        known = self.hidden.get(text)
        return self.pseudonymiser.hide(text) if known is None else known

    def restore(self, text: str) -> str:
        return self.pseudonymiser.restore(text)

    def settled(self, text: str) -> int:
        return self.pseudonymiser.settled(text)


class PromptedAnswers:
    """Structured answers to the prompts that were loaded; see domain.structured for what both methods promise."""

    def __init__(self, prompts: Prompts, tallies: Tallies | None = None) -> None:
        """Ask with these prompts, and count in `tallies` what became of the answers."""
        self._prompts = prompts
        self._tallies = tallies or Tallies()

    async def ask(
        self,
        models: Models,
        task: InferenceTask,
        variables: Mapping[str, object],
        *,
        people: Sequence[Identity],
        check: Check | None = None,
        model: str | None = None,
        on_text: OnText | None = None,
    ) -> Answer:
        """Ask a task's prompt."""
        prompt, pseudonymiser = self._prompt(task), Pseudonymiser(people, json_text=True)
        messages = rendered(prompt, variables)
        hidden = rendered(prompt, {name: pseudonymiser.hide_data(value) for name, value in variables.items()})
        sent = {each.content: instead.content for each, instead in zip(messages, hidden, strict=True)}
        veil = _Veil(pseudonymiser, sent, pseudonymiser.look_alikes())
        return await _Asking(models, prompt, veil, model, check, self._tallies).answer(messages, on_text)

    async def ask_with(
        self,
        models: Models,
        task: InferenceTask,
        messages: Sequence[Message],
        *,
        people: Sequence[Identity],
        model: str | None = None,
        on_text: OnText | None = None,
    ) -> Answer:
        """Ask with a client's own messages behind the prompt's instructions."""
        prompt, pseudonymiser = self._prompt(task), Pseudonymiser(people, json_text=True)
        system = Message("system", system_text(prompt))
        sent = {each.content: pseudonymiser.hide(each.content) for each in messages} | {system.content: system.content}
        veil = _Veil(pseudonymiser, sent, pseudonymiser.look_alikes())
        return await _Asking(models, prompt, veil, model, None, self._tallies).answer((system, *messages), on_text)

    def _prompt(self, task: InferenceTask) -> Prompt:
        if task not in self._prompts:
            raise ValueError(f"{task.name} has no prompt")
        return self._prompts[task]


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question, until there is an answer."""

    models: Models
    prompt: Prompt
    veil: _Veil
    model: str | None
    check: Check | None
    tallies: Tallies

    async def answer(self, messages: tuple[Message, ...], on_text: OnText | None) -> Answer:
        first = await self._completed(messages, on_text)
        try:
            return self._answer(first, ())
        except Unusable as fault:
            self.tallies.faults[fault.fault] += 1
            self.tallies.asked_again[self.prompt.task] += 1
            second = await self._completed((*messages, *_asked_again(first.text, fault)), None)
        try:
            return self._answer(second, (first,))
        except Unusable as fault:
            self.tallies.faults[fault.fault] += 1
            self.tallies.answers[self.prompt.task, Kept.REFUSED] += 1
            raise AnswerRefused(fault.fault, fault.reason) from None

    async def _completed(self, messages: tuple[Message, ...], on_text: OnText | None) -> Completed:
        request = Completion(
            self.prompt.task,
            messages,
            schema=self.prompt.schema,
            model=self.model,
            max_tokens=self.prompt.max_tokens,
            prompt_version=self.prompt.version,
            prompt_hash=self.prompt.hash,
            pseudonyms=self.veil,
        )
        return await self.models.complete(request, on_text=on_text)

    def _answer(self, last: Completed, before: tuple[Completed, ...]) -> Answer:
        """Return a validated answer; raises Unusable."""
        found = read(last.text, last.finish_reason)
        value = validated(self.prompt.shape, found.value)
        if any(tokens_in(text) - self.veil.look_alikes for text in texts_in(value)):
            raise Unusable(Fault.UNKNOWN_TOKEN, "it has a token such as PERSON_1 that was not given.")
        if self.check is not None and (wrong := self.check(value)):
            raise Unusable(Fault.CHECK, " ".join(wrong[:_MOST_FAULTS]))
        self.tallies.answers[self.prompt.task, Kept.REPAIRED if found.repaired else Kept.AS_IT_CAME] += 1
        every = (*before, last)
        usage = Usage(sum(each.prompt_tokens for each in every), sum(each.completion_tokens for each in every))
        return Answer(
            value, last.text, found.repaired, bool(before), last.provider, last.model, last.on_premise,
            self.prompt.version, self.prompt.hash, usage,
        )  # fmt: skip


def validated(shape: type[Shape], value: Mapping[str, object]) -> dict[str, object]:
    """Return a value that has a shape; raises Unusable with every field that has not."""
    try:
        return shape.model_validate(value).model_dump()
    except ValidationError as error:
        faults = [_told(fault["type"], fault["loc"], fault["msg"]) for fault in error.errors(include_input=False)]
        raise Unusable(Fault.SHAPE, " ".join(dict.fromkeys(faults[:_MOST_FAULTS]))) from None


def _told(kind: str, place: tuple[int | str, ...], said: str) -> str:
    """Say what is wrong with a field. The name of one that was not asked for is the model's, and is not repeated."""
    unknown = kind == "extra_forbidden"
    path = ".".join(str(part) for part in (place[:-1] if unknown else place)) or "the object"
    if unknown:
        return f"`{path}` has a field that is not in the schema."
    if kind == "model_type":
        return f"`{path}`: Input should be an object."
    return f"`{path}`: {said.removeprefix('Value error, ')}."


def _asked_again(text: str, fault: Unusable) -> tuple[Message, Message]:
    """Return the refused answer, and what is asked now. Some templates insist that roles take turns."""
    return (
        Message("assistant", text.strip()[:_SHOWN_AGAIN] or "(nothing)"),
        Message(
            "user",
            f"Your answer cannot be used: {fault.reason} Answer again, shorter if it was cut off: one JSON object that"
            " fits the schema, complete, and nothing else. Say nothing that the data does not say.",
        ),
    )

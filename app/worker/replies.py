"""How one item is answered: plainly, or behind its task's prompt. Whom it names no hosted provider sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.inference import Completion, InferenceTask, Message, Models, OnText, PromptUsed
from domain.pseudonyms import Pseudonymiser
from domain.structured import Identity, StructuredAnswers, Usage

CHAT_TOKENS: Final = 2048
"""The most that an answer without a shape may have."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered; `value` is the same as data, of tasks whose answers have a shape."""

    text: str
    value: Mapping[str, object] | None
    repaired: bool
    provider: str
    model: str
    usage: Usage
    prompt: PromptUsed | None = None
    """None for CHAT, which has none."""


async def reply(
    answers: StructuredAnswers,
    models: Models,
    task: InferenceTask,
    messages: Sequence[Message],
    *,
    names: Sequence[str],
    model: str | None,
    on_text: OnText,
) -> Reply:
    """Answer messages; `names` are those of people who may be named in them.

    Raises ModelUnavailable, ModelRefused, and AnswerRefused for an answer that cannot be used.
    """
    people = [Identity(names=(name,)) for name in names]
    if task is not InferenceTask.CHAT:
        shaped = await answers.ask_with(models, task, messages, people=people, model=model, on_text=on_text)
        return Reply(
            shaped.text, shaped.value, shaped.repaired, shaped.provider, shaped.model, shaped.usage,
            PromptUsed(shaped.prompt_version, shaped.prompt_hash),
        )  # fmt: skip
    request = Completion(
        task, tuple(messages), model=model, max_tokens=CHAT_TOKENS, pseudonyms=Pseudonymiser(people)
    )  # fmt: skip
    done = await models.complete(request, on_text=on_text)
    usage = Usage(done.prompt_tokens, done.completion_tokens)
    return Reply(done.text, None, repaired=False, provider=done.provider, model=done.model, usage=usage)

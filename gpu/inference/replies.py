"""Items answered by models: plainly, or with a task's prompt where there is somebody who has the prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from domain.errors import Unavailable
from domain.inference import Completion, InferenceTask, Message, Models, OnText, Pseudonyms, Reply

CHAT_TOKENS = 2048
"""The most that an answer without a shape may have."""

Pseudonymous = Callable[[Sequence[str]], Pseudonyms]
"""Makes the pseudonyms of one request, for these names and whatever else must not leave the premises."""


class UsageSaid(Protocol):
    """What an answer cost."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens of what was asked."""

    @property
    def completion_tokens(self) -> int:
        """Tokens of the answer."""


class Answered(Protocol):
    """An answer that was checked against its shape."""

    @property
    def value(self) -> Mapping[str, object]:
        """The answer as data."""

    @property
    def text(self) -> str:
        """The answer as it was said."""

    @property
    def repaired(self) -> bool:
        """Whether something around it was taken away."""

    @property
    def provider(self) -> str:
        """Who answered."""

    @property
    def model(self) -> str:
        """Which model answered."""

    @property
    def usage(self) -> UsageSaid:
        """What it cost."""


class Shaping(Protocol):
    """Asks with a task's prompt before somebody's own messages, and checks what comes back."""

    async def __call__(
        self,
        models: Models,
        task: InferenceTask,
        messages: Sequence[Message],
        *,
        names: Sequence[str],
        model: str | None,
        on_text: OnText,
    ) -> Answered:
        """Ask. Raises ModelUnavailable, ModelRefused, and Unavailable for an answer that cannot be used."""


class ModelReplies:
    """Answers items. Without pseudonyms no hosted provider is asked; without prompts only CHAT is answered."""

    def __init__(self, pseudonymous: Pseudonymous | None = None, shaping: Shaping | None = None) -> None:
        """Hide by `pseudonymous`, and ask tasks that have a shape by `shaping`."""
        self._pseudonymous = pseudonymous
        self._shaping = shaping

    async def reply(
        self,
        models: Models,
        task: InferenceTask,
        messages: Sequence[Message],
        *,
        names: Sequence[str],
        model: str | None,
        on_text: OnText,
    ) -> Reply:
        """Answer messages."""
        if task is not InferenceTask.CHAT:
            return await self._shaped(models, task, messages, names=names, model=model, on_text=on_text)
        request = Completion(
            task, tuple(messages), model=model, max_tokens=CHAT_TOKENS,
            pseudonyms=None if self._pseudonymous is None else self._pseudonymous(names),
        )  # fmt: skip
        done = await models.complete(request, on_text=on_text)
        return Reply(
            text=done.text,
            value=None,
            repaired=False,
            provider=done.provider,
            model=done.model,
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.completion_tokens,
        )

    async def _shaped(
        self,
        models: Models,
        task: InferenceTask,
        messages: Sequence[Message],
        *,
        names: Sequence[str],
        model: str | None,
        on_text: OnText,
    ) -> Reply:
        if self._shaping is None:
            raise Unavailable(f"There is no prompt for {task.name}.")
        answer = await self._shaping(models, task, messages, names=names, model=model, on_text=on_text)
        return Reply(
            text=answer.text,
            value=answer.value,
            repaired=answer.repaired,
            provider=answer.provider,
            model=answer.model,
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
        )

"""Models that answer what a test wants, and keep what they were asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from domain.inference import Completed, Completion, FinishReason, Message, OnText

Reply = str | Callable[[Sequence[Message]], str]


@dataclass(slots=True)
class Scripted:
    """Answers one reply after the other, and the last again; a reply may depend on what was sent.

    As the port promises, a provider that is not on-premise gets and gives pseudonyms: `sent` is what left.
    """

    replies: Sequence[Reply]
    finish_reason: FinishReason = FinishReason.STOP
    on_premise: bool = False
    asked: list[Completion] = field(default_factory=list)
    sent: list[tuple[Message, ...]] = field(default_factory=list)

    async def complete(self, request: Completion, *, on_text: OnText | None = None) -> Completed:
        hidden = None if self.on_premise else request.pseudonyms
        messages = tuple(
            Message(each.role, hidden.hide(each.content) if hidden else each.content) for each in request.messages
        )
        reply = self.replies[min(len(self.asked), len(self.replies) - 1)]
        said = reply if isinstance(reply, str) else reply(messages)
        text = hidden.restore(said) if hidden else said
        self.asked.append(request)
        self.sent.append(messages)
        if on_text is not None:
            await on_text(text)
        return Completed(text, self.finish_reason, "scripted", request.model or "small", 100, 20, self.on_premise)

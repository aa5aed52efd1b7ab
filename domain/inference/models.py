"""The port to language models: what is asked, what comes back, and the two ways in which it can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol, TypeAlias
from uuid import UUID

from domain.errors import DomainError, Unavailable
from domain.jobs import InferenceTask


class FinishReason(Enum):
    """Why a model stopped."""

    STOP = "STOP"
    """It was finished."""
    LENGTH = "LENGTH"
    """It was cut off: what it said is a part, and is never repaired."""
    FILTERED = "FILTERED"
    """The provider would not show the rest."""
    UNKNOWN = "UNKNOWN"
    """The provider did not say, or ended the stream without a last word."""


class RefusalCode(Enum):
    """What went wrong at a provider, whatever it calls that itself."""

    RATE_LIMITED = "RATE_LIMITED"
    OVERLOADED = "OVERLOADED"
    UNAUTHORIZED = "UNAUTHORIZED"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    INVALID_REQUEST = "INVALID_REQUEST"
    CONTEXT_TOO_LONG = "CONTEXT_TOO_LONG"
    ENGINE_DEAD = "ENGINE_DEAD"
    UNREACHABLE = "UNREACHABLE"
    TIMED_OUT = "TIMED_OUT"
    CUT_OFF = "CUT_OFF"
    MALFORMED = "MALFORMED"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    SWITCHED_OFF = "SWITCHED_OFF"
    WITHHELD = "WITHHELD"
    """It is not on-premise, and the request comes without pseudonyms."""
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation: `role` is `system`, `user` or `assistant`."""

    role: str
    content: str


class Pseudonyms(Protocol):
    """Puts tokens in place of names, phones and e-mails, and back: the same token for the same name throughout."""

    def hide(self, text: str) -> str:
        """Return a text with tokens in place of what must not leave the premises."""

    def restore(self, text: str) -> str:
        """Return a text with what its tokens stand for."""

    def settled(self, text: str) -> int:
        """Return how many characters at the start of a text that still grows end in no half of a token."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model is asked.

    A provider that is not on-premise gets the messages through `pseudonyms`, and its answer comes back through them;
    without any it is not asked at all. `schema` is the JSON Schema that the answer has to fit: it is sent where the
    provider takes one, and is a promise of nothing.
    """

    task: InferenceTask
    messages: tuple[Message, ...]
    schema: Mapping[str, object] | None = None
    model: str | None = None
    max_tokens: int = 1024
    prompt_version: str | None = None
    prompt_hash: str | None = None
    pseudonyms: Pseudonyms | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """What a model answered, and whose answer it is; `provider` is the name in the settings file."""

    text: str
    finish_reason: FinishReason
    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    on_premise: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """One provider and model that could not answer, and why, in a sentence without addresses or keys."""

    provider: str
    model: str
    code: RefusalCode
    reason: str


class ModelUnavailable(Unavailable):
    """No model can answer now."""

    def __init__(self, tried: tuple[Tried, ...], *, reason: str = "", retry_after: float | None = None) -> None:
        """Name what was tried and why it failed; `retry_after` are the seconds after which it may be different."""
        self.tried = tried
        self.retry_after = retry_after
        said = "; ".join(f"{each.provider} ({each.model}): {each.reason}" for each in tried)
        super().__init__(f"No model can answer now. {reason or said or 'No provider is configured.'}")


class ModelRefused(DomainError):
    """The model's provider refused the request."""

    code: ClassVar[str] = "UNAVAILABLE"

    def __init__(
        self, refusal: RefusalCode, message: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        """Keep the normalised code, and whether the same request may succeed later."""
        super().__init__(message)
        self.refusal = refusal
        self.retryable = retryable
        self.retry_after = retry_after


OnText: TypeAlias = Callable[[str], Awaitable[None]]
"""Gets the text as it comes, piece by piece. After the first piece nothing is tried again: the attempt has failed."""


@dataclass(frozen=True, slots=True)
class ProviderSwitch:
    """What a tenant's administrators have chosen for a provider, in place of what is configured; None leaves it."""

    enabled: bool | None = None
    priority: int | None = None
    model: str | None = None


class Switches(Protocol):
    """What has been switched, as it is now: every process asks before it asks a model."""

    async def of(self, tenant_id: UUID) -> Mapping[UUID, ProviderSwitch]:
        """Return a tenant's switches by the provider's id."""


class Models(Protocol):
    """Whoever answers, for one tenant."""

    async def complete(self, request: Completion, *, on_text: OnText | None = None) -> Completed:
        """Ask the providers in the router's order until one answers. Raises ModelUnavailable and ModelRefused."""


class Places(Protocol):
    """Who may ask how many at once, wherever they run: a provider is asked only by whoever holds one of its places."""

    def place(self, provider: str) -> AbstractAsyncContextManager[object]:
        """Wait for a place of a provider, by its name, and hold it."""


class ModelsOf(Protocol):
    """Every tenant's models: they differ in what the tenant's administrators have switched."""

    def of(self, tenant_id: UUID, places: Places | None = None) -> Models:
        """Return the models of a tenant, for somebody who asks within `places`."""

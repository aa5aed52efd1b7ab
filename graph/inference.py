"""Inference as clients see it: providers as they are now, and the items of inference jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import strawberry

from domain import inference as domain
from domain.inference import (
    MOST_ITEMS,
    CircuitState,
    InferenceTask,
    ProviderKind,
    ProviderState,
    ProviderStatus,
)
from domain.jobs import JobStatus
from graph import ids
from graph.context import Info
from graph.declaration import Node, column, link, noun, paid, payload, root, value
from graph.enums import described
from graph.fields import field
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.jobs import InferenceJob, JobError
from graph.mutations import mutation
from graph.registry import REGISTRY
from graph.scalars import JSON, DateTime
from resolvers import inference as resolve

described(
    ProviderKind,
    "Which server answers.",
    NVIDIA="NVIDIA's hosted models.",
    NIM="An NVIDIA NIM of one's own.",
    NEMOCLAW="A Nemoclaw gateway.",
    SGLANG="SGLang.",
    VLLM="vLLM.",
    OLLAMA="Ollama.",
    LLAMA_CPP="llama.cpp's server.",
)
described(
    ProviderStatus,
    "Whether a provider answers.",
    HEALTHY="It does.",
    DEGRADED="It is there, and loads a model, is full, or keeps failing.",
    DOWN="It does not.",
    UNKNOWN="Nobody has looked yet, or it is not configured any more.",
)
described(
    CircuitState,
    "Whether a provider is asked at all.",
    CLOSED="It is.",
    OPEN="It failed too often, and is left alone for a while.",
    HALF_OPEN="One request tries whether it answers again.",
)


@strawberry.type(description="A model that a provider serves.")
class InferenceModel:
    """A model."""

    name: str = strawberry.field(description="Its name, as the provider calls it.")
    context_length: int | None = strawberry.field(description="How many tokens it takes, if that is known.")
    loaded: bool | None = strawberry.field(description="Whether it is in memory, if the provider says so.")


async def _state(self: InferenceProvider, info: Info) -> ProviderState | None:
    """Return how a provider is; a list has asked for all of them at once."""
    known: ProviderState | None = self.__dict__.get("_state")
    if known is None:
        row_id = ids.expected(str(self.id), "inference_providers", "id")
        known = self.__dict__["_state"] = await resolve.inference_provider(info.context, row_id)
    return known


def of_state(description: str, kind: object, read: Callable[[ProviderState], object], otherwise: object = None) -> Any:
    """Declare a field of `kind` that says how a provider is now; `otherwise` of one that is not configured any more."""

    async def answer(self: InferenceProvider, info: Info) -> Any:
        state = await _state(self, info)
        return otherwise if state is None else read(state)

    answer.__annotations__["return"] = kind
    return field(description)(answer)


def _models(state: ProviderState) -> list[InferenceModel]:
    return [
        InferenceModel(name=each.name, context_length=each.context_length, loaded=each.loaded) for each in state.models
    ]


@noun(
    "inference_providers",
    prefix="inferenceprovider",
    description="A server with language models, as it is now, with what every process sees of it.",
)
class InferenceProvider(Node):
    """A provider."""

    name: str = column("What the settings file calls it.")
    kind: ProviderKind = column("Which server it is.")
    status = of_state("Whether it answers.", ProviderStatus, lambda state: state.status, ProviderStatus.UNKNOWN)
    reason = of_state("Why it does not, in words.", str | None, lambda state: state.reason)
    models = of_state(
        "Its models: those that it lists, and those that are configured.", list[InferenceModel], _models, ()
    )
    queue_depth = of_state(
        "How many requests wait: ours, and as many as it counts itself.", int, lambda state: state.queue_depth, 0
    )
    in_flight = of_state("How many of our requests it is at.", int, lambda state: state.in_flight, 0)
    latency_ms = of_state(
        "How long its answers took lately, in milliseconds.", float | None, lambda state: state.latency_ms
    )
    error_rate = of_state(
        "The share of its answers of the last minute that failed.", float | None, lambda state: state.error_rate
    )
    circuit = of_state(
        "Whether it is asked at all; the worst that any process sees.",
        CircuitState,
        lambda state: state.circuit,
        CircuitState.CLOSED,
    )
    last_probe_at = of_state(
        "When the process that answers last looked at it.", DateTime | None, lambda state: state.last_probe_at
    )
    enabled = of_state("Whether it is switched on, for you.", bool, lambda state: state.enabled, otherwise=False)
    priority = of_state("Its place in the order: the smallest is asked first.", int, lambda state: state.priority, 0)
    model = of_state("Which of its models is asked first.", str | None, lambda state: state.model)
    on_premise = of_state(
        "Whether what it is sent stays on the premises; others get pseudonyms.",
        bool | None,
        lambda state: state.on_premise,
    )


@value("inference_outputs", description="What a model answered.")
class InferenceOutput:
    """An answer."""

    text: str | None = column("Its words.")
    json: JSON | None = column("The same as data, where the task has a shape: checked against it.")
    repaired: bool = column("Whether something around the data had to be taken away.")


@value("token_usage", description="What an answer cost.")
class TokenUsage:
    """Tokens."""

    prompt_tokens: int = column("Tokens of what was asked.")
    completion_tokens: int = column("Tokens of the answer.")


@noun("inference_items", prefix="inferenceitem", description="One request of an inference job.")
class InferenceItem(Node):
    """An item."""

    request_id: str = column("What whoever submitted it calls it; once in a job.")
    status: JobStatus = column("Where it stands.")
    attempt: int = column("In which attempt of the job it got its answer, or failed for good; 0 before.")
    model: str | None = column("Which model answered.")
    output: InferenceOutput | None = column("What it answered.")
    usage: TokenUsage | None = column("What it cost, where the provider counts.")
    error: JobError | None = column("Why it failed.")
    provider: InferenceProvider | None = link("Who answered.")


def shown(states: Sequence[ProviderState]) -> list[InferenceProvider]:
    """Make the objects of providers whose state is known."""
    declared = REGISTRY.nouns["inference_providers"]
    providers = []
    for state in states:
        known = state.provider
        entries = {"id": ids.printed("inference_providers", known.id), "name": known.name, "kind": known.kind.name}
        made = REGISTRY.materialise(declared, cast("Any", entries))
        made.__dict__["_state"] = state
        providers.append(cast("InferenceProvider", made))
    return providers


@root
class InferenceQuery:
    """Root fields that read providers."""

    @field("The providers that are configured, in the order in which they are asked.")
    async def inference_providers(self, info: Info) -> list[InferenceProvider]:
        """Answer providers."""
        return shown(await resolve.inference_providers(info.context))


@strawberry.input(
    description="What to switch of a provider: what is left out stays, null gives back what the file says."
)
class InferenceProviderUpdateInput:
    """A switch."""

    provider_id: strawberry.ID = argument("Which provider.", of="inference_providers")
    enabled: bool | None = optional("Whether it is asked.")
    priority: int | None = optional("Its place in the order, 0 to 1000: the smallest is asked first.")
    model: str | None = optional("Which of its models is asked first.", longest=200)


@payload("The provider that was switched.")
class InferenceProviderUpdatePayload:
    """The answer of inferenceProviderUpdate."""

    provider: InferenceProvider = link("The provider. Every process follows with its next request.")


@strawberry.input(description="A message of a conversation.")
class InferenceMessageInput:
    """A message."""

    role: str = argument("`system`, `user` or `assistant`.", longest=20)
    content: str = argument("What is said.", longest=100_000)


@strawberry.input(description="One request.")
class InferenceItemInput:
    """A request."""

    request_id: str = argument("A name of your own for it, once in a batch.", longest=200)
    messages: list[InferenceMessageInput] = argument("The conversation so far.", into=domain.Message)


@strawberry.input(description="What to ask models.")
class InferenceSubmitInput:
    """A batch."""

    task: InferenceTask = argument("What kind of work it is: the rules choose by it, and its shape is asked for.")
    items: list[InferenceItemInput] = argument("The requests, 1 to 1,000.", into=domain.NewItem, most=MOST_ITEMS)
    model: str | None = optional("The model that is to answer; by default the rules choose.", longest=200)
    idempotency_key: str | None = once()


@payload("The job that was made.")
class InferenceSubmitPayload:
    """The answer of inferenceSubmit."""

    job: InferenceJob = link("The job. Follow it by jobUpdates, and read its items when it has finished.")


@root
class InferenceMutation:
    """Mutations of inference."""

    @mutation("Switch a provider on or off, or change its place in the order or its model.")
    async def inference_provider_update(
        self, info: Info, input: InferenceProviderUpdateInput
    ) -> InferenceProviderUpdatePayload:
        """Switch a provider."""
        command = unpacked(input, domain.InferenceProviderUpdate)
        return paid(
            InferenceProviderUpdatePayload, provider=await resolve.inference_provider_update(info.context, command)
        )

    @mutation("Ask models for one answer or a thousand. The answers come as the job's items.")
    async def inference_submit(self, info: Info, input: InferenceSubmitInput) -> InferenceSubmitPayload:
        """Submit a batch."""
        command = unpacked(input, domain.InferenceSubmit)
        job = await resolve.inference_submit(info.context, command, key_of(input.idempotency_key))
        return paid(InferenceSubmitPayload, job=job)

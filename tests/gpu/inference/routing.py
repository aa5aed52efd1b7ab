"""What tests of the router start from: fakes as providers, a clock that only waiting moves, and switches by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.inference import Completion, InferenceTask, Message, ProviderKind, ProviderSwitch
from gpu.inference.capabilities import Memory
from gpu.inference.router import Chance, Router
from gpu.inference.settings import InferenceSettings
from tests.fake_llm import FakeLlm

TENANT = UUID(int=7)
ASKED = Completion(InferenceTask.CHAT, (Message("user", "Say something kind about the lake."),), max_tokens=64)


@dataclass
class Time:
    """A clock that only waiting moves."""

    seconds: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.seconds

    async def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.seconds += seconds


@dataclass
class ByHand:
    """Switches that a test sets."""

    switched: dict[UUID, ProviderSwitch] = field(default_factory=dict)

    async def of(self, tenant_id: UUID) -> Mapping[UUID, ProviderSwitch]:
        assert tenant_id == TENANT
        return self.switched


@dataclass
class Setting:
    """A router over fakes."""

    router: Router
    fakes: dict[str, FakeLlm]
    time: Time
    switches: ByHand

    @property
    def models(self) -> Any:
        return self.router.of(TENANT)


@asynccontextmanager
async def routed(
    *providers: Mapping[str, Any], rules: tuple[dict[str, Any], ...] = (), memory: Memory | None = None
) -> AsyncIterator[Setting]:
    """Start a fake for each provider that has no address, and a router over all of them."""
    time, switches = Time(), ByHand()
    fakes: dict[str, FakeLlm] = {}
    async with AsyncExitStack() as stack:
        entries: list[dict[str, Any]] = []
        for number, given in enumerate(providers):
            entry: dict[str, Any] = {"name": f"p{number}", "kind": "VLLM", "model": "m1", "priority": number}
            entry.update({"on_premise": True}, **given)
            if "url" not in entry:
                fake = FakeLlm(ProviderKind[entry["kind"]], key=entry.get("key"))
                fakes[entry["name"]] = await stack.enter_async_context(fake.serving())
                entry["url"] = fake.url
            entries.append(entry)
        settings = InferenceSettings.model_validate({"providers": entries, "rules": rules})
        chance = Chance(clock=time.clock, sleep=time.wait, jitter=lambda: 0.5)
        router = Router(settings, switches, memory or Memory(None), chance)
        try:
            yield Setting(router, fakes, time, switches)
        finally:
            await router.close()

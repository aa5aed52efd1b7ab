"""Which providers there are and how they are chosen: a settings file in TOML, and the environment above it.

The file names no secret: a key comes from the environment, or from a file of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, model_validator

from domain.inference import InferenceTask, Provider, ProviderKind, provider_id

PREFIX: Final = "VELOCITY_INFERENCE_"
OVERRIDES: Final = (
    *("URL", "KEY", "MODEL", "FALLBACK_MODEL", "ENABLED", "PRIORITY", "AT_ONCE", "REQUESTS_PER_MINUTE"),
    "CONTEXT_TOKENS",
)
HOSTED: Final = frozenset({ProviderKind.NVIDIA})
"""Kinds that are somebody else's machines; all others stand on the premises unless the file says otherwise."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Model = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f]{1,200}$")]


class SettingsWrong(Exception):
    """The providers are not configured as they have to be; one line for each fault, each naming what to change."""

    def __init__(self, faults: list[str]) -> None:
        """Keep the faults, in the order of the file."""
        self.faults = faults
        super().__init__("\n".join(faults))


class Strict(BaseModel):
    """A table of the file: unknown names are faults, not comments."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderSettings(Strict):
    """One provider."""

    name: Name
    kind: ProviderKind
    url: str
    model: Model
    fallback_model: Model | None = None
    models: tuple[Model, ...] = ()
    """Others that may be asked for by name."""
    on_premise: bool | None = None
    enabled: bool = True
    priority: int = Field(100, ge=0, le=1000)
    at_once: int = Field(1, ge=1, le=256)
    requests_per_minute: float | None = Field(None, gt=0)
    context_tokens: int | None = Field(None, ge=256)
    key_variable: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None
    key_file: Path | None = None
    first_byte_seconds: float | None = Field(None, gt=0, le=3600)
    chunk_seconds: float = Field(60, gt=0, le=3600)
    total_seconds: float = Field(600, gt=0, le=7200)
    key: SecretStr | None = Field(None, exclude=True, repr=False)

    @model_validator(mode="after")
    def _address(self) -> Self:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValueError("`url` is no address") from None
        if parts.scheme not in {"http", "https"} or not host:
            raise ValueError("`url` begins with http:// or https:// and names a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("`url` holds no user, password, query or fragment; a key comes from `key_variable`")
        if parts.scheme == "http" and not self.stays:
            raise ValueError("a provider that is not on-premise is reached by https:// only")
        return self

    @property
    def id(self) -> UUID:
        """Its id in every process."""
        return provider_id(self.name)

    @property
    def provider(self) -> Provider:
        """What everybody but the router knows of it."""
        return Provider(self.id, self.name, self.kind)

    @property
    def stays(self) -> bool:
        """Whether what is sent there stays on the premises."""
        return self.kind not in HOSTED if self.on_premise is None else self.on_premise

    @property
    def root(self) -> str:
        """The address without the version that some clients want at its end."""
        return self.url.rstrip("/").removesuffix("/v1")


class Rule(Strict):
    """Which providers are asked for some tasks and sizes of prompts, in this order. The first rule that fits counts."""

    tasks: tuple[InferenceTask, ...] = ()
    least_prompt_tokens: int = Field(0, ge=0)
    most_prompt_tokens: int | None = Field(None, ge=1)
    providers: tuple[Name, ...] = Field(min_length=1)
    models: Mapping[Name, Model] = Field(default_factory=dict)
    """A provider's model for these tasks, in place of its own."""

    def fits(self, task: InferenceTask, prompt_tokens: int) -> bool:
        """Whether the rule is about such a request."""
        most = self.most_prompt_tokens
        return (
            (not self.tasks or task in self.tasks)
            and prompt_tokens >= self.least_prompt_tokens
            and (most is None or prompt_tokens <= most)
        )


class InferenceSettings(Strict):
    """The whole file."""

    providers: tuple[ProviderSettings, ...] = ()
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [each.name for each in self.providers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two providers are called {twice[0]!r}")
        for number, rule in enumerate(self.rules, start=1):
            if unknown := sorted({*rule.providers, *rule.models} - set(names)):
                raise ValueError(f"rule {number} names {unknown[0]!r}, which is no provider")
        return self


def configured(path: Path | None, environment: Mapping[str, str]) -> InferenceSettings:
    """Return the providers of a file with the environment above it; without a file, those that the environment names.

    Raises SettingsWrong with every fault.
    """
    raw = from_environment(environment) if path is None else _read(path)
    providers = raw.get("providers", [])
    if not isinstance(providers, list) or not all(isinstance(each, dict) for each in providers):
        raise SettingsWrong([f"{path}: providers: write each one as [[providers]]."])
    faults = [fault for each in providers for fault in _override(each, environment)]
    _no_strangers(providers, environment, faults)
    if faults:
        raise SettingsWrong(faults)
    try:
        return InferenceSettings.model_validate(raw)
    except ValidationError as error:
        where = "The environment" if path is None else str(path)
        raise SettingsWrong(_faults(where, error, providers)) from None


def from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Return the providers that variables alone name: NVIDIA's, a Nemoclaw gateway's and Ollama's, in this order."""
    providers: list[dict[str, object]] = []
    if environment.get("NVIDIA_API_KEY"):
        providers.append(
            {
                "name": "nvidia", "kind": "NVIDIA", "priority": 10, "at_once": 4, "requests_per_minute": 40,
                "url": environment.get("NVIDIA_BASE_URL") or "https://integrate.api.nvidia.com/v1",
                "model": environment.get("NVIDIA_MODEL") or "nvidia/nemotron-3-super-120b-a12b",
                "fallback_model": environment.get("NVIDIA_FALLBACK_MODEL")
                or "nvidia/llama-3.3-nemotron-super-49b-v1",
                "key_variable": "NVIDIA_API_KEY",
            }
        )  # fmt: skip
    if environment.get("NEMOCLAW_API_URL"):
        keyed = {"key_variable": "NEMOCLAW_API_KEY"} if environment.get("NEMOCLAW_API_KEY") else {}
        providers.append(
            {
                "name": "nemoclaw", "kind": "NEMOCLAW", "priority": 20, "at_once": 2, **keyed,
                "url": environment["NEMOCLAW_API_URL"], "model": environment.get("NEMOCLAW_MODEL") or "nemotron",
            }
        )  # fmt: skip
    if environment.get("OLLAMA_BASE_URL"):
        providers.append(
            {
                "name": "ollama", "kind": "OLLAMA", "priority": 30, "at_once": 1,
                "url": environment["OLLAMA_BASE_URL"],
                "model": environment.get("OLLAMA_MODEL") or "qwen3.6:35b-a3b",
            }
        )  # fmt: skip
    return {"providers": providers}


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsWrong(
            [f"{path}: there is no such file; make it, or unset VELOCITY_INFERENCE_SETTINGS."]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong([f"{path}: it cannot be read ({type(error).__name__})."]) from None
    except tomllib.TOMLDecodeError as error:
        # The position only: the parser's words may quote a line, and there may be a key where none belongs.
        place = re.search(r"\(at .*\)$", str(error))
        raise SettingsWrong([f"{path}: it is no TOML {place[0] if place else ''}".rstrip() + "."]) from None


def variable(name: str, what: str) -> str:
    """Return the variable that stands above an entry of the file."""
    return f"{PREFIX}{name.upper().replace('-', '_')}_{what}"


def _override(provider: dict[str, object], environment: Mapping[str, str]) -> list[str]:
    """Put what the environment says above what the file says of a provider; return what is wrong with its key."""
    name = str(provider.get("name", ""))
    if "key" in provider:
        return [f"provider {name!r}: a key does not stand in this file; name a variable by `key_variable`."]
    for what in OVERRIDES:
        if (given := environment.get(variable(name, what))) is not None:
            provider[what.lower()] = given
    if "key" not in provider and isinstance(named := provider.get("key_variable"), str):
        if not environment.get(named):
            return [f"provider {name!r}: the variable {named}, which has its key, is not set."]
        provider["key"] = environment[named]
    if "key" not in provider and isinstance(file := provider.get("key_file"), str):
        try:
            provider["key"] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return [f"provider {name!r}: the file of its key, {file}, cannot be read."]
    if "key" in provider and not re.fullmatch(r"[\x21-\x7e]+", str(provider["key"])):
        return [f"provider {name!r}: its key is empty, or has characters that no header can hold."]
    return []


def _no_strangers(
    providers: list[dict[str, object]], environment: Mapping[str, str], faults: list[str]
) -> None:  # fmt: skip
    known = {variable(str(each.get("name", "")), what) for each in providers for what in OVERRIDES}
    known.add(f"{PREFIX}SETTINGS")
    faults += [
        f"The variable {name} is about no provider that is configured."
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in known
    ]


def _faults(where: str, error: ValidationError, providers: list[dict[str, object]]) -> list[str]:
    found = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        path = list(each["loc"])
        named = ""
        if path[:1] == ["providers"] and len(path) > 1 and isinstance(path[1], int):
            named, path = f"provider {providers[path[1]].get('name', path[1] + 1)!r}", path[2:]
        elif path[:1] == ["rules"] and len(path) > 1 and isinstance(path[1], int):
            named, path = f"rule {path[1] + 1}", path[2:]
        field = ".".join(str(part) for part in path)
        said = each["msg"].removeprefix("Value error, ")
        found.append(f"{where}: {': '.join(part for part in (named, field, said) if part)}.")
    return found

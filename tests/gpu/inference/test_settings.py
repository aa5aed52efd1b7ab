"""Providers as operators write them: the file, the environment above it, and every mistake in plain words."""

from pathlib import Path

import pytest

from domain.inference import ProviderKind, provider_id
from gpu.inference.settings import SettingsWrong, configured

FILE = """
[[providers]]
name = "nvidia"
kind = "NVIDIA"
url = "https://integrate.api.nvidia.com/v1"
model = "big"
fallback_model = "small"
key_variable = "NVIDIA_API_KEY"
requests_per_minute = 40
at_once = 4

[[providers]]
name = "local-one"
kind = "OLLAMA"
url = "http://gpu-1.internal:11434"
model = "qwen"

[[rules]]
tasks = ["CHAT"]
most_prompt_tokens = 4000
providers = ["local-one", "nvidia"]
models = { nvidia = "small" }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "inference.toml"
    path.write_text(text)
    return path


def test_a_file_with_the_environment_above_it(tmp_path: Path) -> None:
    environment = {
        "NVIDIA_API_KEY": "nvapi-secret",
        "VELOCITY_INFERENCE_LOCAL_ONE_URL": "http://gpu-2.internal:11434/v1/",
        "VELOCITY_INFERENCE_LOCAL_ONE_ENABLED": "false",
        "VELOCITY_INFERENCE_NVIDIA_PRIORITY": "7",
        "VELOCITY_INFERENCE_NVIDIA_REQUESTS_PER_MINUTE": "25",
        "VELOCITY_INFERENCE_LOCAL_ONE_CONTEXT_TOKENS": "8192",
        "VELOCITY_INFERENCE_SETTINGS": "inference.toml",
    }
    settings = configured(written(tmp_path, FILE), environment)
    nvidia, local = settings.providers
    assert (nvidia.key is not None and nvidia.key.get_secret_value(), nvidia.priority, nvidia.stays) == (
        "nvapi-secret", 7, False,
    )  # fmt: skip
    assert (local.root, local.enabled, local.stays, local.key) == ("http://gpu-2.internal:11434", False, True, None)
    assert (nvidia.requests_per_minute, local.context_tokens) == (25, 8192)
    assert nvidia.root == "https://integrate.api.nvidia.com"
    assert settings.rules[0].models == {"nvidia": "small"}
    assert (nvidia.id, local.id) == (provider_id("nvidia"), provider_id("local-one"))
    shown = repr(settings) + str(settings.model_dump()) + settings.model_dump_json()
    assert "nvapi-secret" not in shown


def test_a_key_may_come_from_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("nvapi-from-file\n")
    text = FILE.replace('key_variable = "NVIDIA_API_KEY"', f'key_file = "{tmp_path / "key"}"')
    key = configured(written(tmp_path, text), {}).providers[0].key
    assert key is not None
    assert key.get_secret_value() == "nvapi-from-file"


def test_the_environment_alone_is_enough() -> None:
    environment = {
        "NVIDIA_API_KEY": "k", "NVIDIA_MODEL": "m", "NVIDIA_FALLBACK_MODEL": "f",
        "NEMOCLAW_API_URL": "http://gateway:8080", "NEMOCLAW_API_KEY": "n", "OLLAMA_BASE_URL": "http://localhost:11434",
    }  # fmt: skip
    providers = configured(None, environment).providers
    assert [(each.name, each.kind, each.model) for each in providers] == [
        ("nvidia", ProviderKind.NVIDIA, "m"), ("nemoclaw", ProviderKind.NEMOCLAW, "nemotron"),
        ("ollama", ProviderKind.OLLAMA, "qwen3.6:35b-a3b"),
    ]  # fmt: skip
    assert configured(None, {}).providers == ()


MISTAKES = [
    (FILE.replace('kind = "OLLAMA"', 'kind = "OLAMA"'), "provider 'local-one': kind: Input should be"),
    (FILE.replace("https://integrate", "http://integrate"), "provider 'nvidia': a provider that is not on-premise"),
    (FILE.replace("https://integrate", "https://me:pw@integrate"), "provider 'nvidia': `url` holds no user"),
    (FILE.replace("http://gpu-1.internal", "gpu-1.internal"), "provider 'local-one': `url` begins with http"),
    (FILE.replace("at_once = 4", "at_once = 0"), "provider 'nvidia': at_once: Input should be greater than"),
    (FILE.replace("at_once = 4", "at_onc = 4"), "provider 'nvidia': at_onc: Extra inputs are not permitted"),
    (FILE.replace('"local-one", "nvidia"]', '"elsewhere"]'), "rule 1 names 'elsewhere', which is no provider"),
    (FILE.replace('name = "local-one"', 'name = "nvidia"'), "two providers are called 'nvidia'"),
    (FILE.replace('model = "qwen"', ""), "provider 'local-one': model: Field required"),
    (FILE.replace('tasks = ["CHAT"]', 'tasks = ["TALK"]'), "rule 1: tasks.0: Input should be"),
    (FILE + 'key = "nvapi-secret"', "rule 1: key: Extra inputs are not permitted"),
    (FILE.replace("at_once = 4", 'key = "nvapi-secret"'), "provider 'nvidia': a key does not stand in this file"),
    ('name = "nvapi-secret" "', "it is no TOML (at line 1, column"),
    ("providers = 3", "write each one as [[providers]]"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_mistakes_are_named(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong) as raised:
        configured(written(tmp_path, text), {"NVIDIA_API_KEY": "k"})
    assert said in str(raised.value)
    assert "nvapi-secret" not in str(raised.value)


def test_a_missing_key_file_or_stray_variable_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    cases = [
        ({}, "provider 'nvidia': the variable NVIDIA_API_KEY, which has its key, is not set."),
        (
            {"NVIDIA_API_KEY": "k", "VELOCITY_INFERENCE_OLAMA_URL": "x"},
            "The variable VELOCITY_INFERENCE_OLAMA_URL is about no provider that is configured.",
        ),
        (
            {"NVIDIA_API_KEY": "two words"},
            "provider 'nvidia': its key is empty, or has characters that no header can hold.",
        ),
    ]
    for environment, said in cases:
        with pytest.raises(SettingsWrong) as raised:
            configured(path, environment)
        assert raised.value.faults == [said]
    with pytest.raises(SettingsWrong, match="there is no such file"):
        configured(tmp_path / "missing.toml", {})
    text = FILE.replace('key_variable = "NVIDIA_API_KEY"', 'key_file = "missing.key"')
    with pytest.raises(SettingsWrong, match=r"the file of its key, missing\.key, cannot be read"):
        configured(written(tmp_path, text), {})

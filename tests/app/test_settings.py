"""Settings: what is read, what is refused, and that the page about them leaves none out."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.failures import explanation
from app.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def documented() -> dict[str, tuple[str, str]]:
    """The default and the description of each setting in the page's table, by its name."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", PAGE.read_text(), flags=re.MULTILINE)
    return {name: (default, description) for name, default, description in rows}


def shown(default: object) -> str:
    return "none" if default in {None, ()} else f"`{default}`"


def test_the_page_says_every_setting_as_it_is() -> None:
    assert documented() == {
        field.alias or f"VELOCITY_{name.upper()}": (shown(field.default), field.description)
        for name, field in Settings.model_fields.items()
    }


def test_a_budget_is_enough_for_one_operation() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(limit_points=500, rate_points=499)
    assert explanation(refused.value) == (
        "A setting is not valid."
        " VELOCITY_RATE_POINTS: Value error, 499 is less than one operation may cost, VELOCITY_LIMIT_POINTS = 500."
    )
    assert Settings(limit_points=500, rate_points=0).rate_points == 0


def test_the_environment_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELOCITY_PORT", "8123")
    monkeypatch.setenv("VELOCITY_DATA_DIR", "elsewhere")
    monkeypatch.setenv("DATABASE_URL", "postgresql://one")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://two")
    settings = Settings()
    assert (settings.port, settings.assets) == (8123, Path("elsewhere/assets"))
    assert (settings.database_url, settings.database_owner_url) == ("postgresql://one", "postgresql://two")


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "VELOCITY_PORT",
            "hidden",
            "VELOCITY_PORT: Input should be a valid integer, unable to parse string as an integer",
        ),
        ("VELOCITY_PORT", "65536", "VELOCITY_PORT: Input should be less than or equal to 65535"),
        ("VELOCITY_STATEMENT_SECONDS", "0", "VELOCITY_STATEMENT_SECONDS: Input should be greater than 0"),
    ],
)
def test_a_wrong_value_is_named_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert explanation(refused.value) == f"A setting is not valid. {line}."


def test_render_workers_are_addresses_with_or_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_URLS", "left=http://10.0.0.5:8188, http://10.0.0.6:8188/")
    assert Settings().comfyui_urls == ("left=http://10.0.0.5:8188", "http://10.0.0.6:8188/")


@pytest.mark.parametrize(
    "urls",
    [
        "10.0.0.5:8188",
        "http://user:password@10.0.0.5:8188",
        "http://10.0.0.5:8188/api",
        "http://10.0.0.5:8188, left=http://10.0.0.5:8188/",
        "left=http://10.0.0.5:8188, left=http://10.0.0.6:8188",
    ],
    ids=["no-scheme", "password", "path", "same-address", "same-name"],
)
def test_render_workers_that_are_none_or_named_twice_are_refused(urls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_URLS", urls)
    with pytest.raises(ValidationError) as refused:
        Settings()
    line = explanation(refused.value)
    assert line is not None
    assert "COMFYUI_URLS" in line
    assert "password" not in line

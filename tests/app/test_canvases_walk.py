"""The walk through canvases in docs/canvases.md: every step is sent as it stands there, and answered as it says."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.commands.access_token import caller_of
from app.demo.team import SAFFRON
from app.wiring import System
from domain.access import Caller, Role
from graph.persisted import shipped
from tests.api import Api
from tests.factories.access import Tenant

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "canvases.md"
STEP = re.compile(
    r"^(senior|junior): \[(\w+)\]\(\S+\)\n\n```json\n(.*?)\n```\n\nanswers\n\n```json\n(.*?)\n```",
    re.DOTALL | re.MULTILINE,
)
ID = re.compile(r"[a-z]+_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNLIKE = {"asOf", "rows"}
"""What is another at another time."""


@dataclass
class Told:
    """What stands for what: the ids of the document, and those of this run."""

    ids: dict[str, str] = field(default_factory=dict)

    def sent(self, variables: str) -> dict[str, Any]:
        """Return a step's variables with the ids of this run."""
        found: dict[str, Any] = json.loads(ID.sub(lambda match: self.ids[match[0]], variables))
        return found

    def fits(self, told: Any, got: Any) -> bool:
        """Whether an answer is what the document tells of it; of objects it may leave members out."""
        if isinstance(told, str) and isinstance(got, str) and ID.fullmatch(told) and ID.fullmatch(got):
            return told.partition("_")[0] == got.partition("_")[0] and self.ids.setdefault(told, got) == got
        if isinstance(told, dict) and isinstance(got, dict):
            return all(name in got and (name in UNLIKE or self.fits(told[name], got[name])) for name in told)
        if isinstance(told, list) and isinstance(got, list):
            return len(told) == len(got) and all(map(self.fits, told, got))
        return bool(told == got)

    def fits_part(self, told: Any, data: Any) -> bool:
        """Whether the answer, or something inside it, is what the document tells."""
        for part in parts(data):
            trial = Told(dict(self.ids))
            if trial.fits(told, part):
                self.ids = trial.ids
                return True
        return False


def parts(value: Any) -> Iterator[Any]:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(each)


@pytest.fixture
async def callers(demo_system: System) -> dict[str, Caller]:
    roles = {"senior": Role.SENIOR_BROKER, "junior": Role.JUNIOR_BROKER}
    return {name: await caller_of(demo_system, SAFFRON.email(role)) for name, role in roles.items()}


async def test_every_step_is_answered_as_the_document_says(demo_system: System, callers: dict[str, Caller]) -> None:
    steps = STEP.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(steps) == DOCUMENT.read_text(encoding="utf-8").count("\nanswers\n") == 14
    api, told = Api(demo_system, Tenant(callers["junior"].tenant_id)), Told()
    [shared] = {match for *_, variables, _ in steps for match in ID.findall(variables) if match.startswith("user_")}
    told.ids[shared] = f"user_{callers['junior'].user_id}"
    operations = {each.name: each.text for each in shipped()}
    got: Any = None
    for number, (who, operation, variables, answer) in enumerate(steps, start=1):
        data = await api.data(operations[operation], caller=callers[who], **told.sent(variables))
        # As a client reads it: no type of ours, no order of members.
        got = orjson.loads(orjson.dumps(data, default=str))
        assert told.fits_part(json.loads(answer), got), (number, operation, got)
    rows = [row for each in parts(got) if isinstance(each, dict) for row in each.get("rows") or ()]
    assert {"id", "stage"} <= rows[0].keys()

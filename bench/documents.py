"""What is asked: the product's own documents, with the same variables for every server."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from bench.dataset import Dataset
from bench.places import OPERATIONS, PEERS
from domain.perception import buckets

POINTS: Final = 500
PERSON_NAME: Final = "query PersonName($id: ID!) { person(id: $id) { id fullName } }"
UUID_FORM: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Question:
    """A document with its variables. `of` is the person it asks about: the product's ids carry a prefix."""

    name: str
    operation: str
    variables: Mapping[str, object]
    own_variables: Mapping[str, object]
    """The same for PostGraphile."""
    of: tuple[str, str] | None = None

    @property
    def short(self) -> str:
        """The name as a file or an address has it."""
        return self.name.replace(", ", "-")

    def text(self) -> str:
        """Return the document."""
        if self.operation == "PersonName":
            return PERSON_NAME
        return (OPERATIONS / f"{self.operation}.graphql").read_text(encoding="utf-8")

    def body(self) -> bytes:
        """Return what is sent to the product."""
        ids = {} if self.of is None else {self.of[0]: f"person_{self.of[1]}"}
        return _sent(self.text(), {**self.variables, **ids})

    def body_with_bare_ids(self) -> bytes:
        """Return what is sent to the peers that answer the product's documents."""
        ids = {} if self.of is None else dict([self.of])
        return _sent(self.text(), {**self.variables, **ids})

    def body_for_postgraphile(self) -> bytes:
        """Return what is sent to PostGraphile: the same rows and leaves in its own words."""
        text = (PEERS / "postgraphile" / f"{self.operation}.graphql").read_text(encoding="utf-8")
        ids = {} if self.of is None else dict([self.of])
        return _sent(text, {**self.own_variables, **ids})


def questions(dataset: Dataset) -> list[Question]:
    """Return everything that is asked of a dataset."""
    person, series = dataset.person_id, dataset.series_person_id
    first, last = datetime.fromisoformat(dataset.series_from), datetime.fromisoformat(dataset.series_to)
    between = {"from": dataset.series_from, "to": dataset.series_to}
    width = {"seconds": buckets(first, last, POINTS).width / timedelta(seconds=1)}
    twenty, hundred, stage = {"first": 20}, {"first": 100}, {"perStage": 20}
    return [
        Question("LeadBoard, 20", "LeadBoard", twenty, twenty),
        Question("LeadBoard, 100", "LeadBoard", hundred, hundred),
        Question("Client360", "Client360", {}, {}, ("personId", person)),
        Question("PipelineBoard", "PipelineBoard", stage, stage),
        Question("Properties, 20", "Properties", twenty, twenty),
        Question("PersonName", "PersonName", {}, {}, ("id", person)),
        Question(
            "QdHistory",
            "QdHistory",
            {**between, "points": POINTS},
            {**between, "width": width, "source": "RULES"},
            ("personId", series),
        ),
    ]


def rows_in(answer: bytes) -> Counter[bytes]:
    """Return the id of every row that an answer shows, as often as it does; raises ValueError where it has errors.

    A series has no ids: there, how many points it has counts.
    """
    decoded = orjson.loads(answer)
    if "errors" in decoded:
        raise ValueError(json.dumps(decoded["errors"])[:500])
    found = Counter(UUID_FORM.findall(answer))
    found[b"points"] = answer.count(b'"low":')
    return found


def _sent(text: str, variables: Mapping[str, object]) -> bytes:
    return orjson.dumps({"query": text, "variables": variables})

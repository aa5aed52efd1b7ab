"""The shapes that lines come in: pools that differ by region, questions with answers, and sayings that become facts."""

from dataclasses import dataclass, field

from domain.interactions import ObjectionKind
from domain.people import FactKind

# A villa has no tower, no floors to choose from and no lift.
_TOWER_WORDS = ("{tower}", "{floor}", "lift", "stack", "slab", "tower")


@dataclass(slots=True)
class Pool:
    """Lines of one purpose: what can be said everywhere, and what only India or only the Gulf says."""

    common: tuple[str, ...]
    india: tuple[str, ...] = ()
    gulf: tuple[str, ...] = ()
    _suited: dict[tuple[bool, bool], tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._suited = {}
        for in_india in (True, False):
            lines = self.common + (self.india if in_india else self.gulf)
            without_towers = tuple(line for line in lines if not any(word in line for word in _TOWER_WORDS))
            self._suited[in_india, False] = lines
            self._suited[in_india, True] = without_towers or lines

    def lines(self, *, in_india: bool, villa: bool) -> tuple[str, ...]:
        return self._suited[in_india, villa]


@dataclass(frozen=True, slots=True)
class Topic:
    """A question that buyers ask, with what brokers answer."""

    name: str
    questions: Pool
    answers: Pool


@dataclass(slots=True)
class Saying:
    """Something a client says that is worth remembering. `learned` is the fact in the broker's words."""

    kind: FactKind
    learned: str
    lines: Pool
    objection: ObjectionKind | None = None
    india: bool = True
    gulf: bool = True
    villa: bool = True

    def suits(self, *, in_india: bool, villa: bool) -> bool:
        return (self.india if in_india else self.gulf) and (self.villa or not villa)

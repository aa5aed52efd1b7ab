"""One GraphQL operation's context: the resolvers' context and the loaders of this operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from strawberry.types.info import Info as StrawberryInfo

from graph.documents import Prepared
from graph.loaders import Loaders
from graph.unawaited import Unawaited
from resolvers.context import Context


@dataclass(slots=True, kw_only=True)
class GraphContext(Context):
    """The context that fields get as `info.context`."""

    loaders: Loaders = field(init=False)
    unawaited: Unawaited = field(init=False)
    prepared: Prepared | None = None
    """The document, where it was parsed and validated before."""

    def __post_init__(self) -> None:
        """Give the operation what belongs to it alone."""
        self.loaders = Loaders(self)
        self.unawaited = Unawaited()


Info: TypeAlias = StrawberryInfo[GraphContext, None]

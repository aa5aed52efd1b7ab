"""Values that several nouns have."""

from __future__ import annotations

from graph.declaration import column, value


@value("money", description="An amount with its currency.")
class Money:
    """Money as clients see it."""

    amount: str = column("A decimal number with two decimals.")
    currency: str = column("ISO 4217.")

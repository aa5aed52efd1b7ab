"""The peer that a Python team would write first: plain Strawberry, with DataLoaders over asyncpg."""

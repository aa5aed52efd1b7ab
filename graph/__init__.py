"""The shape clients see: the only layer that knows Strawberry and GraphQL."""

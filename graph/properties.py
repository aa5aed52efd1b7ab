"""Projects and properties as clients see them, by their RESO names."""

from __future__ import annotations

from graph.declaration import Node, column, noun


@noun("projects", prefix="project", description="A development that properties belong to.")
class Project(Node):
    """A project."""

    name: str = column("Its name.")


@noun("properties", prefix="property", description="A home that is, was or will be for sale.")
class Property(Node):
    """A property."""

    listing_key: str = column("RESO ListingKey: its key in the listing system.")

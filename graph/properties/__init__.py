"""Projects and properties as clients see them, by their RESO names."""

from graph.properties import kinds
from graph.properties.media import PropertyMediaMutation
from graph.properties.mutations import PropertyMutation
from graph.properties.types import Project, Property, PropertyMedia, PropertyQuery

__all__ = [
    "Project",
    "Property",
    "PropertyMedia",
    "PropertyMediaMutation",
    "PropertyMutation",
    "PropertyQuery",
    "kinds",
]

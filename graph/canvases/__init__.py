"""Canvases as clients see them: boards of components with a history that forks and merges."""

from graph.canvases import kinds
from graph.canvases.mutations import CanvasMutation
from graph.canvases.problems import HANDLERS
from graph.canvases.requests import CanvasSubscription, MergeRequest, MergeRequestMutation, MergeRequestQuery
from graph.canvases.types import Canvas, CanvasComponent, CanvasFilter, CanvasQuery, CanvasRevision

__all__ = [
    "HANDLERS",
    "Canvas",
    "CanvasComponent",
    "CanvasFilter",
    "CanvasMutation",
    "CanvasQuery",
    "CanvasRevision",
    "CanvasSubscription",
    "MergeRequest",
    "MergeRequestMutation",
    "MergeRequestQuery",
    "kinds",
]

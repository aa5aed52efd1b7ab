"""Perception as clients see it."""

from graph.perception.consents import Consent, ConsentMutation, ConsentQuery, Erasure
from graph.perception.scores import QD_SERIES, QD_SOURCE, QdScore, QdSeries, ScatterQuery
from graph.perception.sessions import (
    PerceptionSession,
    PerceptionSessionMutation,
    PerceptionSessionQuery,
    PerceptionSubscription,
)

__all__ = [
    "QD_SERIES",
    "QD_SOURCE",
    "Consent",
    "ConsentMutation",
    "ConsentQuery",
    "Erasure",
    "PerceptionSession",
    "PerceptionSessionMutation",
    "PerceptionSessionQuery",
    "PerceptionSubscription",
    "QdScore",
    "QdSeries",
    "ScatterQuery",
]

"""GraphQL over HTTP, as server-sent events, and over the socket."""

from graph.http.connections import Open
from graph.http.endpoint import GraphQLEndpoint, HttpRules, Observer
from graph.http.event_streams import EventStreams
from graph.http.requests import WHOLE
from graph.http.responses import Profile
from graph.http.socket import WRITES_AT_ONCE
from graph.http.sockets import GraphQLSockets

__all__ = [
    "WHOLE",
    "WRITES_AT_ONCE",
    "EventStreams",
    "GraphQLEndpoint",
    "GraphQLSockets",
    "HttpRules",
    "Observer",
    "Open",
    "Profile",
]

"""GraphQL over HTTP and the socket."""

from graph.http.endpoint import GraphQLEndpoint, HttpRules, Observer
from graph.http.responses import Profile
from graph.http.sockets import GraphQLSockets

__all__ = ["GraphQLEndpoint", "GraphQLSockets", "HttpRules", "Observer", "Profile"]

"""Access as clients see it: the viewer, the team, actors, sign-in, API keys."""

from graph.access.keys import ApiKeyMutation
from graph.access.sign_in import AccessMutation
from graph.access.types import AccessQuery, Actor, ApiKey, PersistedOperation, User

__all__ = ["AccessMutation", "AccessQuery", "Actor", "ApiKey", "ApiKeyMutation", "PersistedOperation", "User"]

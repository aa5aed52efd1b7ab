"""Access as clients see it: the viewer, the team, actors, sign-in."""

from __future__ import annotations

from domain.access import Permission, Role
from graph.connections import Connection
from graph.declaration import Node, column, connection, interface, noun, root
from graph.enums import described

described(
    Role,
    "What a caller may see and do, strongest first.",
    ADMIN="Runs the system.",
    SALES_DIRECTOR="Sees everything but settings; approves.",
    SENIOR_BROKER="Leads a team.",
    JUNIOR_BROKER="Works on own leads.",
)


@interface("Somebody or something that acts.")
class Actor(Node):
    """An actor."""

    display_name: str = column("What to call it.")


@noun("users", prefix="user", description="A member of the team.", orders={"CREATED_AT": "When they joined."})
class User(Actor):
    """A user."""

    full_name: str = column("Full name.")
    role: Role = column("Their role.")


@root
class AccessQuery:
    """Root fields about access."""

    users: Connection[User] = connection("The team, by name.", Permission.TEAM_READ)

"""Tasks as clients see them."""

from __future__ import annotations

from graph.declaration import Node, column, noun


@noun("tasks", prefix="task", description="Something to do for a person or a lead, by a day.")
class Task(Node):
    """A task."""

    title: str = column("What is to be done.")

"""Fills the demo's boards with rows, so that a newcomer sees them: the senior of each tenant commits what they read."""

from __future__ import annotations

from datetime import datetime

from app.commands.access_token import caller_of
from app.demo.canvases import board_id
from app.demo.seed import TENANTS
from app.wiring import System
from domain.access import Role
from domain.canvases import CanvasCommit, ComponentEdit, committer


async def fill_boards(opened: System, now: datetime) -> None:
    """Run the documents of each board; `now` is the reference instant of the demo."""
    for plan in TENANTS:
        caller = await caller_of(opened, plan.email(Role.SENIOR_BROKER))
        async with opened.units.write(caller) as unit:
            board = await unit.canvases.get_for_update(board_id(plan, now), "canvasId")
            tree = await unit.canvases.tree(board.head_id)
            changes = [ComponentEdit(key, source=each.source) for key, each in tree.items() if each.source is not None]
            command = CanvasCommit(board.id, board.head_id, "What the floor has today", changes)
            await committer(opened.sources)(unit, command)

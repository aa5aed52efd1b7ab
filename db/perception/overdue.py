"""What has to be done without anybody asking: definer functions tell ids of all tenants, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.access.acting import system_caller
from db.errors import answering
from domain.access import Caller
from domain.notifications import DUE_WITHIN
from domain.perception import LONGEST_TERM

BATCH: Final = 100
_ERASURES: Final = "select tenant_id, id from unfinished_erasures(:most)"
_CONSENTS: Final = "select tenant_id, id from overdue_consents(:moment, :before, :most)"
_SESSIONS: Final = "select tenant_id, id from left_sessions(:before, :most)"
_WATCHED: Final = "select tenant_id, id from watched_tenants(:most)"
_PROPOSALS: Final = "select tenant_id, id from left_proposals(:before, :most)"
_OLD_JOBS: Final = "select tenant_id, id from tenants_with_old_jobs(:before, :most)"
_TASKS: Final = "select tenant_id, id from due_tasks(:moment, :before, :most)"


class SqlOverdue:
    """The port `Overdue`."""

    def __init__(self, engine: AsyncEngine, most: int = BATCH) -> None:
        """Read through `engine`, at most so many of each at a time."""
        self._engine = engine
        self._most = most

    def erasures(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield erasures that were ordered and are not finished, each with who acts."""
        return self._found(_ERASURES, {})

    def consents(self, moment: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield consents that have ended, or are too old, and let something be measured that is still kept."""
        return self._found(_CONSENTS, {"moment": moment, "before": moment - LONGEST_TERM})

    def sessions(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield running sessions of which nothing has come since a moment."""
        return self._found(_SESSIONS, {"before": before})

    def watched(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield the tenants that keep camera events, each with who acts."""
        return self._found(_WATCHED, {})

    def proposals(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield proposals that wait since before a moment."""
        return self._found(_PROPOSALS, {"before": before})

    def old_jobs(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield the tenants that keep work for models which ended before a moment, each with who acts."""
        return self._found(_OLD_JOBS, {"before": before})

    def tasks(self, moment: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield tasks that came due and of which nobody was told."""
        return self._found(_TASKS, {"moment": moment, "before": moment - DUE_WITHIN})

    async def _found(self, statement: str, given: Mapping[str, object]) -> AsyncIterator[tuple[Caller, UUID]]:
        with answering():
            async with self._engine.connect() as connection:
                found = (await connection.execute(text(statement), {**given, "most": self._most})).all()
        callers: dict[UUID, Caller] = {}
        for tenant_id, row_id in found:
            if tenant_id not in callers:
                callers[tenant_id] = await system_caller(self._engine, tenant_id)
            yield callers[tenant_id], row_id

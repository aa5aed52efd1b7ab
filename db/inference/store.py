"""How items and switches are written within a unit, and how switches are read by whoever asks a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import insert, text, update

from db.engine import ReadPool
from db.inference.tables import inference_items, inference_providers
from domain.inference import MARKS, Answered, Item, Message, NewItem, Provider, ProviderSwitch
from domain.jobs import Failed, JobStatus

if TYPE_CHECKING:
    from db.unit import SqlUnit

# No one key is named: of two units that make the same row, the later would be refused for the other key.
_KNOWN: Final = text(
    "with known as (insert into inference_providers (tenant_id, id, name, kind) values (:tenant, :id, :name, :kind)"
    " on conflict do nothing)"
    " update inference_providers set kind = :kind where tenant_id = :tenant and id = :id and kind <> :kind"
)
_LOCKED: Final = text(
    "select enabled, priority, model from inference_providers where tenant_id = :tenant and id = :id for update"
)
# A job that was asked to begin again has forgotten its counts, but not its items.
_AGAIN: Final = text("""
    update inference_items set status = 'QUEUED', finished_at = null, error_code = null, error_message = null,
        error_retryable = null
    where tenant_id = :tenant and job_id = :job and status = 'FAILED'
        and exists (select from jobs where tenant_id = :tenant and id = :job and failed_count = 0)
""")
_COUNTED: Final = text("""
    update jobs set completed_count = counted.completed, failed_count = counted.failed
    from (select count(*) filter (where status = 'SUCCEEDED') as completed,
            count(*) filter (where status = 'FAILED') as failed
        from inference_items where tenant_id = :tenant and job_id = :job) as counted
    where tenant_id = :tenant and id = :job
        and (completed_count, failed_count) is distinct from (counted.completed, counted.failed)
""")
_LEFT: Final = text(
    "select id, request_id, messages from inference_items where tenant_id = :tenant and job_id = :job"
    " and status = 'QUEUED' order by number"
)
_COUNTS: Final = text(
    "select count(*) filter (where status = 'SUCCEEDED') as completed,"
    " count(*) filter (where status = 'FAILED') as failed"
    " from inference_items where tenant_id = :tenant and job_id = :job"
)
# By a hash of the words: a batch has many, and a tenant many people.
_NAMED: Final = text(f"""
    select distinct named.name
    from (select full_name as name from people where tenant_id = :tenant
        union all select full_name from users where tenant_id = :tenant) as named
    cross join lateral unnest(string_to_array(translate(lower(case
        when octet_length(named.name) = char_length(named.name) then named.name
        else regexp_replace(normalize(named.name, NFKD), '{MARKS.pattern}', '', 'g') end), :marks, :spaces), ' '))
        as part
    join unnest(cast(:words as text[])) as said(word) on said.word = part
    order by named.name
""")
_MARKS: Final = "-.,()/'\u2018\u2019"
"""What stands between the parts of a name, beside spaces."""
_SWITCHES: Final = (
    "select id, enabled, priority, model from inference_providers"
    " where tenant_id = $1::uuid and (enabled is not null or priority is not null or model is not null)"
)


class SqlInference:
    """The inference store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add_items(self, job_id: UUID, items: Sequence[tuple[UUID, NewItem]]) -> None:
        """Store the items of a new job."""
        await self._unit.connection.execute(
            insert(inference_items),
            [
                {
                    "tenant_id": self._unit.caller.tenant_id, "id": item_id, "job_id": job_id, "number": number,
                    "request_id": item.request_id, "status": JobStatus.QUEUED.name, "created_at": self._unit.now,
                    "messages": [{"role": each.role, "content": each.content} for each in item.messages],
                }
                for number, (item_id, item) in enumerate(items)
            ],
        )  # fmt: skip

    async def begin_items(self, job_id: UUID) -> list[Item]:
        """Return the items that have no answer yet."""
        given = self._given(job_id)
        await self._unit.connection.execute(_AGAIN, given)
        await self._unit.connection.execute(_COUNTED, given)
        rows = await self._unit.connection.execute(
            _LEFT.columns(messages=inference_items.c.messages.type), given
        )  # fmt: skip
        return [
            Item(row.id, row.request_id, tuple(Message(each["role"], each["content"]) for each in row.messages))
            for row in rows
        ]

    async def finish_item(self, item_id: UUID, attempt: int, result: Answered | Failed, now: datetime) -> bool:
        """Store what became of an item; false where that is known already."""
        table = inference_items
        if isinstance(result, Answered):
            await self._known(result.provider)
            values: dict[str, object] = {
                "status": JobStatus.SUCCEEDED.name, "provider_id": result.provider.id, "model": result.model,
                "output_text": result.text, "output_json": result.value, "repaired": result.repaired,
                "prompt_tokens": result.prompt_tokens, "completion_tokens": result.completion_tokens,
                "prompt_version": result.prompt and result.prompt.version,
                "prompt_hash": result.prompt and result.prompt.hash,
            }  # fmt: skip
        else:
            values = {
                "status": JobStatus.FAILED.name, "error_code": result.code, "error_message": result.message,
                "error_retryable": result.retryable,
            }  # fmt: skip
        done = await self._unit.connection.execute(
            update(table)
            .where(
                table.c.tenant_id == self._unit.caller.tenant_id,
                table.c.id == item_id,
                table.c.status == JobStatus.QUEUED.name,
            )
            .values(attempt=attempt, finished_at=now, **values)
        )
        return done.rowcount == 1

    async def names_among(self, words: Sequence[str]) -> list[str]:
        """Return the full names of which a part is among these words."""
        given = {
            "tenant": self._unit.caller.tenant_id,
            "words": list(words),
            "marks": _MARKS,
            "spaces": " " * len(_MARKS),
        }
        return list((await self._unit.connection.execute(_NAMED, given)).scalars())

    async def counts(self, job_id: UUID) -> tuple[int, int]:
        """Return how many items of a job have an answer, and how many have failed for good."""
        row = (await self._unit.connection.execute(_COUNTS, self._given(job_id))).one()
        return row.completed, row.failed

    async def switch_for_update(self, provider: Provider) -> ProviderSwitch:
        """Return what is switched of a provider, and lock it."""
        await self._known(provider)
        given = {"tenant": self._unit.caller.tenant_id, "id": provider.id}
        row = (await self._unit.connection.execute(_LOCKED, given)).one()
        return ProviderSwitch(row.enabled, row.priority, row.model)

    async def save_switch(self, provider_id: UUID, switch: ProviderSwitch, now: datetime) -> None:
        """Store what is switched of a provider."""
        await self._unit.change(
            inference_providers, provider_id, enabled=switch.enabled, priority=switch.priority, model=switch.model,
            updated_at=now,
        )  # fmt: skip

    def _given(self, job_id: UUID) -> dict[str, UUID]:
        return {"tenant": self._unit.caller.tenant_id, "job": job_id}

    async def _known(self, provider: Provider) -> None:
        """Make sure that the tenant has a row of a provider that is configured."""
        await self._unit.connection.execute(
            _KNOWN,
            {
                "tenant": self._unit.caller.tenant_id, "id": provider.id, "name": provider.name,
                "kind": provider.kind.name,
            },
        )  # fmt: skip


class SqlSwitches:
    """What every tenant has switched, read anew for each question."""

    def __init__(self, pool: ReadPool) -> None:
        """Read by `pool`."""
        self._pool = pool

    async def of(self, tenant_id: UUID) -> Mapping[UUID, ProviderSwitch]:
        """Return a tenant's switches by the provider's id."""
        rows = await self._pool.fetch(tenant_id, _SWITCHES, tenant_id)
        return {row["id"]: ProviderSwitch(row["enabled"], row["priority"], row["model"]) for row in rows}

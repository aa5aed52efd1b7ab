"""What machines report: stored as it is now, and by the minute. Nothing of it belongs to a tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.errors import answering
from domain.fleet import GpuSample, HostSample, Machine, TelemetrySource, XidSeen, bus_key
from domain.values import new_id

# Machines' clocks differ: until when one is expected to say something again is a moment of the database's.
_CLAIM: Final = text("""
    insert into hosts as h (id, machine, hostname, reporter, claimed_at, expected_by, source)
    values (:id, :machine, :hostname, :reporter, :at, now() + make_interval(secs => :seconds), 'NONE')
    on conflict (machine) do update set hostname = excluded.hostname, reporter = excluded.reporter,
        claimed_at = excluded.claimed_at, expected_by = excluded.expected_by
    where h.reporter = excluded.reporter or h.claimed_at < :silent
    returning h.id
""")
_HOST: Final = text(
    "update hosts set source = :source, driver = :driver, problem = :problem, sampled_at = :at"
    " where id = :host and reporter = :reporter returning id"
)
_UNSIMULATED: Final = text("delete from gpus where host_id = :host and source = 'SIMULATED' and :source <> 'SIMULATED'")
_UNSIMULATED_XIDS: Final = text(
    "delete from gpu_xids where host_id = :host and source = 'SIMULATED' and :source <> 'SIMULATED'"
)
_GPU: Final = text("""
    insert into gpus as g (
        id, host_id, uuid, name, pci, position, source, sampled_at, temperature_c, power_watts, utilization,
        memory_used_mib, memory_total_mib, throttle_reasons, ecc_uncorrected, recovery, processes
    ) values (
        :id, :host, :uuid, :name, :pci, :position, :source, :at, :temperature_c, :power_watts, :utilization,
        :memory_used_mib, :memory_total_mib, :throttle, :ecc_uncorrected, :recovery, cast(:processes as json)
    )
    on conflict (host_id, uuid) do update set
        name = excluded.name, pci = excluded.pci, position = excluded.position, source = excluded.source,
        sampled_at = excluded.sampled_at, temperature_c = excluded.temperature_c, power_watts = excluded.power_watts,
        utilization = excluded.utilization, memory_used_mib = excluded.memory_used_mib,
        memory_total_mib = excluded.memory_total_mib, throttle_reasons = excluded.throttle_reasons,
        ecc_uncorrected = excluded.ecc_uncorrected, recovery = excluded.recovery, processes = excluded.processes
    returning g.id
""")


def _mean(column: str) -> str:
    """Write a mean over the samples of the minute. One that a GPU did not say this time stays as it was."""
    return (
        f"{column} = coalesce(s.{column} + (excluded.{column} - s.{column}) / (s.sample_count + 1),"
        f" excluded.{column}, s.{column})"
    )


_MINUTE: Final = text(f"""
    insert into gpu_samples as s (
        gpu_id, minute, source, sample_count, temperature_c, temperature_c_max, power_watts, utilization,
        memory_used_mib, memory_used_mib_max
    ) values (
        :gpu, date_trunc('minute', cast(:at as timestamptz)), :source, 1, :temperature_c, :temperature_c, :power_watts,
        :utilization, cast(:memory_used_mib as integer), cast(:memory_used_mib as integer)
    )
    on conflict (gpu_id, minute, source) do update set sample_count = s.sample_count + 1,
        {_mean("temperature_c")}, {_mean("power_watts")}, {_mean("utilization")}, {_mean("memory_used_mib")},
        temperature_c_max = greatest(s.temperature_c_max, excluded.temperature_c_max),
        memory_used_mib_max = greatest(s.memory_used_mib_max, excluded.memory_used_mib_max)
""")
_XID: Final = text("""
    insert into gpu_xids (id, host_id, pci, code, at, source, entry)
    values (:id, :host, :pci, :code, :at, :source, :entry) on conflict (host_id, entry) do nothing
""")
_FORGET: Final = (
    text("delete from gpu_samples where minute < :before"),
    text("delete from gpu_xids where at < :before"),
    text("delete from hosts where claimed_at < :before"),
    text("delete from fleet_workers where seen_at < :before"),
)


class SqlReports:
    """The port `HostReports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Write through `engine`."""
        self._engine = engine

    async def claim(self, machine: Machine, reporter: UUID, at: datetime, silent: timedelta) -> UUID | None:
        """Return the machine's id for the process that samples it; None where another does and was not silent."""
        given = {
            "id": new_id(), "machine": machine.key, "hostname": machine.hostname, "reporter": reporter, "at": at,
            "silent": at - silent, "seconds": silent.total_seconds(),
        }  # fmt: skip
        with answering():
            async with self._engine.begin() as connection:
                host: UUID | None = (await connection.execute(_CLAIM, given)).scalar_one_or_none()
        return host

    async def store(self, host_id: UUID, reporter: UUID, sample: HostSample) -> None:
        """Store a sample as the present, and as part of its minute; nothing where another process samples by now."""
        given = {"host": host_id, "reporter": reporter, "source": sample.source.name, "at": sample.at}
        with answering():
            async with self._engine.begin() as connection:
                said = {**given, "driver": sample.driver, "problem": sample.problem}
                if (await connection.execute(_HOST, said)).first() is None:
                    return
                await connection.execute(_UNSIMULATED, given)
                await connection.execute(_UNSIMULATED_XIDS, given)
                for position, gpu in enumerate(sample.gpus):
                    await _store_gpu(connection, given, position, gpu)

    async def store_xids(self, host_id: UUID, source: TelemetrySource, seen: Sequence[XidSeen]) -> int:
        """Store the XIDs that are not stored yet; return how many those were."""
        stored = 0
        with answering():
            async with self._engine.begin() as connection:
                for each in seen:
                    given = {
                        "id": new_id(), "host": host_id, "pci": bus_key(each.pci), "code": each.code, "at": each.at,
                        "source": source.name, "entry": each.entry,
                    }  # fmt: skip
                    stored += (await connection.execute(_XID, given)).rowcount
        return stored

    async def forget(self, before: datetime) -> None:
        """Remove minutes and XIDs from before a moment, and what machines and workers were not heard of since."""
        with answering():
            async with self._engine.begin() as connection:
                for statement in _FORGET:
                    await connection.execute(statement, {"before": before})


async def _store_gpu(connection: AsyncConnection, about: dict[str, object], position: int, gpu: GpuSample) -> None:
    given = {
        **about, "id": new_id(), "uuid": gpu.uuid, "name": gpu.name, "position": position,
        "pci": None if gpu.pci is None else bus_key(gpu.pci), "temperature_c": gpu.temperature_c,
        "power_watts": gpu.power_watts, "utilization": gpu.utilization, "memory_used_mib": gpu.memory_used_mib,
        "memory_total_mib": gpu.memory_total_mib, "throttle": [reason.name for reason in gpu.throttle],
        "ecc_uncorrected": gpu.ecc_uncorrected, "recovery": None if gpu.recovery is None else gpu.recovery.name,
        "processes": orjson.dumps([asdict(each) for each in gpu.processes]).decode(),
    }  # fmt: skip
    gpu_id = (await connection.execute(_GPU, given)).scalar_one()
    await connection.execute(_MINUTE, {**given, "gpu": gpu_id})

"""How machines and what serves slots are read. Every tenant sees the same, and of a tenant whoever may see machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from db.fleet.tables import seen_hosts, seen_workers
from db.reading.fields import boolean, enum, integer, number, text, texts, time, value
from db.reading.pieces import literal
from db.reading.source import Column, Computed, Link, Ordering, source
from db.reading.writer import Alias, Writer
from domain.errors import Invalid
from domain.fleet import ALARMING, XIDS, ThrottleReason, explained

MOST: Final = 100
LARGEST_INT: Final = 2**31 - 1
UNKNOWN: Final = -1
"""A code that no table has."""


def _operators(w: Writer, _t: Alias) -> str | None:
    return None if w.unrestricted else "false"


def _first(w: Writer, arguments: Mapping[str, object]) -> str:
    """Bind how many are asked for; raises Invalid."""
    first = cast("int", arguments["first"])
    if not 0 <= first <= MOST:
        raise Invalid(f"`first` is from 0 to {MOST}; {first} was sent.", field="first")
    return w.bind(first, "bigint")


def _gpus(w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    g = w.alias("gpus")
    return f"select {g.name}.* from gpus {g.name} where {g.host_id} = {t.id} order by {g.position}, {g.uuid}"


def _xids(w: Writer, t: Alias, arguments: Mapping[str, object]) -> str:
    x = w.alias("gpu_xids")
    return (
        f"select {x.code}, {x.at} from gpu_xids {x.name} where {x.host_id} = {t.host_id} and {x.pci} = {t.pci}"
        f" order by {x.at} desc, {x.id} desc limit {_first(w, arguments)}"
    )


def _host_xids(w: Writer, t: Alias, arguments: Mapping[str, object]) -> str:
    x = w.alias("gpu_xids")
    return (
        f"select {x.code}, {x.at} from gpu_xids {x.name} where {x.host_id} = {t.id}"
        f" order by {x.at} desc, {x.id} desc limit {_first(w, arguments)}"
    )


def _minutes(w: Writer, t: Alias, arguments: Mapping[str, object]) -> str:
    s = w.alias("gpu_samples")
    return (
        f"select {s.name}.* from gpu_samples {s.name} where {s.gpu_id} = {t.id}"
        f" order by {s.minute} desc, {s.source} limit {_first(w, arguments)}"
    )


def _processes(_w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    return f"select p.* from json_to_recordset({t.processes}) as p(pid integer, name text, memory_mib integer)"


def _told(name: str, code: str) -> str:
    """Write what the table of XIDs says of a code."""
    known = " ".join(f"when {each.code} then {literal(getattr(each, name))}" for each in XIDS.values())
    return f"case {code} {known} else {literal(getattr(explained(UNKNOWN), name))} end"


def _alarms(t: Alias) -> str:
    alarming = ", ".join(literal(reason.name) for reason in ThrottleReason if reason in ALARMING)
    return f"array(select each from unnest({t.throttle_reasons}) as each where each in ({alarming}))"


_XID: Final[Mapping[str, Column]] = {
    "code": integer("code"),
    "at": time("at"),
    "meaning": text(lambda t: _told("meaning", t.code)),
    "immediate": text(lambda t: _told("immediate", t.code)),
    "investigate": text(lambda t: _told("investigate", t.code)),
    "action": text(lambda t: _told("action", t.code)),
}
XID: Final = value(_XID, rows=_xids, many=True)
HOST_XID: Final = value(_XID, rows=_host_xids, many=True)
PROCESS: Final = value(
    {
        "pid": integer("pid"),
        "name": text("name"),
        "memory_mi_b": integer("memory_mib", null=True),
    },
    rows=_processes,
    many=True,
)
MINUTE: Final = value(
    {
        "at": time("minute"),
        "source": enum("source"),
        "sample_count": integer("sample_count"),
        "temperature_c": number("temperature_c", null=True),
        "highest_temperature_c": number("temperature_c_max", null=True),
        "power_watts": number("power_watts", null=True),
        "utilization": number("utilization", null=True),
        "used_mi_b": number("memory_used_mib", null=True),
        "most_used_mi_b": integer("memory_used_mib_max", null=True),
    },
    rows=_minutes,
    many=True,
)
MEMORY: Final = value(
    {"used_mi_b": integer("memory_used_mib"), "total_mi_b": integer("memory_total_mib")},
    null=lambda t: f"({t.memory_used_mib} is null or {t.memory_total_mib} is null)",
)
GPU: Final = value(
    {
        "uuid": text("uuid"),
        "name": text(lambda t: t.column("name")),
        "temperature_c": number("temperature_c", null=True),
        "power_watts": number("power_watts", null=True),
        "utilization": number("utilization", null=True),
        "memory": MEMORY,
        "throttle_reasons": texts("throttle_reasons"),
        "alarms": texts(_alarms),
        "ecc_uncorrected": integer(
            lambda t: f"case when {t.ecc_uncorrected} > {LARGEST_INT} then {LARGEST_INT} else {t.ecc_uncorrected} end",
            null=True,
        ),
        "recovery": enum("recovery", null=True),
        "xids": XID,
        "processes": PROCESS,
        "minutes": MINUTE,
        "source": enum("source"),
        "sampled_at": time("sampled_at"),
    },
    rows=_gpus,
    many=True,
)


def _host_status(_w: Writer, t: Alias) -> str:
    return f"case when {t.expected_by} >= now() then 'ONLINE' else 'OFFLINE' end"


HOSTS = source(
    "hosts",
    seen_hosts,
    prefix="host",
    visible=_operators,
    default_order=("HOSTNAME", False),
    columns={
        "hostname": text("hostname"),
        "status": enum(Computed(_host_status)),
        "source": enum("source"),
        "driver": text("driver", null=True),
        "problem": text("problem", null=True),
        "sampled_at": time("sampled_at", null=True),
        "gpus": GPU,
        "xids": HOST_XID,
    },
    orders={"HOSTNAME": Ordering(lambda t: t.hostname, "text")},
)


def _slots(w: Writer, t: Alias) -> tuple[str, str]:
    """Return the name of an alias of the slots of a worker, and what they are read from."""
    s = w.alias("slots")
    return s.name, f"from slots {s.name} where {s.kind} = {t.kind} and {s.resource} = {t.column('name')}"


def _open(w: Writer, t: Alias) -> str:
    s, slots = _slots(w, t)
    return f"coalesce((select bool_or({s}.open) {slots}), false)"


def _count(w: Writer, t: Alias) -> str:
    return f"(select count(*) {_slots(w, t)[1]})"


def _status(w: Writer, t: Alias) -> str:
    s, slots = _slots(w, t)
    return (
        f"case when not {t.answers} or coalesce({t.expected_by} < now(), true) then 'DOWN' else"
        f" (select case when count({s}.job_id) = 0 then 'IDLE' when bool_or({s}.open) then 'BUSY' else 'DRAINING' end"
        f" {slots}) end"
    )


def _running(w: Writer, t: Alias) -> str:
    """Name the job that has run there longest, if it is the caller's tenant's."""
    s, slots = _slots(w, t)
    return f"(select {s}.job_id {slots} and {s}.job_tenant_id = {w.tenant} order by {s}.leased_at limit 1)"


WORKERS = source(
    "workers",
    seen_workers,
    prefix="worker",
    visible=_operators,
    default_order=("NAME", False),
    columns={
        "kind": enum("kind"),
        "name": text(lambda t: t.column("name")),
        "url": text("url"),
        "gpu": text("gpu", null=True),
        "status": enum(Computed(_status)),
        "open": boolean(Computed(_open)),
        "slots": integer(Computed(_count)),
        "queue_depth": integer("queue_depth"),
    },
    links={"running_job": Link("jobs", local=_running)},
    orders={"NAME": Ordering(lambda t: t.column("name"), "text")},
)

"""Machines as clients see them: process state of the installation, and the mode that says what they work on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import strawberry

from domain import fleet as domain
from domain.access import Permission
from domain.fleet import FleetMode, FleetView, HostStatus, RecoveryAction, TelemetrySource, WorkerKind, WorkerStatus
from graph.context import Info
from graph.declaration import (
    Argument,
    Node,
    column,
    link,
    links,
    noun,
    paid,
    payload,
    reference,
    root,
    value,
)
from graph.enums import described
from graph.fields import field
from graph.inputs import argument, unpacked
from graph.mutations import mutation
from graph.scalars import URL, DateTime
from graph.subscriptions.declaration import Sample, samples
from resolvers import fleet as resolve

if TYPE_CHECKING:
    from graph.access import Actor
    from graph.jobs import Job

described(
    FleetMode,
    "What the machines work on where language models and renders stand on the same GPU.",
    LLM_FIRST="Language models; renders wait.",
    MEDIA_FIRST="Renders; language models wait.",
    SPLIT="Both: GPUs are dealt out between them, and a single one serves both.",
)
described(
    TelemetrySource,
    "Where a number comes from.",
    NVML="From the driver of NVIDIA's GPUs.",
    SIMULATED="Made up, because an operator asked for it.",
    NONE="From nowhere: there is no GPU, or its driver does not answer.",
)
described(
    HostStatus,
    "Whether a machine reports.",
    ONLINE="It has said something lately.",
    OFFLINE="It has not, as when nothing of ours runs there any more: what is known of it is of the past.",
)
described(
    RecoveryAction,
    "What a GPU says it needs before it works again.",
    NONE="Nothing.",
    GPU_RESET="To be reset.",
    NODE_REBOOT="Its machine restarted.",
    DRAIN_P2P="To be left by work that uses several GPUs.",
    DRAIN_AND_RESET="To be left by all work, then reset.",
    RECOVER_IMEX_DOMAIN="The domain of linked machines recovered.",
    BUS_RESET="Its bus reset.",
    SYSTEM_REBOOT="The whole system restarted.",
)
described(
    WorkerKind,
    "What serves work.",
    LLM="An endpoint of a language model.",
    COMFYUI="A ComfyUI, which renders.",
)
described(
    WorkerStatus,
    "How a worker is.",
    IDLE="It answers, and nothing of ours runs there.",
    BUSY="A job runs there.",
    DRAINING="A job runs there, and no other will begin: the mode has closed it.",
    DOWN="It does not answer, or nobody has asked it for a while.",
)

FIRST = Argument("first", int, "How many at most, newest first: 0 to 100.")


@value("gpu_memory", description="A GPU's memory.")
class GpuMemory:
    """Memory."""

    used_mi_b: int = column("What is in use, in MiB.")
    total_mi_b: int = column("What there is, in MiB.")


@value("gpu_xid", description="An error that the driver reported of a GPU.")
class GpuXid:
    """An XID."""

    code: int = column("NVIDIA's number of the error.")
    at: DateTime = column("When the kernel logged it.")

    meaning: str = column("What it means.")
    immediate: str = column("What NVIDIA says to do at once: a bucket of its catalogue.")
    investigate: str = column("What NVIDIA says to look into: a bucket of its catalogue.")
    action: str = column("What an operator does about it.")


@value("gpu_process", description="A program that computes on a GPU.")
class GpuProcess:
    """A process."""

    pid: int = column("Its number on its machine.")
    name: str = column("Its name, without its folder.")
    memory_mi_b: int | None = column("What it has in use, in MiB; not known inside some containers.")


@value("gpu_minute", description="A GPU over one minute: means of its samples, and the highest of them.")
class GpuMinute:
    """A minute."""

    at: DateTime = column("When the minute began.")
    source: TelemetrySource = column("Where the samples come from.")
    sample_count: int = column("How many samples there were.")
    temperature_c: float | None = column("Degrees Celsius.")
    highest_temperature_c: float | None = column("The highest, in degrees Celsius.")
    power_watts: float | None = column("Watts.")
    utilization: float | None = column("How much of the time it computed, in percent.")
    used_mi_b: float | None = column("Memory in use, in MiB.")
    most_used_mi_b: int | None = column("The most that was in use, in MiB.")


@value("gpu", description="A GPU as it was when it was last sampled.")
class Gpu:
    """A GPU."""

    uuid: str = column("What it is known by; its position changes when another one is gone.")
    name: str = column("Its model.")
    temperature_c: float | None = column("Degrees Celsius.")
    power_watts: float | None = column("Watts.")
    utilization: float | None = column("How much of the last moments it computed, in percent.")
    memory: GpuMemory | None = column("Its memory.")
    throttle_reasons: list[str] = column("Why its clocks are lower than they could be, by NVML's names.")
    alarms: list[str] = column("Those of them that say that something is wrong; a power cap at full load does not.")
    ecc_uncorrected: int | None = column("Errors of its memory in its life that could not be corrected.")
    recovery: RecoveryAction | None = column("What it says it needs. This counts more than any XID.")
    xids: list[GpuXid] = column("Errors that the driver reported of it.", FIRST)
    processes: list[GpuProcess] = column("What computes on it.")
    minutes: list[GpuMinute] = column("How it was over the last minutes in which it was sampled.", FIRST)
    source: TelemetrySource = column("Where these numbers come from.")
    sampled_at: DateTime | None = column("When it was sampled.")


@noun("hosts", prefix="host", description="A machine that reports.")
class FleetHost(Node):
    """A machine."""

    hostname: str = column("Its name.")
    status: HostStatus = column("Whether it reports.")
    source: TelemetrySource = column("Where its last sample came from; NONE without a GPU or an answer of its driver.")
    driver: str | None = column("The version of its driver.")
    problem: str | None = column("What keeps its telemetry from being whole.")
    sampled_at: DateTime | None = column("When it was last sampled.")
    gpus: list[Gpu] = column("Its GPUs, each as it was last seen.")
    xids: list[GpuXid] = column("Errors of any GPU of its, also of one that is gone.", FIRST)


@noun("workers", prefix="worker", description="Something that serves work: a ComfyUI, or a language model's endpoint.")
class Worker(Node):
    """A worker."""

    kind: WorkerKind = column("What it is.")
    name: str = column("What it is called.")
    url: URL = column("Its address, as Velocity reaches it.")
    gpu: str | None = column("The UUID of the GPU on which it stands, where the settings say so.")
    status: WorkerStatus = column("How it is.")
    open: bool = column("Whether the mode lets new work begin there.")
    slots: int = column("How many jobs may run there at once.")
    queue_depth: int = column("What waits at the worker itself, beside our own queue.")
    running_job: Job | None = link("The job that has run there longest; null for another company's.")


@payload("The mode that counts.")
class FleetModeState:
    """A mode."""

    current: FleetMode = column("The mode.")
    since: DateTime = column("Since when.")
    set_by: Actor | None = reference("Who set it; null for nobody, and for somebody of another company.")


@payload("Work of one kind that waits or runs, whosever it is.")
class QueueState:
    """A queue."""

    name: str = column("Which kind of work.")
    depth: int = column("How many jobs wait.")
    running: int = column("How many run.")
    oldest_seconds: float | None = column(
        "For how long the oldest of those that wait has waited; null where none does."
    )
    finished_per_minute: float = column("How many were finished in a minute, over the last five.")
    waits_for: str | None = column("Why none of it can begin, where the mode keeps it waiting.")


@payload("The machines of the installation and what they do. They are the same for every company.")
class Fleet:
    """The fleet."""

    mode: FleetModeState = column("What they work on.")
    hosts: list[FleetHost] = links("The machines that report, by name; at most 100.")
    workers: list[Worker] = links("What serves work, by kind and name; at most 100.")
    queues: list[QueueState] = column("What waits and runs.")


@payload("The mode was set.")
class FleetModeSetPayload:
    """The answer of fleetModeSet."""

    fleet: Fleet = column("The fleet, as it is now.")
    unconfirmed: list[str] = column(
        "What has not come about yet or cannot be confirmed, in sentences. What has not will, once it can."
    )


@payload("A machine that was sampled again, and what waits and runs at that moment.")
class FleetSample:
    """What fleetUpdates tells."""

    host: FleetHost = link("The machine.")
    queues: list[QueueState] = column("What waits and runs.")


@root
class FleetSubscription:
    """Subscriptions to the fleet."""

    fleet_updates: FleetSample = samples(
        "Machines as they are sampled: each as it is now, and then whenever it was sampled again or fell silent."
        " Samples have no position; for a slow reader the newest stands for those between.",
        Permission.FLEET_READ,
    )


@strawberry.input(description="What the machines are to work on.")
class FleetModeSetInput:
    """A mode."""

    mode: FleetMode = argument("Which mode.")


@root
class FleetQuery:
    """Root fields that read the fleet."""

    @field("The machines, what serves work on them, and what waits.")
    async def fleet(self, info: Info) -> Fleet | None:
        """Answer the fleet."""
        return shown(await resolve.fleet(info.context))


@root
class FleetMutation:
    """Mutations of the fleet."""

    @mutation(
        "Set what the machines work on. What the mode forbids is drained and asked to free its memory, which telemetry"
        " confirms where there is a GPU; then the other slots open. Work that the mode forbids waits."
    )
    async def fleet_mode_set(self, info: Info, input: FleetModeSetInput) -> FleetModeSetPayload:
        """Set the mode."""
        found, unconfirmed = await resolve.fleet_mode_set(info.context, unpacked(input, domain.FleetModeSet))
        return paid(FleetModeSetPayload, fleet=shown(found), unconfirmed=list(unconfirmed))


def queues_of(found: FleetView) -> list[QueueState]:
    """Return what waits and runs as clients see it."""
    return [paid(QueueState, **asdict(each)) for each in found.queues]


def shown(found: FleetView) -> Fleet:
    """Return the fleet as clients see it; its machines are read as they are selected."""
    by = found.set_by
    mode = paid(
        FleetModeState,
        current=found.mode.mode,
        since=found.mode.since,
        set_by=None if by is None else f"{by.noun}:{by.id}",
    )
    return paid(Fleet, mode=mode, hosts=list(found.hosts), workers=list(found.workers), queues=queues_of(found))


def samples_of(found: FleetView) -> list[Sample]:
    """Return what there is to tell of each machine."""
    queues = queues_of(found)
    return [Sample(str(host), seen, paid(FleetSample, host=host, queues=queues)) for host, seen in found.hosts.items()]

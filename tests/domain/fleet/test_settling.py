"""How a mode comes about, step by step, on a machine that a table of rows stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.fleet import (
    PATIENCE,
    FleetMode,
    GpuMemory,
    ModeSet,
    Release,
    Resource,
    Runtime,
    Serving,
    Situation,
    TelemetrySource,
    WorkerKind,
    steps,
)
from domain.values import new_id

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
ASKED = NOW - timedelta(seconds=5)
GPU = "GPU-a"
OLLAMA = Resource(WorkerKind.LLM, "ollama", "http://127.0.0.1:11434", Runtime.OLLAMA, gpu=GPU)
COMFY = Resource(WorkerKind.COMFYUI, "comfy", "http://127.0.0.1:8188", Runtime.COMFYUI, gpu=GPU)
OPEN, CLOSED = Serving(open=True, held=0), Serving(open=False, held=0)
FREED = GpuMemory(TelemetrySource.NVML, NOW, 3_000, 81_559)


def situation(
    serving: Mapping[UUID, Serving],
    releases: Mapping[UUID, Release] | None = None,
    memory: GpuMemory | None = None,
    mode: FleetMode = FleetMode.LLM_FIRST,
    resources: Sequence[Resource] = (OLLAMA, COMFY),
    now: datetime = NOW,
) -> Situation:
    set_ = ModeSet(new_id(), mode, NOW - timedelta(minutes=1))
    return Situation(set_, resources, serving, releases or {}, {} if memory is None else {GPU: memory}, now)


def test_what_the_mode_forbids_is_closed_first() -> None:
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: OPEN}))

    assert (made.close, made.release, made.open, made.settled) == ([COMFY], [], [], False)


def test_what_runs_there_is_waited_for() -> None:
    held = Serving(open=False, held=1)
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: held}))
    two = steps(situation({OLLAMA.id: CLOSED, COMFY.id: replace(held, held=2)}))

    assert (made.close, made.release, made.open, made.settled) == ([], [], [], False)
    assert made.unconfirmed == ["A job is still running on comfy; its GPU changes over when that has ended."]
    assert two.unconfirmed == ["2 jobs are still running on comfy; its GPU changes over when that has ended."]


def test_what_has_ended_is_asked_for_its_memory() -> None:
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: CLOSED}))

    assert (made.release, made.open, made.unconfirmed, made.settled) == ([COMFY], [], [], False)


@pytest.mark.parametrize(
    ("used", "asked_with", "free"),
    [
        # Idle, whatever it had in use.
        (2_048, 2_048, True),
        (8_155, None, True),
        # A gigabyte was given back, and a language model stays.
        (60_000, 61_024, True),
        (60_000, 61_023, False),
        (60_000, None, False),
        (60_000, 60_000, False),
    ],
)
def test_telemetry_confirms(used: int, asked_with: int | None, *, free: bool) -> None:
    memory = replace(FREED, used_mib=used)
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: CLOSED}, {COMFY.id: Release(ASKED, asked_with)}, memory))

    assert (made.confirm, made.open, made.settled) == (([COMFY], [OLLAMA], True) if free else ([], [], False))
    said = f"comfy was asked to free its memory; its GPU still has {used} of 81559 MiB in use."
    assert made.unconfirmed == ([] if free else [said])


def test_a_sample_from_before_confirms_nothing() -> None:
    release = {COMFY.id: Release(ASKED, 60_000)}
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: CLOSED}, release, replace(FREED, at=ASKED)))

    assert (made.confirm, made.open) == ([], [])


def test_what_is_confirmed_stays_so() -> None:
    full = replace(FREED, used_mib=80_000)
    release = {COMFY.id: Release(ASKED, 60_000, confirmed=True)}
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: CLOSED}, release, full))

    assert (made.confirm, made.open, made.unconfirmed, made.settled) == ([], [OLLAMA], [], True)


@pytest.mark.parametrize(
    "memory",
    [None, replace(FREED, source=TelemetrySource.SIMULATED), replace(FREED, used_mib=None)],
    ids=["none", "simulated", "silent"],
)
def test_without_telemetry_the_rest_opens_and_it_is_said(memory: GpuMemory | None) -> None:
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: CLOSED}, {COMFY.id: Release(ASKED)}, memory))

    assert (made.confirm, made.open, made.settled) == ([], [OLLAMA], True)
    assert made.unconfirmed == ["comfy was asked to free its memory; no telemetry of its GPU confirms it."]


def test_memory_that_stays_in_use_is_waited_for_only_so_long() -> None:
    full = replace(FREED, used_mib=60_000)
    release = {COMFY.id: Release(ASKED, 60_000)}
    slots = {OLLAMA.id: CLOSED, COMFY.id: CLOSED}
    soon = steps(situation(slots, release, full, now=ASKED + PATIENCE - timedelta(milliseconds=1)))
    later = steps(situation(slots, release, full, now=ASKED + PATIENCE))

    said = ["comfy was asked to free its memory; its GPU still has 60000 of 81559 MiB in use."]
    assert (soon.open, soon.settled, soon.unconfirmed) == ([], False, said)
    assert (later.open, later.settled, later.unconfirmed) == ([OLLAMA], True, said)


def test_what_cannot_be_asked_is_said() -> None:
    release = {COMFY.id: Release(ASKED, 60_000, refusal="It does not answer.")}
    made = steps(situation({OLLAMA.id: CLOSED, COMFY.id: CLOSED}, release, FREED))

    assert made.open == [OLLAMA]
    assert made.unconfirmed == ["comfy could not be asked to free its memory: It does not answer."]


def test_what_is_served_stays_open() -> None:
    made = steps(situation({OLLAMA.id: OPEN, COMFY.id: OPEN}))

    assert (made.close, made.open) == ([COMFY], [])


def test_split_on_one_gpu_opens_both_at_once() -> None:
    made = steps(situation({OLLAMA.id: OPEN, COMFY.id: CLOSED}, mode=FleetMode.SPLIT))

    assert (made.close, made.release, made.open, made.settled) == ([], [], [COMFY], True)


def test_a_gpu_waits_for_its_own_only() -> None:
    other = (replace(OLLAMA, name="llm-b", gpu="GPU-b"), replace(COMFY, name="comfy-b", gpu="GPU-b"))
    serving = {OLLAMA.id: CLOSED, COMFY.id: Serving(open=False, held=1), other[0].id: CLOSED, other[1].id: CLOSED}
    release = {other[1].id: Release(ASKED)}
    made = steps(situation(serving, release, resources=(OLLAMA, COMFY, *other)))

    assert (made.open, made.settled) == ([other[0]], False)


def test_what_has_no_slots_holds_nothing_up() -> None:
    made = steps(situation({OLLAMA.id: CLOSED}, {COMFY.id: Release(ASKED)}))

    assert (made.close, made.open, made.settled) == ([], [OLLAMA], True)

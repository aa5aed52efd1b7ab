"""A render worker is trusted with photographs and not with this process: whatever it answers, nothing here breaks."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from typing import Any

import pytest

from domain.renders import WHOLE, RenderedFile
from gpu.renders import faults
from gpu.renders.client import (
    LARGEST_ANSWER,
    LONGEST_NAME,
    MOST_QUEUED,
    ComfyClient,
    FileGone,
    FileTooLarge,
    OutputFile,
    Refused,
    WorkerUnreachable,
)
from gpu.renders.frames import read
from gpu.renders.worker import output_files
from tests.comfy.workers import TRIAL

DEEP = "[" * 100_000
PROMPT = "Asha Rao, 98200 12345, likes /srv/oak"


@asynccontextmanager
async def answering(body: bytes, *, endless: bool = False) -> AsyncIterator[tuple[ComfyClient, Callable[[], int]]]:
    """A server that answers everything with these bytes, once or for ever; and how many of them it got rid of."""
    sent = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            length = b"" if endless else f"content-length: {len(body)}\r\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n" + length + b"\r\n")
            while body:
                writer.write(body)
                await writer.drain()
                sent += len(body)
                if not endless:
                    break
            if not body:
                # Until the other side hangs up.
                await reader.read()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    client = ComfyClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield client, lambda: sent
    finally:
        await client.close()
        server.close()


async def test_an_answer_without_an_end_is_given_up_before_it_fills_the_memory() -> None:
    async with answering(b" " * 1_048_576, endless=True) as (client, sent):
        with pytest.raises(WorkerUnreachable, match="too large"):
            await client.queued()
        assert sent() < 2 * LARGEST_ANSWER


async def test_a_file_without_an_end_is_given_up() -> None:
    async with answering(b"x" * 65_536, endless=True) as (client, _):
        with pytest.raises(FileTooLarge):
            await client.fetch(OutputFile("out.png", "", "output"), 1_000_000)


async def test_an_answer_that_does_not_come_to_its_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte in time is not enough: the whole has its time, too."""
    for name in ("ANSWER_SECONDS", "FILE_SECONDS"):
        monkeypatch.setattr(f"gpu.renders.client.{name}", 0.2)
    async with answering(b"", endless=True) as (client, _):
        with pytest.raises(WorkerUnreachable, match="TimeoutError"):
            await client.queued()
        with pytest.raises(WorkerUnreachable, match="TimeoutError"):
            await client.fetch(OutputFile("out.png", "", "output"), 1_000)


@pytest.mark.parametrize("name", ["a\ud800.png", "x" * 100_000])
async def test_a_name_that_cannot_be_sent_is_a_file_that_is_not_there(name: str) -> None:
    async with answering(b"{}") as (client, _):
        with pytest.raises(FileGone):
            await client.fetch(OutputFile(name, "", "output"), 1_000)


@pytest.mark.parametrize(
    "body",
    [
        DEEP, '{"system": ' + DEEP, "[]", "null", "<html>", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        '{"system": [], "devices": {}}', '{"system": "x"}',
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_as_good_as_none(body: str) -> None:
    async with answering(body.encode()) as (client, _):
        with pytest.raises(WorkerUnreachable):
            await client.vitals()
        assert await client.load() == 0


async def test_what_it_says_of_itself_is_cut_to_what_can_be_kept() -> None:
    device: dict[str, Any] = {"name": "x" * 10_000, "vram_total": 10**400, "vram_free": "lots"}
    told = {"system": {"comfyui_version": "9" * 10_000}, "devices": [device], "exec_info": {"queue_remaining": 10**30}}
    async with answering(json.dumps(told).encode()) as (client, _):
        vitals = await client.vitals()
        assert (len(vitals.device), len(vitals.version), vitals.vram_free) == (LONGEST_NAME, LONGEST_NAME, 0)
        assert vitals.vram_total < 2**63
        assert await client.load() == MOST_QUEUED


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1" * 400, '"many"', "null", "[]", "true", "-5"])
def test_progress_that_is_no_number_leaves_it_countable(number: str) -> None:
    node = next(iter(TRIAL.graph))
    one = f'{{"state": "running", "value": {number}, "max": {number}}}'
    frames = [
        f'{{"type": "progress_state", "data": {{"prompt_id": "a", "nodes": {{"{node}": {one}}}}}}}',
        f'{{"type": "progress", "data": {{"prompt_id": "a", "node": "{node}", "value": {number}, "max": 2}}}}',
        f'{{"type": "progress", "data": {{"prompt_id": "a", "node": "{node}", "value": 1, "max": {number}}}}}',
    ]
    for frame in frames:
        found = read(frame)
        assert found is not None
        assert 0 <= TRIAL.progress(found.nodes).value <= WHOLE


@pytest.mark.parametrize("frame", [DEEP, '{"type": "progress", "data": ' + DEEP, "\0", "{}", '"x"', b"\xff"])
def test_what_is_no_frame_is_none(frame: str | bytes) -> None:
    assert read(frame) is None


def test_a_file_has_no_name_here() -> None:
    """What it is called only says what kind it is: nothing is ever kept under a name that a worker chose."""
    named = [{"filename": "../../etc/passwd.png", "subfolder": "/root", "type": "output"}]
    entry = {"outputs": {TRIAL.outputs[0]: {"images": [*named, {"filename": "x.png", "type": "temp"}, "y", None]}}}
    assert output_files(TRIAL, entry) == [OutputFile("../../etc/passwd.png", "/root", "output")]
    assert {field.name for field in fields(RenderedFile)} == {"content", "content_type"}


@pytest.mark.parametrize("place", ["node_type", "exception_type", "exception_message", "traceback"])
def test_a_failure_repeats_nothing_of_what_it_was_told(place: str) -> None:
    data = {"node_id": "no such", "node_type": "KSampler", "exception_type": "ValueError", place: PROMPT}
    fault = faults.failed(TRIAL, {"status": {"messages": [["execution_error", data]]}})
    assert not [word for word in ("Asha", "98200", "/srv", "oak") if word in fault.message]


def test_a_refusal_repeats_nothing_of_what_it_was_told() -> None:
    error = {"type": PROMPT, "message": PROMPT, "details": PROMPT, "extra_info": {"input_name": PROMPT}}
    for found in (Refused(error, {"1": {"errors": [error]}}, queued=False), Refused(error, {}, queued=False)):
        fault = faults.refused(TRIAL, found)
        assert not [word for word in ("Asha", "98200", "/srv", "oak") if word in fault.message]

"""A server that speaks S3, as a process of its own on a real socket, and buckets on it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.serving import PATIENCE

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True, slots=True)
class BucketServer:
    """Where it answers."""

    endpoint: str

    def make(self, bucket: str) -> None:
        """Make a bucket."""
        httpx.put(f"{self.endpoint}/{bucket}", timeout=PATIENCE).raise_for_status()

    def keys(self, bucket: str) -> list[str]:
        """The keys of a bucket, in order."""
        listing = httpx.get(f"{self.endpoint}/{bucket}?list-type=2", timeout=PATIENCE).raise_for_status()
        return re.findall(r"<Key>(.*?)</Key>", listing.text)


@contextmanager
def bucket_server() -> Iterator[BucketServer]:
    """Run moto's server until the end."""
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ | CREDENTIALS
    ) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                    yield BucketServer(found[1])
                    break
            else:
                raise AssertionError("The server ended.")
        finally:
            process.terminate()
            process.communicate()

"""Objects in a bucket that speaks S3. Credentials come the way that Amazon's tools take them from the environment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from domain.assets import is_object_key
from domain.errors import Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

PIECE: Final = 256 * 1024
MISSING: Final = {"404", "NoSuchKey", "NotFound"}
CONFIG: Final = AioConfig(
    connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3, "mode": "standard"}, max_pool_connections=32
)


class S3Store:
    """The port `ObjectStore` over a bucket. It connects when it is first used; `close` ends its connections."""

    def __init__(self, bucket: str | None, *, endpoint: str | None, region: str | None) -> None:
        """Keep objects in `bucket`; `endpoint` is for stores other than Amazon's."""
        self._bucket = bucket
        self._endpoint = endpoint
        self._region = region
        self._open: Final = AsyncExitStack()
        self._client: S3Client | None = None

    async def close(self) -> None:
        """Disconnect."""
        await self._open.aclose()
        self._client = None

    def check(self) -> None:
        """Raise Unavailable where no bucket is configured."""
        self._named()

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store an object: whole, or not at all."""
        client = await self._connected()
        with _reachable(self._named()):
            await client.put_object(
                Bucket=self._named(), Key=_checked(key), Body=content, ContentType=content_type,
                ContentLength=len(content),
            )  # fmt: skip

    async def size(self, key: str) -> int | None:
        """Return how many bytes an object has; None where there is none."""
        client = await self._connected()
        with _reachable(self._named()):
            try:
                found = await client.head_object(Bucket=self._named(), Key=_checked(key))
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in MISSING:
                    return None
                raise
        return found["ContentLength"]

    async def read(self, key: str, first: int, last: int) -> AsyncIterator[bytes]:
        """Yield the bytes `first` to `last` in pieces."""
        client = await self._connected()
        with _reachable(self._named()):
            found = await client.get_object(Bucket=self._named(), Key=_checked(key), Range=f"bytes={first}-{last}")
            async with found["Body"] as body:
                async for piece in body.iter_chunks(PIECE):
                    yield piece

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        client = await self._connected()
        with _reachable(self._named()):
            await client.delete_object(Bucket=self._named(), Key=_checked(key))

    def _named(self) -> str:
        if self._bucket is None:
            raise Unavailable("The asset store is s3, and VELOCITY_ASSET_BUCKET names no bucket.")
        return self._bucket

    async def _connected(self) -> S3Client:
        if self._client is None:
            with _reachable(self._named()):
                made = get_session().create_client(
                    "s3", endpoint_url=self._endpoint, region_name=self._region, config=CONFIG
                )
                self._client = await self._open.enter_async_context(made)
        return self._client


def _checked(key: str) -> str:
    if not is_object_key(key):
        raise ValueError("This is no key of an object.")
    return key


@contextmanager
def _reachable(bucket: str) -> Iterator[None]:
    """Say what is missing in a sentence for clients: neither addresses nor what the store answered are in it."""
    try:
        yield
    except NoCredentialsError as error:
        raise Unavailable("The asset store has no credentials: set AWS_ACCESS_KEY_ID and its secret.") from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        raise Unavailable(f"The asset store's bucket {bucket} refused: {code}.") from error
    except (BotoCoreError, OSError) as error:
        raise Unavailable(f"The asset store does not answer ({type(error).__name__}).") from error

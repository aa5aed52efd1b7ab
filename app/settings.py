"""What an operator can set, read once from the environment. Nothing below `app` sees this; it gets values."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


MOST_BYTES: Final = 100_000_000
"""No upload is larger: it is in memory while it is looked into."""


class Settings(BaseSettings):
    """Settings of one process. Names are `VELOCITY_…` but for the two database addresses that every tool knows."""

    model_config = SettingsConfigDict(env_prefix="VELOCITY_", env_file=None, extra="ignore", populate_by_name=True)

    host: str = Field("127.0.0.1", description="Address to serve on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to serve on; 0 takes a free one.")
    data_dir: Path = Field(Path("var"), description="Where the database, the assets and the keys live.")
    database_url: str | None = Field(
        None, alias="DATABASE_URL", description="A PostgreSQL server, 16 or newer; without it the embedded one starts."
    )
    database_owner_url: str | None = Field(
        None, alias="DATABASE_OWNER_URL", description="The same database as its owner, for migrations and seeding."
    )
    read_connections: int = Field(4, ge=1, le=100, description="Connections for reading.")
    write_connections: int = Field(8, ge=1, le=100, description="Connections for writing.")
    statement_seconds: float = Field(30, gt=0, description="How long one read may run.")
    access_token_seconds: int = Field(600, ge=30, description="How long an access token is good.")
    refresh_token_seconds: int = Field(30 * 86_400, ge=300, description="How long a refresh token is good.")
    recheck_seconds: float = Field(5, ge=0, description="How long a caller's role and session are trusted unread.")
    signing_key: str | None = Field(
        None, description="Secret that signs tokens, cursors and URLs; else kept in a file."
    )
    asset_store: Literal["disk", "s3"] = Field("disk", description="Where files are kept: `disk` or `s3`.")
    asset_bucket: str | None = Field(None, description="The bucket of an S3 store.")
    asset_endpoint: str | None = Field(None, description="The address of an S3 store that is not Amazon's.")
    asset_region: str | None = Field(None, description="The region of an S3 store.")
    upload_seconds: int = Field(3600, ge=60, le=86_400, description="How long an announced upload is open.")
    upload_pixels: int = Field(40_000_000, ge=1, le=80_000_000, description="The most pixels of an uploaded picture.")
    upload_avatar_bytes: int = Field(5_000_000, ge=1, le=MOST_BYTES, description="The most bytes of an avatar.")
    upload_property_media_bytes: int = Field(
        25_000_000, ge=1, le=MOST_BYTES, description="The most bytes of a property's picture or document."
    )
    upload_room_photo_bytes: int = Field(
        25_000_000, ge=1, le=MOST_BYTES, description="The most bytes of a room's photograph."
    )
    upload_scene_map_bytes: int = Field(5_000_000, ge=1, le=MOST_BYTES, description="The most bytes of a scene map.")
    sweep_seconds: int = Field(900, ge=1, description="How often expired uploads are removed.")
    log_format: str = Field("auto", pattern="^(auto|json|console)$", description="How logs are written.")

    demo_scale: float = Field(
        1, gt=0, le=100, description="How much `serve --demo` loads the first time; 1 is about 2 000 people."
    )

    @property
    def assets(self) -> Path:
        """The folder of uploaded and generated files."""
        return self.data_dir / "assets"

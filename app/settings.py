"""What an operator can set, read once from the environment. Nothing below `app` sees this; it gets values."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MOST_BYTES: Final = 100_000_000
"""No upload is larger: it is in memory while it is looked into."""


def _parts(value: object) -> object:
    """Split what the environment gives as one text, at its commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _pairs(value: object) -> object:
    """Split what the environment gives as one text, at its commas and the first `=` of each part."""
    if not isinstance(value, str):
        return value
    parts = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not (name.strip() and sign and gpu.strip()) for name, sign, gpu in parts):
        raise ValueError("write name=GPU-… with commas between them")
    return tuple((name.strip(), gpu.strip()) for name, _, gpu in parts)


KernelLog = Literal["auto", "kmsg", "journal", "off"]
Simulation = Literal[
    "IDLE", "BUSY", "THERMAL_THROTTLE", "POWER_BRAKE", "MEMORY_PRESSURE", "LEAKED_MEMORY", "ECC_ERRORS", "XID_79"
]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s*]+$", to_lower=True)]
ComfyAddress = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_-]{1,60}=)?https?://[^/\s@?#*]+/?$")]
Network = IPv4Network | IPv6Network


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
    write_connections: int = Field(
        8, ge=1, le=100, description="Connections for writing. Up to four more write batches of packets."
    )
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
    sweep_seconds: int = Field(
        900,
        ge=1,
        description="How often expired uploads, old events and ended consents' scores go.",
    )
    session_idle_seconds: float = Field(
        1800, ge=60, description="How long a session may bring nothing before the sweep completes it."
    )
    cctv_arrival_cameras: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)] = Field(
        (), description="The cameras where visitors arrive, commas between them; without any, each of them is one."
    )
    cctv_days: float = Field(90, gt=0, le=365, description="How many days camera events are kept.")
    refine_qd: bool = Field(
        default=False, description="Whether a model is asked for a second opinion on a session that is over."
    )
    tags_at_once: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)] = Field(
        (), description="Tags that a model may set without anybody's approval; commas between them."
    )
    proposal_days: float = Field(
        30, gt=0, description="How many days a proposal waits before the sweep lets it expire."
    )
    fleet_seconds: float = Field(5, ge=1, le=3600, description="How often a machine samples its GPUs and reports.")
    fleet_days: float = Field(30, gt=0, description="How many days minutes of GPUs and their XIDs are kept.")
    fleet_hostname: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        None, description="What this machine is called in the fleet, where its own name says nothing."
    )
    fleet_silent_seconds: float = Field(
        30,
        ge=3,
        le=3600,
        description="How long a machine, or what serves work, may be silent before it counts as gone.",
    )
    fleet_simulation: Simulation | None = Field(
        None, description="A scenario to simulate in place of this machine's GPUs, such as `THERMAL_THROTTLE`."
    )
    gpu_placements: Annotated[tuple[tuple[str, str], ...], NoDecode, BeforeValidator(_pairs)] = Field(
        (), description="On which GPU what serves work stands: `ollama=GPU-…,comfy-1=GPU-…`, by name and GPU's UUID."
    )
    kernel_log: KernelLog = Field(
        "auto", description="Where XIDs are read: `kmsg`, `journal`, `auto` for either, or `off`."
    )
    event_days: float = Field(30, gt=0, description="How many days events are kept for those who follow them.")
    look_seconds: float = Field(5, gt=0, description="How often new events are looked for that nobody told of.")
    heartbeat_seconds: float = Field(20, gt=0, description="How often an open subscription says where it is.")
    init_seconds: float = Field(10, gt=0, description="How long an opened socket may wait before it signs in.")
    connections_per_caller: int = Field(50, ge=1, description="How many sockets and event streams one caller may open.")
    operations_per_socket: int = Field(100, ge=1, description="How many operations run at once on one socket.")
    subscriptions_per_caller: int = Field(
        500, ge=1, description="How many subscriptions one caller has on all of them."
    )
    waiting_frames: int = Field(1_000, ge=1, description="How many messages may wait for a client that reads slowly.")
    waiting_bytes: int = Field(1_048_576, ge=1024, description="How many bytes of messages may wait for it.")
    origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_parts)] = Field(
        (), description="Other origins whose pages may call, such as `https://cockpit.example`; commas between them."
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_parts)] = Field(
        (), description="Networks of proxies whose word about a client's address and scheme is taken, with commas."
    )
    insist_on_tls_seconds: int = Field(
        0, ge=0, description="How long browsers keep to TLS once they came over it; 0 leaves it to them."
    )
    http_profile: Literal["audit", "draft-2026-08"] = Field(
        "audit", description="Status codes: as the graphql-http audit wants them, or as the draft of August 2026."
    )
    texts_by_get: bool = Field(
        default=False, description="Whether GET may carry a document's text; registered ones always may."
    )
    only_persisted: bool = Field(
        default=False, description="Whether everybody, as API keys always, may send registered operations only."
    )
    automatic_persistence: bool = Field(
        default=True, description="Whether Apollo's clients may have the server remember their documents."
    )
    limit_document_characters: int = Field(32 * 1024, ge=1024, description="The most characters of a document.")
    limit_tokens: int = Field(1_000, ge=200, le=20_000, description="The most tokens of a document.")
    limit_depth: int = Field(12, ge=1, le=100, description="The most levels of fields.")
    limit_nesting: int = Field(100, ge=20, le=150, description="The most brackets and braces within each other.")
    limit_aliases: int = Field(30, ge=0, description="The most aliases.")
    limit_directives: int = Field(20, ge=0, description="The most directives.")
    limit_introspection_depth: int = Field(2, ge=0, description="The most lists of types within lists of types.")
    limit_nodes: int = Field(20_000, ge=1, description="The most rows that one operation may ask for.")
    limit_points: int = Field(20_000, ge=1, description="The most points that one operation may cost.")
    limit_list_items: int = Field(1_000, ge=1, description="The most items of one list that is sent.")
    limit_digits: int = Field(400, ge=20, le=4_000, description="The most digits of a number in a document.")
    limit_body_bytes: int = Field(256 * 1024, ge=1024, description="The largest request.")
    limit_variable_bytes: int = Field(256 * 1024, ge=1024, description="The largest variables.")
    limit_response_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="The largest answer.")
    operation_seconds: float = Field(10, gt=0, description="How long an operation may run.")
    body_seconds: float = Field(10, gt=0, description="How long a request may take to arrive.")
    operations_at_once: int = Field(200, ge=1, description="How many operations run at once in this process.")
    operations_at_once_per_caller: int = Field(50, ge=1, description="How many of them are one caller's.")
    rate_points: int = Field(100_000, ge=0, description="How many points a caller may spend at once; 0 is no limit.")
    rate_points_per_second: float = Field(5_000, gt=0, description="How many points come back each second.")
    worker: bool = Field(default=True, description="Whether `velocity serve` runs a worker inside itself.")
    worker_jobs: int = Field(16, ge=1, le=1_000, description="How many jobs of each queue one worker runs at once.")
    worker_metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Where `velocity worker` answers /metrics; without it nowhere."
    )
    worker_grace_seconds: float = Field(
        30, ge=0, description="How long running jobs may go on when their worker is to stop."
    )
    worker_poll_seconds: float = Field(
        2, gt=0, description="How often a worker looks for jobs of which nobody told it."
    )
    lease_seconds: float = Field(
        30, ge=1, description="How long a worker may be silent before its jobs are taken from it; the same for all."
    )
    inference_days: float = Field(
        30, gt=0, description="How many days work for models is kept once it has ended, with all that was said."
    )
    inference_settings: Path | None = Field(
        None, description="A file in TOML that names the servers of language models, and who is asked for what."
    )
    comfyui_urls: Annotated[tuple[ComfyAddress, ...], NoDecode, BeforeValidator(_parts)] = Field(
        (),
        alias="COMFYUI_URLS",
        description="ComfyUI render workers, such as `left=http://10.0.0.5:8188`; the name may be left out.",
    )
    render_workflows: Path | None = Field(
        None, description="A folder of render workflows of your own, which take the place of those that come along."
    )
    render_stalled_seconds: float = Field(
        600, gt=0, description="How long a render may make no progress before its worker is given up."
    )
    log_format: str = Field("auto", pattern="^(auto|json|console)$", description="How logs are written.")

    prompts_dir: Path | None = Field(
        None, description="A folder with prompts in place of those of this release: docs/gpu.md."
    )

    demo_scale: float = Field(
        1, gt=0, le=100, description="How much `serve --demo` loads the first time; 1 is about 2 000 people."
    )

    @field_validator("comfyui_urls")
    @classmethod
    def _once(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        """A worker that is named twice would be given two renders at once, and it runs one."""
        addresses = [url.rpartition("=")[2].rstrip("/") for url in urls]
        names = [name for url in urls if (name := url.rpartition("=")[0])]
        if len({*addresses}) < len(addresses) or len({*names}) < len(names):
            raise ValueError("a worker is named twice")
        return urls

    @field_validator("rate_points")
    @classmethod
    def _enough_for_one(cls, points: int, information: ValidationInfo) -> int:
        """A budget below the cost of the dearest operation would refuse it for ever, and say that it comes back."""
        dearest = information.data.get("limit_points", 0)
        if 0 < points < dearest:
            raise ValueError(f"{points} is less than one operation may cost, VELOCITY_LIMIT_POINTS = {dearest}")
        return points

    @property
    def assets(self) -> Path:
        """The folder of uploaded and generated files."""
        return self.data_dir / "assets"

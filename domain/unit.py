"""The unit of work: one mutation is one transaction for one tenant and one caller, everything or nothing.

Every store the product has is on this page. A read is not a unit: see `domain.reading`.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access import AccessStore, ApiKeyStore, Caller
from domain.assets import UploadStore
from domain.audit import Change
from domain.canvases import CanvasStore
from domain.cctv import CctvStore
from domain.fleet import FleetStore
from domain.inference import InferenceStore
from domain.interactions import InteractionStore
from domain.jobs import JobStore
from domain.leads import LeadStore
from domain.notifications import NotificationStore
from domain.opportunities import OpportunityStore
from domain.people import PersonStore
from domain.perception import ConsentStore, PerceptionStore
from domain.properties import PropertyStore
from domain.proposals import ProposalStore
from domain.renders import RenderStore
from domain.tasks import TaskStore
from domain.threads import ThreadStore
from domain.videos import VideoStore


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an idempotency key already stands for: the payload's hash and the result, as JSON."""

    payload_hash: str
    result: str


class Unit(Protocol):
    """An open transaction. Leaving it without an error commits rows, audit, events and activity together."""

    @property
    def caller(self) -> Caller:
        """Who is acting."""

    @property
    def now(self) -> datetime:
        """The moment of the whole unit, UTC."""

    @property
    def access(self) -> AccessStore:
        """Sessions and their tokens."""

    @property
    def api_keys(self) -> ApiKeyStore:
        """API keys and what they are bound to."""

    @property
    def assets(self) -> UploadStore:
        """Uploads."""

    @property
    def canvases(self) -> CanvasStore:
        """Canvases, their revisions and components, and merge requests."""

    @property
    def cctv(self) -> CctvStore:
        """What cameras saw."""

    @property
    def consents(self) -> ConsentStore:
        """Consents, and the erasures of what rested on them."""

    @property
    def fleet(self) -> FleetStore:
        """What the installation's machines work on."""

    @property
    def inference(self) -> InferenceStore:
        """Items of inference jobs, and what is switched of providers."""

    @property
    def interactions(self) -> InteractionStore:
        """Interactions of every kind."""

    @property
    def jobs(self) -> JobStore:
        """Work for models and machines."""

    @property
    def leads(self) -> LeadStore:
        """Leads, stage changes and property interests."""

    @property
    def notifications(self) -> NotificationStore:
        """Notifications."""

    @property
    def opportunities(self) -> OpportunityStore:
        """Deals, and above which amount they need approval."""

    @property
    def people(self) -> PersonStore:
        """People, households, relationships, facts and duplicates."""

    @property
    def perception(self) -> PerceptionStore:
        """Sessions and QD scores."""

    @property
    def properties(self) -> PropertyStore:
        """Projects and properties."""

    @property
    def proposals(self) -> ProposalStore:
        """Proposals."""

    @property
    def renders(self) -> RenderStore:
        """Files that renders begin with and end in."""

    @property
    def tasks(self) -> TaskStore:
        """Tasks."""

    @property
    def threads(self) -> ThreadStore:
        """Threads, their messages and read markers."""

    @property
    def videos(self) -> VideoStore:
        """Videos and their scenes."""

    def record(self, change: Change) -> None:
        """Note what was done; it is written when the unit ends."""

    async def claim_key(self, operation: str, key: str, payload_hash: str) -> Recorded | None:
        """Reserve an idempotency key, waiting for a unit that holds it; return what it stands for if it is taken."""

    async def keep_result(self, operation: str, key: str, result: str) -> None:
        """Store the result under a claimed key."""


class Units(Protocol):
    """Opens units."""

    def write(self, caller: Caller) -> AbstractAsyncContextManager[Unit]:
        """Open a unit for a caller's tenant."""

    def brief(self, caller: Caller) -> AbstractAsyncContextManager[Unit]:
        """Open a unit without a transaction: what it reads is not locked, and what it writes is one statement.

        Raises Contended where something else has happened meanwhile, and where the unit is asked for more than that:
        nothing is written then.
        """

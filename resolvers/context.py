"""What every resolver is given: who is calling, and the ports that `app` has wired."""

from __future__ import annotations

from dataclasses import dataclass

from domain.access import Caller, Permission, SignInPorts
from domain.assets import UploadPorts
from domain.canvases import SourceReader
from domain.cctv import Cameras
from domain.errors import NotAllowed, Unauthenticated
from domain.fleet import Fleet
from domain.inference import Providers
from domain.perception import Then
from domain.reading import Reads
from domain.threads import Messengers
from domain.unit import Units


@dataclass(slots=True, kw_only=True)
class Context:
    """One operation's surroundings."""

    caller_or_none: Caller | None
    reads: Reads
    units: Units
    sign_in: SignInPorts
    uploads: UploadPorts
    messengers: Messengers
    cameras: Cameras
    providers: Providers
    """The language models' servers."""
    sources: SourceReader
    """Runs trusted documents for canvases."""
    fleet: Fleet
    after_session: Then | None = None
    """What follows the end of a session, in the same unit."""
    address: str
    """Where the request came from, for counting failed sign-ins."""

    @property
    def caller(self) -> Caller:
        """Who is calling; raises Unauthenticated."""
        if self.caller_or_none is None:
            raise Unauthenticated
        return self.caller_or_none

    def require(self, permission: Permission) -> Caller:
        """Return the caller if their role has a permission; raises Unauthenticated or NotAllowed."""
        caller = self.caller
        if not caller.may(permission):
            raise NotAllowed(f"Your role, {caller.role.name}, lacks {permission.name}.")
        return caller

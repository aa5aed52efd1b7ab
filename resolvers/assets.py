"""The edge of the asset use cases."""

from __future__ import annotations

from uuid import UUID

from domain import assets
from domain.unit import Unit
from resolvers.context import Context
from resolvers.guard import signed_in
from resolvers.performing import perform


@signed_in
async def upload_create(context: Context, command: assets.UploadCreate, idempotency_key: str | None) -> UUID:
    """Announce an upload, unless there is nowhere to keep it. What its purpose needs is part of the use case."""
    context.uploads.objects.check()
    rules = context.uploads.rules

    async def create(unit: Unit, command: assets.UploadCreate) -> UUID:
        return await assets.create(unit, command, rules)

    return await perform(context, create, command, idempotency_key)


@signed_in
async def viewer_avatar_set(context: Context, command: assets.ViewerAvatarSet) -> UUID:
    """Show a picture as the caller's."""
    return await perform(context, assets.set_avatar, command)

"""API keys: made by administrators, shown once, rotated and revoked."""

from __future__ import annotations

import strawberry

from domain import access as domain
from domain.access import Role
from graph.access.types import ApiKey
from graph.context import Info
from graph.declaration import column, link, paid, payload, root
from graph.inputs import argument, key_of, optional, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime
from resolvers import access as resolve


@strawberry.input(description="A key for a program.")
class ApiKeyCreateInput:
    """A new key."""

    display_name: str = argument("What to call it.", longest=100)
    role: Role = argument("What it acts as.")
    operation_ids: list[strawberry.ID] = argument(
        "Which registered documents it may send; at least one.", of="persisted_operations"
    )
    expires_at: DateTime | None = optional("When it ends by itself; never, if left out.")
    idempotency_key: str | None = optional(
        "Same key and input: one effect. The secret is answered only the first time.", longest=200
    )


@strawberry.input(description="A key that gets another secret.")
class ApiKeyRotateInput:
    """A rotation."""

    api_key_id: strawberry.ID = argument("Which key.", of="api_keys")
    overlap_seconds: int | None = optional("How long the secret it has stays good, at most 30 days; 0 if left out.")


@strawberry.input(description="A key that ends at once, with all its secrets.")
class ApiKeyRevokeInput:
    """A revocation."""

    api_key_id: strawberry.ID = argument("Which key.", of="api_keys")


@payload("The key that was made.")
class ApiKeyCreatePayload:
    """The answer of apiKeyCreate."""

    secret: str = column("Send it as `Authorization: Bearer …`. It is shown here once, and stored nowhere.")
    api_key: ApiKey = link("The key.")


@payload("The key has another secret.")
class ApiKeyRotatePayload:
    """The answer of apiKeyRotate."""

    secret: str = column("The new secret. It is shown here once, and stored nowhere.")
    api_key: ApiKey = link("The key.")


@payload("The key has ended.")
class ApiKeyRevokePayload:
    """The answer of apiKeyRevoke."""

    api_key: ApiKey = link("The key, revoked since the first time that this was asked.")


@root
class ApiKeyMutation:
    """Mutations of API keys."""

    @mutation("Make a key for a program.")
    async def api_key_create(self, info: Info, input: ApiKeyCreateInput) -> ApiKeyCreatePayload:
        """Make a key."""
        issued = await resolve.api_key_create(
            info.context, unpacked(input, domain.ApiKeyCreate), key_of(input.idempotency_key)
        )
        return paid(ApiKeyCreatePayload, secret=issued.secret, api_key=issued.id)

    @mutation("Give a key another secret; the one it has stays good for the overlap.")
    async def api_key_rotate(self, info: Info, input: ApiKeyRotateInput) -> ApiKeyRotatePayload:
        """Rotate a key."""
        issued = await resolve.api_key_rotate(info.context, unpacked(input, domain.ApiKeyRotate))
        return paid(ApiKeyRotatePayload, secret=issued.secret, api_key=issued.id)

    @mutation("End a key at once, with all its secrets.")
    async def api_key_revoke(self, info: Info, input: ApiKeyRevokeInput) -> ApiKeyRevokePayload:
        """Revoke a key."""
        revoked = await resolve.api_key_revoke(info.context, unpacked(input, domain.ApiKeyRevoke))
        return paid(ApiKeyRevokePayload, api_key=revoked)

"""Slots say when they were last declared: what nobody declares any more goes."""

from alembic import op

revision = "slots_retire"
down_revision = "proposals_by_rules"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE slots ADD COLUMN declared_at timestamptz NOT NULL DEFAULT now()")

"""A proposal may come from a rule of ours."""

from alembic import op

revision = "proposals_by_rules"
down_revision = "batches_together"

KNOWN = "ck_proposals_source_kind_known"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(f"ALTER TABLE proposals DROP CONSTRAINT {KNOWN}")
    op.execute(
        f"ALTER TABLE proposals ADD CONSTRAINT {KNOWN} CHECK (source_kind IN ('MODEL', 'IMPORT', 'MISSION', 'RULES'))"
        " NOT VALID"
    )
    op.execute(f"ALTER TABLE proposals VALIDATE CONSTRAINT {KNOWN}")

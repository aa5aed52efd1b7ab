"""A batch keeps its score also where no face was seen at its end, and as what the face was given."""

from alembic import op

revision = "batches_keep_every_score"
down_revision = "events_are_forgotten"

PARTS = ("at", "score", "engagement", "valence", "attention", "confidence")
# Whoever sent batches so far sent blend shapes. What no face left behind is what scoring begins with.
STATEMENTS = (
    """
    ALTER TABLE perception_batches ADD COLUMN face_form TEXT
    CONSTRAINT ck_perception_batches_face_form_known CHECK ("face_form" IN ('BLEND_SHAPES', 'LANDMARKS'))
    """,
    "UPDATE perception_batches SET face_form = 'BLEND_SHAPES' WHERE qd_at IS NOT NULL",
    """
    UPDATE perception_batches SET qd_at = at, qd_score = 50, qd_engagement = 0, qd_valence = 0, qd_attention = 0.5,
        qd_confidence = 0
    WHERE qd_at IS NULL
    """,
    f"ALTER TABLE perception_batches {', '.join(f'ALTER COLUMN qd_{part} SET NOT NULL' for part in PARTS)}",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)

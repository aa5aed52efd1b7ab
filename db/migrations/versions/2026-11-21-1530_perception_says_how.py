"""A batch keeps its score also where no face was seen, and as what faces were given; a consent how it was given."""

from alembic import op

revision = "perception_says_how"
down_revision = "canvas_subjects"

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
    """
    ALTER TABLE consents
        ADD COLUMN method TEXT
            CONSTRAINT ck_consents_method_known CHECK ("method" IN ('ESIGN', 'CHECKBOX', 'VERBAL_RECORDED')),
        ADD COLUMN evidence TEXT
            CONSTRAINT ck_consents_evidence_length CHECK (char_length("evidence") BETWEEN 1 AND 200),
        ADD COLUMN jurisdiction TEXT
            CONSTRAINT ck_consents_jurisdiction_length CHECK (char_length("jurisdiction") BETWEEN 2 AND 6)
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for statement in STATEMENTS:
        op.execute(statement)

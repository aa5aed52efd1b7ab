"""Whom the kept rows of canvases are about, so that an erasure finds them."""

import re
from pathlib import Path

from alembic import op

revision = "canvas_subjects"
down_revision = "history_in_one_statement"

TABLES = Path(__file__).parent.parent / "canvas_subjects" / "tables.sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one.
    for statement in re.split(r";\n\n", TABLES.read_text()):
        connection.exec_driver_sql(statement)

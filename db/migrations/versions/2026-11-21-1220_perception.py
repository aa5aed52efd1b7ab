"""Sessions that are measured, erasures, videos and notifications."""

import re
from pathlib import Path

from alembic import op

revision = "perception"
down_revision = "canvases"

PERCEPTION = Path(__file__).parent.parent / "perception"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for name in ("tables", "security"):
        # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one; no function body has it.
        for statement in re.split(r";\n\n", (PERCEPTION / f"{name}.sql").read_text()):
            connection.exec_driver_sql(statement)

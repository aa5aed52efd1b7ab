"""What cameras saw, and what a model made of it."""

import re
from pathlib import Path

from alembic import op

revision = "cctv"
down_revision = "proposals_decided"

CCTV = Path(__file__).parent.parent / "cctv"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for name in ("tables", "security"):
        # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one; no function body has it.
        for statement in re.split(r";\n\n", (CCTV / f"{name}.sql").read_text()):
            connection.exec_driver_sql(statement)

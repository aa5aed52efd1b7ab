"""Machines: what they say, what serves slots on them, and the mode that they work in."""

import re
from pathlib import Path

from alembic import op

revision = "fleet"
down_revision = "cctv"

FLEET = Path(__file__).parent.parent / "fleet"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for name in ("tables", "security"):
        # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one.
        for statement in re.split(r";\n\n", (FLEET / f"{name}.sql").read_text()):
            connection.exec_driver_sql(statement)

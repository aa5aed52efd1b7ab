"""Canvases: their tables, row-level security and grants."""

import re
from pathlib import Path

from alembic import op

revision = "canvases"
down_revision = "orders_by_columns"

CANVASES = Path(__file__).parent.parent / "canvases"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for name in ("tables", "security"):
        # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one.
        for statement in re.split(r";\n\n", (CANVASES / f"{name}.sql").read_text()):
            connection.exec_driver_sql(statement)

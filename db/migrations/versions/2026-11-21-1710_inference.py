"""Providers as tenants switch them, and the items of inference jobs."""

import re
from pathlib import Path

from alembic import op

revision = "inference"
down_revision = "jobs"

INFERENCE = Path(__file__).parent.parent / "inference"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for name in ("tables", "security"):
        # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one.
        for statement in re.split(r";\n\n", (INFERENCE / f"{name}.sql").read_text()):
            connection.exec_driver_sql(statement)

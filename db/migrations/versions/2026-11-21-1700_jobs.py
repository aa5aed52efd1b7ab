"""Jobs, and the slots that running ones lease."""

import re
from pathlib import Path

from alembic import op

revision = "jobs"
down_revision = "batches_in_one_statement"

JOBS = Path(__file__).parent.parent / "jobs"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for name in ("tables", "queue", "security"):
        # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one; no function body has it.
        for statement in re.split(r";\n\n", (JOBS / f"{name}.sql").read_text()):
            connection.exec_driver_sql(statement)

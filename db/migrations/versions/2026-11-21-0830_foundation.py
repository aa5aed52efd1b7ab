"""Tables, row-level security, grants and functions of the first release."""

import re
from pathlib import Path

from alembic import op

revision = "foundation"
down_revision = None

FOUNDATION = Path(__file__).parent.parent / "foundation"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    for name in ("tables", "security", "functions"):
        # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one; no function body has it.
        for statement in re.split(r";\n\n", (FOUNDATION / f"{name}.sql").read_text()):
            connection.exec_driver_sql(statement)

"""Files that are nodes of the graph, and which of them a render made."""

import re
from pathlib import Path

from alembic import op

revision = "renders"
down_revision = "inference"

TABLES = Path(__file__).parent.parent / "renders" / "tables.sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    connection = op.get_bind()
    # PostgreSQL prepares one statement at a time. A blank line after a semicolon ends one.
    for statement in re.split(r";\n\n", TABLES.read_text()):
        connection.exec_driver_sql(statement)

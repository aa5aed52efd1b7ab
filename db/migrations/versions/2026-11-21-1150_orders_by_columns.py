"""Pages of tasks by due date, of leads by budget and of properties by price begin where their cursor says."""

from alembic import op

revision = "orders_by_columns"
down_revision = "people_by_name_prefix"

DUE = "timestamptz GENERATED ALWAYS AS (COALESCE(due_at, 'infinity'::timestamptz)) STORED NOT NULL"
AMOUNT = "bigint GENERATED ALWAYS AS (COALESCE(({}_amount * 100)::bigint, -1)) STORED NOT NULL"
COLUMNS = (
    ("tasks", "due_or_never", DUE),
    ("leads", "budget_hundredths", AMOUNT.format("budget")),
    ("properties", "list_price_hundredths", AMOUNT.format("list_price")),
)
INDEXES = (
    ("tasks", "due_or_never", "due"),
    ("tasks", "assignee_id, status, due_or_never", "assignee_id_status_due"),
    ("tasks", "person_id, status, due_or_never", "person_id_status_due"),
    ("tasks", "lead_id, status, due_or_never", "lead_id_status_due"),
    ("leads", "budget_hundredths", "budget"),
    ("properties", "list_price_hundredths", "list_price_amount"),
)
"""Of each index: its table, what it sorts by, and what the index that it takes the place of was named after."""


def upgrade() -> None:
    # Each statement by itself, so that no table is kept while another is waited for. An attempt that was cut short is
    # gone on with. Adding such a column writes its table anew, which takes a second for a hundred thousand rows.
    with op.get_context().autocommit_block():
        for table, column, definition in COLUMNS:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {definition}")
        for table, columns, earlier in INDEXES:
            name = f"ix_{table}_tenant_id_{columns.replace(', ', '_')}_id"
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} (tenant_id, {columns}, id)")
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_{table}_tenant_id_{earlier}_id")

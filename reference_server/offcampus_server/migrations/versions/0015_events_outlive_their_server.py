"""Events outlive their server: transaction numbers go on where they were, in whatever PostgreSQL a backup is restored"""

from __future__ import annotations

from alembic import op

from offcampus_server.kernel import outbox

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        outbox.set_first_xid(connection, 0)
        default = "(pg_current_xact_id()::text::bigint + offcampus_first_xid())"
        op.execute(f"ALTER TABLE events ALTER COLUMN xid SET DEFAULT {default}")

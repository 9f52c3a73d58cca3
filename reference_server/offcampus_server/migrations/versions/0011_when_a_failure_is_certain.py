"""When it is certain that a failed instruction moved nothing"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What had failed before was freed at once: it counts as decided then.
DECIDED = (
    "UPDATE custody_instructions SET certain_by = 'settlement', certain_at = updated_at"
    " WHERE state = 'failed' AND order_id IS NOT NULL"
)


def upgrade() -> None:
    """Forward."""
    op.add_column("custody_instructions", sa.Column("certain_by", sa.Text(), nullable=True))
    op.add_column("custody_instructions", sa.Column("certain_at", db.Instant(), nullable=True))
    op.execute(DECIDED)

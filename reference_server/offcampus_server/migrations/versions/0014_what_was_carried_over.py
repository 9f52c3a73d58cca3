"""The part that first paid what was carried over to another order"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    for table in ("payment_parts", "custody_instructions"):
        op.add_column(table, sa.Column("origin", db.Json(), nullable=True))

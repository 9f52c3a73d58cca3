"""The facts that a decision judged, so that other rules can judge them again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("decisions", sa.Column("facts", db.Json(), nullable=True))

"""How an order's money leaves custody, as it was fixed when it was sold"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("orders", sa.Column("release_plan", db.Json(), nullable=True))
    op.add_column("releases_waiting", sa.Column("settles_at", db.Instant(), nullable=True))

"""When a channel captured a part of a payment, and what it kept of it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. SQLite takes a check only together with the column."""
    op.add_column("payment_parts", sa.Column("captured_at", db.Instant(), nullable=True))
    fee = sa.Column("fee_fen", db.BigInt, nullable=False, server_default="0")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE payment_parts ADD COLUMN fee_fen INTEGER NOT NULL DEFAULT 0"
            " CONSTRAINT ck_payment_parts_fee_fen_range CHECK (fee_fen BETWEEN 0 AND 9007199254740991)"
            " CONSTRAINT ck_payment_parts_fee_below_sum CHECK (fee_fen < amount_fen)"
        )
        return
    op.add_column("payment_parts", fee)
    for name, condition in (
        ("fee_fen_range", "fee_fen BETWEEN 0 AND 9007199254740991"),
        ("fee_below_sum", "fee_fen < amount_fen"),
    ):
        op.create_check_constraint(op.f(f"ck_payment_parts_{name}"), "payment_parts", condition)

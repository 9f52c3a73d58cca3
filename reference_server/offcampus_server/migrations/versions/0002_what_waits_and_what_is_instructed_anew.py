"""Releases that wait, instructions that take a failed one's place, transfers of which nothing but the state moves"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import append_only, db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNLAWFUL_CHANGE = (
    "NOT (OLD.state = 'pending' AND NEW.state IN ('posted', 'voided') AND OLD.seq = NEW.seq AND OLD.id = NEW.id"
    " AND OLD.amount_fen = NEW.amount_fen AND OLD.debit_account_id = NEW.debit_account_id"
    " AND OLD.credit_account_id = NEW.credit_account_id AND OLD.kind = NEW.kind AND OLD.order_id = NEW.order_id"
    " AND OLD.created_at = NEW.created_at AND COALESCE(OLD.payment_id, '') = COALESCE(NEW.payment_id, '')"
    " AND COALESCE(OLD.part_no, 0) = COALESCE(NEW.part_no, 0)"
    " AND COALESCE(OLD.instruction_id, '') = COALESCE(NEW.instruction_id, '')"
    " AND COALESCE(OLD.movement_id, '') = COALESCE(NEW.movement_id, '')"
    " AND COALESCE(OLD.reverses, '') = COALESCE(NEW.reverses, ''))"
)


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "releases_waiting",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("not_before", db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_releases_waiting_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_releases_waiting")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_releases_waiting_not_before"), "releases_waiting", ["not_before"], unique=False)
    op.add_column("custody_instructions", sa.Column("retries", sa.Text(), nullable=True))
    op.create_index("ux_custody_instructions_retries", "custody_instructions", ["retries"], unique=True)
    op.create_index(
        "ix_custody_instructions_failed",
        "custody_instructions",
        ["updated_at"],
        unique=False,
        sqlite_where=sa.text("state = 'failed'"),
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index("ix_custody_movements_instruction", "custody_movements", ["instruction_id"], unique=False)
    dialect = op.get_bind().dialect.name
    on = "" if dialect == "sqlite" else " ON ledger_transfers"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"DROP TRIGGER ledger_transfers_no_{verb}{on}")
    for statement in append_only.statements("ledger_transfers", dialect, update_when=UNLAWFUL_CHANGE):
        op.execute(statement.replace("%%", "%"))

"""Rulings on refunds, deadlines that were missed, and the decision behind an objection"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATE = "state IN ('requested', 'objected', 'agreed', 'paying', 'paid', 'failed', 'rejected')"
OPEN = "state IN ('requested', 'objected', 'agreed', 'paying', 'failed')"
COLUMNS = (
    "id, external_id, party_id, institution_id, region_code, version, state, created_at, updated_at, digest, document,"
    " order_id, requested_at, silence_due_at, due_at, amount_fen, working, objection, agreed_by"
)
COPY = f"INSERT INTO refunds_new ({COLUMNS}) SELECT {COLUMNS} FROM refunds"  # noqa: S608 - our own names


def upgrade() -> None:
    """Forward."""
    if op.get_bind().dialect.name == "sqlite":
        _anew()
    else:
        op.drop_constraint(op.f("ck_refunds_state"), "refunds", type_="check")
        op.create_check_constraint(op.f("ck_refunds_state"), "refunds", STATE)
        for column in _new_columns():
            op.add_column("refunds", column)
    op.create_index("ix_refunds_due", "refunds", ["state", "due_at"])


def _anew() -> None:
    """SQLite changes no constraint: the table is made anew. No other table refers to it by a key."""
    instants = ("requested_at", "silence_due_at")
    op.create_table(
        "refunds_new",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "external_id", "party_id", "institution_id")),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text()),
        *(sa.Column(name, db.Instant(), nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        *(sa.Column(name, db.Instant(), nullable=False) for name in instants),
        sa.Column("due_at", db.Instant()),
        sa.Column("amount_fen", db.BigInt, nullable=False),
        sa.Column("working", db.Json(), nullable=False),
        sa.Column("objection", db.Json()),
        sa.Column("agreed_by", sa.Text()),
        *_new_columns(),
        sa.CheckConstraint(STATE, name=op.f("ck_refunds_state")),
        sa.CheckConstraint("amount_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_refunds_amount_fen_range")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_refunds_party_id_external_id")),
        sqlite_strict=True,
    )
    op.execute(COPY)
    op.drop_table("refunds")
    op.rename_table("refunds_new", "refunds")
    op.create_index(op.f("ix_refunds_institution_id"), "refunds", ["institution_id"])
    op.create_index("ix_refunds_silence", "refunds", ["state", "silence_due_at"])
    op.create_index("ux_refunds_open", "refunds", ["order_id"], unique=True, sqlite_where=sa.text(OPEN))


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("ruling", db.Json()), sa.Column("overdue_at", db.Instant()), sa.Column("decision_id", sa.Text()),
    ]  # fmt: skip

"""Instructions that were taken back, refunds to another account, withdrawals from the reserve, fees that a bank took"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import append_only, db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FEN = "{0} BETWEEN 0 AND 9007199254740991"
KINDS = "kind IN ('release', 'refund', 'freeze', 'unfreeze', 'balance', 'reserve_withdrawal')"
OF_AN_ORDER = "(kind IN ('release', 'refund')) = (order_id IS NOT NULL)"
MOVES_NOTHING = "order_id IS NOT NULL OR amount_fen = 0 OR kind = 'reserve_withdrawal'"
FAILED = "state = 'failed'"
COLUMNS = (
    "id, bank_id, institution_id, region_code, version, kind, state, account_id, order_id, refund_id, payment_id,"
    " part_no, channel, amount_fen, issued_at, updated_at, bank_reference, executed_at, failure, retries,"
    " authority_order, late_reference, certain_by, certain_at"
)
COPY = (
    f"INSERT INTO custody_instructions_new ({COLUMNS})"  # noqa: S608 - our own names
    f" SELECT {COLUMNS} FROM custody_instructions"
)
LEGS = {
    "capture": ["in_transit>escrow"], "settlement": ["custody>in_transit"],
    "fee": ["fee>in_transit", "fee>custody"], "receipt": ["custody>escrow"],
    "lock": ["payer_locked>escrow", "wallet>escrow"],
    "release": ["escrow>custody", "escrow>payer_locked", "escrow>wallet"],
    "refund": [
        "escrow>custody", "escrow>in_transit", "escrow>reserve_held", "escrow>payer_locked", "escrow>wallet",
    ],
    "chargeback": ["escrow>custody", "escrow>in_transit"], "carry_out": ["escrow>carried"],
    "carry_in": ["carried>escrow"], "fee_netted": ["escrow>fee"], "fee_paid": ["custody>fee"],
    "claim": ["claim>escrow"], "claim_paid": ["custody>claim"], "reserve_deposit": ["reserve_held>reserve"],
    "reserve_withdrawal": ["reserve>reserve_held"], "reserve_use": ["reserve>escrow"],
}  # fmt: skip


def upgrade() -> None:
    """Forward."""
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        _instructions_anew()
        op.execute("DROP TRIGGER ledger_transfers_legs")
    else:
        _instructions_altered()
        op.execute("DROP TRIGGER ledger_transfers_legs ON ledger_transfers")
    for statement in append_only.insert_statements("ledger_transfers", dialect, "legs", when=_unlawful_legs()):
        op.execute(statement.replace("%%", "%"))


def _instructions_anew() -> None:
    """SQLite changes no constraint: the table is made anew."""
    op.create_table(
        "custody_instructions_new",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "bank_id", "institution_id", "region_code")),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "state", "account_id")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("order_id", "refund_id", "payment_id")),
        sa.Column("part_no", sa.Integer(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("amount_fen", db.BigInt, nullable=False),
        sa.Column("issued_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=True),
        sa.Column("executed_at", db.Instant(), nullable=True),
        sa.Column("failure", db.Json(), nullable=True),
        sa.Column("retries", sa.Text(), nullable=True),
        sa.Column("authority_order", db.Json(), nullable=True),
        sa.Column("late_reference", sa.Text(), nullable=True),
        sa.Column("certain_by", sa.Text(), nullable=True),
        sa.Column("certain_at", db.Instant(), nullable=True),
        sa.Column("taken_back_by", sa.Text(), nullable=True),
        sa.Column("payee", db.Json(), nullable=True),
        sa.CheckConstraint(
            "(state = 'executed') = (bank_reference IS NOT NULL)",
            name=op.f("ck_custody_instructions_executed_has_reference"),
        ),
        sa.CheckConstraint(KINDS, name=op.f("ck_custody_instructions_kind")),
        sa.CheckConstraint(OF_AN_ORDER, name=op.f("ck_custody_instructions_money_is_of_an_order")),
        sa.CheckConstraint(MOVES_NOTHING, name=op.f("ck_custody_instructions_orders_of_departments_move_nothing")),
        sa.CheckConstraint(
            "state IN ('issued', 'accepted', 'executed', 'failed')", name=op.f("ck_custody_instructions_state")
        ),
        sa.CheckConstraint(FEN.format("amount_fen"), name=op.f("ck_custody_instructions_amount_fen_range")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["custody_accounts.id"], name=op.f("fk_custody_instructions_account_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_custody_instructions_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_instructions")),
        sqlite_strict=True,
    )
    op.execute(COPY)
    op.drop_table("custody_instructions")
    op.rename_table("custody_instructions_new", "custody_instructions")
    for column in ("institution_id", "order_id", "refund_id"):
        op.create_index(op.f(f"ix_custody_instructions_{column}"), "custody_instructions", [column])
    op.create_index("ix_custody_instructions_work", "custody_instructions", ["bank_id", "state", "id"])
    op.create_index("ux_custody_instructions_retries", "custody_instructions", ["retries"], unique=True)
    op.create_index(
        "ix_custody_instructions_failed", "custody_instructions", ["updated_at"], sqlite_where=sa.text(FAILED)
    )


def _instructions_altered() -> None:
    op.add_column("custody_instructions", sa.Column("taken_back_by", sa.Text(), nullable=True))
    op.add_column("custody_instructions", sa.Column("payee", db.Json(), nullable=True))
    for name, condition in {"kind": KINDS, "orders_of_departments_move_nothing": MOVES_NOTHING}.items():
        op.drop_constraint(op.f(f"ck_custody_instructions_{name}"), "custody_instructions", type_="check")
        op.create_check_constraint(op.f(f"ck_custody_instructions_{name}"), "custody_instructions", condition)


def _unlawful_legs() -> str:
    def begins(side: str, kind: str) -> str:
        if kind == "escrow":
            return f"NEW.{side}_account_id = 'escrow:' || NEW.order_id"
        return f"substr(NEW.{side}_account_id, 1, {len(kind) + 1}) = '{kind}:'"

    pairs = [
        f"(NEW.kind = '{kind}' AND {begins('debit', pair.partition('>')[0])}"
        f" AND {begins('credit', pair.partition('>')[2])})"
        for kind, legs in LEGS.items()
        for pair in legs
    ]
    return f"NEW.kind <> 'reversal' AND ({' OR '.join(pairs)}) IS NOT TRUE"

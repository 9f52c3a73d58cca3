"""Orders of departments about accounts, balances that banks submit, and the work list of differences"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FEN = "{0} BETWEEN 0 AND 9007199254740991"
KINDS = "kind IN ('release', 'refund', 'freeze', 'unfreeze', 'balance')"
OF_AN_ORDER = "(kind IN ('release', 'refund')) = (order_id IS NOT NULL)"
MOVES_NOTHING = "order_id IS NOT NULL OR amount_fen = 0"
STANDING = "state IN ('open', 'proposed')"
FAILED = "state = 'failed'"
INSTRUCTION_COLUMNS = (
    "id, bank_id, institution_id, region_code, version, kind, state, account_id, order_id, refund_id, payment_id,"
    " part_no, channel, amount_fen, issued_at, updated_at, bank_reference, executed_at, failure, retries"
)
COPY = (
    f"INSERT INTO custody_instructions_new ({INSTRUCTION_COLUMNS})"  # noqa: S608 - our own names
    f" SELECT {INSTRUCTION_COLUMNS} FROM custody_instructions"
)


def upgrade() -> None:
    """Forward."""
    if op.get_bind().dialect.name == "sqlite":
        _instructions_anew()
    else:
        _instructions_altered()
    _balances()
    _differences()


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
    op.drop_constraint(op.f("ck_custody_instructions_kind"), "custody_instructions", type_="check")
    op.alter_column("custody_instructions", "order_id", nullable=True)
    op.add_column("custody_instructions", sa.Column("authority_order", db.Json(), nullable=True))
    op.add_column("custody_instructions", sa.Column("late_reference", sa.Text(), nullable=True))
    checks = {
        "kind": KINDS, "money_is_of_an_order": OF_AN_ORDER, "orders_of_departments_move_nothing": MOVES_NOTHING,
    }  # fmt: skip
    for name, condition in checks.items():
        op.create_check_constraint(op.f(f"ck_custody_instructions_{name}"), "custody_instructions", condition)


def _balances() -> None:
    op.create_table(
        "account_balances",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "external_id", "party_id", "institution_id", "region_code")
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("instruction_id", sa.Text(), nullable=True),
        sa.Column("measured_at", db.Instant(), nullable=False),
        sa.Column("balance_fen", db.BigInt, nullable=False),
        sa.Column("expected_fen", db.BigInt, nullable=False),
        sa.CheckConstraint(FEN.format("balance_fen"), name=op.f("ck_account_balances_balance_fen_range")),
        sa.ForeignKeyConstraint(["account_id"], ["custody_accounts.id"], name=op.f("fk_account_balances_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_balances")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_account_balances_party_id_external_id")),
        sqlite_strict=True,
    )
    for column in ("account_id", "institution_id"):
        op.create_index(op.f(f"ix_account_balances_{column}"), "account_balances", [column])


def _differences() -> None:
    op.create_table(
        "differences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("type", "state", "owner", "bank_id", "institution_id", "region_code", "account_id")
        ),
        sa.Column("statement_on", db.Day(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("movement_id", "instruction_id", "bank_reference")),
        sa.Column("expected_fen", db.BigInt, nullable=True),
        sa.Column("got_fen", db.BigInt, nullable=True),
        sa.Column("settlement", db.Json(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'proposed', 'settled', 'cleared')", name=op.f("ck_differences_state")),
        sa.CheckConstraint(
            "owner IN ('bank', 'platform', 'institution', 'authority')", name=op.f("ck_differences_owner")
        ),
        sa.CheckConstraint(
            "state NOT IN ('proposed', 'settled') OR settlement IS NOT NULL",
            name=op.f("ck_differences_settlement_is_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["custody_accounts.id"], name=op.f("fk_differences_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_differences_institution_id"), "differences", ["institution_id"])
    op.create_index(
        "ux_differences_standing", "differences", ["mark"], unique=True, sqlite_where=sa.text(STANDING),
        postgresql_where=sa.text(STANDING),
    )  # fmt: skip
    op.create_index("ix_differences_day", "differences", ["account_id", "statement_on"])
    op.create_index("ix_differences_work", "differences", ["owner", "state", "id"])

"""The chart of accounts: money in transit, fees, reserves, claims, wallets; parts of payments; reversals that mirror"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import append_only, db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ACCOUNT_KINDS = (
    "kind IN ('custody', 'in_transit', 'fee', 'claim', 'reserve_held', 'payer_locked', 'wallet', 'escrow', 'reserve',"
    " 'carried')"
)
LIABILITY = "kind NOT IN ('escrow', 'reserve', 'carried') OR debits_posted + debits_pending <= credits_posted"
ASSET = (
    "kind NOT IN ('custody', 'in_transit', 'fee', 'claim', 'reserve_held', 'payer_locked', 'wallet')"
    " OR credits_posted + credits_pending <= debits_posted"
)
KINDS = (
    "kind IN ('capture', 'settlement', 'fee', 'receipt', 'lock', 'release', 'refund', 'chargeback', 'carry_out',"
    " 'carry_in', 'fee_netted', 'fee_paid', 'claim', 'claim_paid', 'reserve_deposit', 'reserve_withdrawal',"
    " 'reserve_use', 'reversal')"
)
PART_ONCE = "kind IN ('capture', 'receipt', 'settlement', 'lock', 'carry_in')"
FEN = "{0} BETWEEN 0 AND 9007199254740991"

LEGS = {
    "capture": ["in_transit>escrow"], "settlement": ["custody>in_transit"], "fee": ["fee>in_transit"],
    "receipt": ["custody>escrow"], "lock": ["payer_locked>escrow", "wallet>escrow"],
    "release": ["escrow>custody", "escrow>payer_locked", "escrow>wallet"],
    "refund": [
        "escrow>custody", "escrow>in_transit", "escrow>reserve_held", "escrow>payer_locked", "escrow>wallet",
    ],
    "chargeback": ["escrow>custody", "escrow>in_transit"], "carry_out": ["escrow>carried"],
    "carry_in": ["carried>escrow"], "fee_netted": ["escrow>fee"], "fee_paid": ["custody>fee"],
    "claim": ["claim>escrow"], "claim_paid": ["custody>claim"], "reserve_deposit": ["reserve_held>reserve"],
    "reserve_withdrawal": ["reserve>reserve_held"], "reserve_use": ["reserve>escrow"],
}  # fmt: skip
UNLAWFUL_CHANGE = (
    "NOT (OLD.state = 'pending' AND NEW.state IN ('posted', 'voided') AND OLD.seq = NEW.seq AND OLD.id = NEW.id"
    " AND OLD.amount_fen = NEW.amount_fen AND OLD.debit_account_id = NEW.debit_account_id"
    " AND OLD.credit_account_id = NEW.credit_account_id AND OLD.kind = NEW.kind"
    " AND OLD.order_id IS NOT DISTINCT FROM NEW.order_id AND OLD.created_at = NEW.created_at"
    " AND OLD.payment_id IS NOT DISTINCT FROM NEW.payment_id AND OLD.part_no IS NOT DISTINCT FROM NEW.part_no"
    " AND OLD.instruction_id IS NOT DISTINCT FROM NEW.instruction_id"
    " AND OLD.movement_id IS NOT DISTINCT FROM NEW.movement_id AND OLD.event IS NOT DISTINCT FROM NEW.event"
    " AND OLD.held_in IS NOT DISTINCT FROM NEW.held_in AND OLD.expires_at IS NOT DISTINCT FROM NEW.expires_at"
    " AND OLD.reverses IS NOT DISTINCT FROM NEW.reverses"
    " AND OLD.reverses_kind IS NOT DISTINCT FROM NEW.reverses_kind)"
)
UNLAWFUL_REVERSAL = (
    "NOT EXISTS (SELECT 1 FROM ledger_transfers AS was WHERE was.id = NEW.reverses AND was.kind = NEW.reverses_kind"
    " AND was.kind <> 'reversal' AND was.state = 'posted' AND NEW.state = 'posted'"
    " AND was.amount_fen = NEW.amount_fen AND was.debit_account_id = NEW.credit_account_id"
    " AND was.credit_account_id = NEW.debit_account_id AND was.order_id IS NOT DISTINCT FROM NEW.order_id"
    " AND was.payment_id IS NOT DISTINCT FROM NEW.payment_id AND was.part_no IS NOT DISTINCT FROM NEW.part_no"
    " AND was.held_in IS NOT DISTINCT FROM NEW.held_in)"
)
ACCOUNT_COLUMNS = "id, kind, owner_id, institution_id, debits_pending, debits_posted, credits_pending, credits_posted"
TRANSFER_COLUMNS = (
    "seq, id, kind, state, debit_account_id, credit_account_id, amount_fen, order_id, payment_id, part_no,"
    " instruction_id, movement_id, reverses, created_at, resolved_at, value_on"
)

COPY_ACCOUNTS = f"INSERT INTO ledger_accounts_new ({ACCOUNT_COLUMNS}) SELECT {ACCOUNT_COLUMNS} FROM ledger_accounts"  # noqa: S608 - our own names
COPY_TRANSFERS = (
    f"INSERT INTO ledger_transfers_new ({TRANSFER_COLUMNS}) SELECT {TRANSFER_COLUMNS} FROM ledger_transfers"  # noqa: S608 - our own names
)
# An account for the reserve took no receipts, so that no transfer names it.
RESERVE_ACCOUNTS = (
    "UPDATE ledger_accounts SET id = 'reserve_held:' || owner_id, kind = 'reserve_held' WHERE kind = 'custody'"
    " AND owner_id IN (SELECT id FROM custody_accounts WHERE purpose = 'reserve')"
)


def upgrade() -> None:
    """Forward. The rows stay as they are: the provable log has seen them."""
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        _anew()
    else:
        _alter()
    op.create_index(op.f("ix_ledger_accounts_institution_id"), "ledger_accounts", ["institution_id"])
    for column in ("order_id", "debit_account_id", "credit_account_id"):
        if column != "order_id" or dialect == "sqlite":
            op.create_index(op.f(f"ix_ledger_transfers_{column}"), "ledger_transfers", [column])
    op.create_index(
        "ux_ledger_part", "ledger_transfers", ["payment_id", "part_no", "kind"], unique=True,
        sqlite_where=sa.text(PART_ONCE), postgresql_where=sa.text(PART_ONCE),
    )  # fmt: skip
    op.create_index(
        "ix_ledger_transfers_expiry", "ledger_transfers", ["expires_at"],
        sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"),
    )  # fmt: skip
    op.execute(RESERVE_ACCOUNTS)
    _parts()
    triggers = [
        *append_only.statements("ledger_transfers", dialect, update_when=UNLAWFUL_CHANGE),
        *append_only.insert_statements("ledger_transfers", dialect, "legs", when=_unlawful_legs()),
        *append_only.insert_statements(
            "ledger_transfers", dialect, "reversal", when="NEW.kind = 'reversal'", condition=UNLAWFUL_REVERSAL
        ),
    ]
    for statement in triggers:
        op.execute(statement.replace("%%", "%"))


def _anew() -> None:
    """SQLite changes no constraint: both tables are made anew, and the old ones go in an order that breaks no key."""
    _accounts("ledger_accounts_new")
    op.execute(COPY_ACCOUNTS)
    _transfers("ledger_transfers_new", "ledger_accounts_new")
    op.execute(COPY_TRANSFERS)
    op.drop_table("ledger_transfers")
    op.drop_table("ledger_accounts")
    op.rename_table("ledger_accounts_new", "ledger_accounts")
    op.rename_table("ledger_transfers_new", "ledger_transfers")


def _alter() -> None:
    for name in ("kind", "custody_covered", "escrow_covered"):
        op.drop_constraint(op.f(f"ck_ledger_accounts_{name}"), "ledger_accounts", type_="check")
    for name, condition in (("kind", ACCOUNT_KINDS), ("liability_covered", LIABILITY), ("asset_covered", ASSET)):
        op.create_check_constraint(op.f(f"ck_ledger_accounts_{name}"), "ledger_accounts", condition)
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER ledger_transfers_no_{verb} ON ledger_transfers")
    op.drop_index("ux_ledger_receipt", "ledger_transfers")
    op.drop_constraint(op.f("ck_ledger_transfers_kind"), "ledger_transfers", type_="check")
    op.alter_column("ledger_transfers", "order_id", nullable=True)
    for column in _new_columns():
        op.add_column("ledger_transfers", column)
    for name, condition in (("kind", KINDS), *_reversal_checks()):
        op.create_check_constraint(op.f(f"ck_ledger_transfers_{name}"), "ledger_transfers", condition)


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("event", sa.Text()), sa.Column("held_in", sa.Text()), sa.Column("expires_at", db.Instant()),
        sa.Column("reverses_kind", sa.Text()),
    ]  # fmt: skip


def _reversal_checks() -> tuple[tuple[str, str], ...]:
    return (
        ("reversal_says_of_what", "(kind = 'reversal') = (reverses IS NOT NULL)"),
        ("reversal_says_what_kind", "(reverses IS NULL) = (reverses_kind IS NULL)"),
    )


def _accounts(name: str) -> None:
    sums = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
    checks = {f"{column}_range": FEN.format(column) for column in sums}
    checks |= {"kind": ACCOUNT_KINDS, "liability_covered": LIABILITY, "asset_covered": ASSET}
    op.create_table(
        name,
        *(sa.Column(column, sa.Text(), nullable=False) for column in ("id", "kind", "owner_id", "institution_id")),
        *(sa.Column(column, db.BigInt, nullable=False) for column in sums),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint("kind", "owner_id", name=op.f("uq_ledger_accounts_kind_owner_id")),
        *(sa.CheckConstraint(text, name=op.f(f"ck_ledger_accounts_{check}")) for check, text in checks.items()),
        sqlite_strict=True,
    )


def _transfers(name: str, accounts: str) -> None:
    checks = {
        "amount_fen_range": FEN.format("amount_fen"), "kind": KINDS,
        "state": "state IN ('pending', 'posted', 'voided')", "amount_positive": "amount_fen > 0",
        "two_accounts": "debit_account_id <> credit_account_id",
        "resolved": "(state = 'pending') = (resolved_at IS NULL)", **dict(_reversal_checks()),
    }  # fmt: skip
    op.create_table(
        name,
        sa.Column("seq", db.BigInt, autoincrement=True, nullable=False),
        *(sa.Column(column, sa.Text(), nullable=False) for column in ("id", "kind", "state")),
        sa.Column("debit_account_id", sa.Text(), nullable=False),
        sa.Column("credit_account_id", sa.Text(), nullable=False),
        sa.Column("amount_fen", db.BigInt, nullable=False),
        sa.Column("order_id", sa.Text()),
        sa.Column("payment_id", sa.Text()),
        sa.Column("part_no", sa.Integer()),
        *(sa.Column(column, sa.Text()) for column in ("instruction_id", "movement_id", "reverses")),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("resolved_at", db.Instant()),
        sa.Column("value_on", db.Day()),
        *_new_columns(),
        *(
            sa.ForeignKeyConstraint([column], [f"{accounts}.id"], name=op.f(f"fk_ledger_transfers_{column}"))
            for column in ("credit_account_id", "debit_account_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_transfers")),
        *(
            sa.UniqueConstraint(column, name=op.f(f"uq_ledger_transfers_{column}"))
            for column in ("id", "instruction_id", "movement_id", "reverses")
        ),
        *(sa.CheckConstraint(text, name=op.f(f"ck_ledger_transfers_{check}")) for check, text in checks.items()),
        sqlite_strict=True,
    )


def _parts() -> None:
    op.create_table(
        "ledger_parts",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("part_no", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("paid_fen", db.BigInt, nullable=False),
        sa.Column("back_fen", db.BigInt, nullable=False),
        sa.CheckConstraint(FEN.format("paid_fen"), name=op.f("ck_ledger_parts_paid_fen_range")),
        sa.CheckConstraint(FEN.format("back_fen"), name=op.f("ck_ledger_parts_back_fen_range")),
        sa.CheckConstraint("back_fen <= paid_fen", name=op.f("ck_ledger_parts_back_covered")),
        sa.PrimaryKeyConstraint("payment_id", "part_no", name=op.f("pk_ledger_parts")),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO ledger_parts (payment_id, part_no, order_id, paid_fen, back_fen)"
        " SELECT payment_id, part_no, min(order_id),"
        " sum(CASE WHEN kind = 'receipt' THEN amount_fen ELSE 0 END),"
        " sum(CASE WHEN kind = 'refund' AND state <> 'voided' THEN amount_fen ELSE 0 END)"
        " FROM ledger_transfers WHERE payment_id IS NOT NULL GROUP BY payment_id, part_no"
    )


def _unlawful_legs() -> str:
    def begins(side: str, kind: str) -> str:
        if kind == "escrow":
            return f"NEW.{side}_account_id = 'escrow:' || NEW.order_id"
        return f"substr(NEW.{side}_account_id, 1, {len(kind) + 1}) = '{kind}:'"

    lawful = [
        f"(NEW.kind = '{kind}' AND {begins('debit', debit)} AND {begins('credit', credit)})"
        for kind, pairs in LEGS.items()
        for debit, credit in (pair.split(">") for pair in pairs)
    ]
    return f"NEW.kind <> 'reversal' AND ({' OR '.join(lawful)}) IS NOT TRUE"

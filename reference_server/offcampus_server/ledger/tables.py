"""Tables of the ledger. A transfer is one row with its two accounts, so every posting sums to zero by construction.

What the engine itself refuses, whoever writes: an account below zero, a part that gets back more than it paid, a
transfer between accounts that its kind does not move between, a second end of a transfer, a second reversal, a
reversal that does not mirror, a changed or deleted row.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Text, UniqueConstraint

from offcampus_server.kernel.append_only import protect, refuse_insert
from offcampus_server.kernel.db import BigInt, Day, Instant, fen, table
from offcampus_server.ledger import chart


def _in(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _not(column: str, values: tuple[str, ...]) -> str:
    return f"{column} NOT IN ({', '.join(repr(value) for value in values)})"


accounts = table(
    "ledger_accounts",
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("institution_id", Text, nullable=False, index=True),
    *fen("debits_pending"),
    *fen("debits_posted"),
    *fen("credits_pending"),
    *fen("credits_posted"),
    UniqueConstraint("kind", "owner_id"),
    CheckConstraint(_in("kind", chart.KINDS), name="kind"),
    # What left or is about to leave never exceeds what came in: at every commit, under every interleaving.
    CheckConstraint(
        f"{_not('kind', chart.LIABILITIES)} OR debits_posted + debits_pending <= credits_posted",
        name="liability_covered",
    ),
    CheckConstraint(
        f"{_not('kind', chart.ASSETS)} OR credits_posted + credits_pending <= debits_posted", name="asset_covered"
    ),
)

transfers = table(
    "ledger_transfers",
    Column("seq", BigInt, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("debit_account_id", Text, ForeignKey("ledger_accounts.id"), nullable=False, index=True),
    Column("credit_account_id", Text, ForeignKey("ledger_accounts.id"), nullable=False, index=True),
    *fen("amount_fen"),
    Column("order_id", Text, index=True),
    Column("payment_id", Text),
    Column("part_no", Integer),
    Column("instruction_id", Text, unique=True),
    Column("movement_id", Text, unique=True),
    Column("reverses", Text, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("value_on", Day),
    Column("event", Text),
    Column("held_in", Text),
    Column("expires_at", Instant),
    Column("reverses_kind", Text),
    CheckConstraint(_in("kind", (*chart.LEGS, "reversal")), name="kind"),
    CheckConstraint("state IN ('pending', 'posted', 'voided')", name="state"),
    CheckConstraint("amount_fen > 0", name="amount_positive"),
    CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
    CheckConstraint("(state = 'pending') = (resolved_at IS NULL)", name="resolved"),
    CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name="reversal_says_of_what"),
    CheckConstraint("(reverses IS NULL) = (reverses_kind IS NULL)", name="reversal_says_what_kind"),
    Index("ux_ledger_part", "payment_id", "part_no", "kind", unique=True,
          sqlite_where=Column("kind", Text).in_(("capture", "receipt", "settlement", "lock", "carry_in")),
          postgresql_where=Column("kind", Text).in_(("capture", "receipt", "settlement", "lock", "carry_in"))),
    Index("ix_ledger_transfers_expiry", "expires_at", sqlite_where=Column("state", Text) == "pending",
          postgresql_where=Column("state", Text) == "pending"),
)  # fmt: skip

parts = table(
    "ledger_parts",
    Column("payment_id", Text, nullable=False),
    Column("part_no", Integer, nullable=False),
    Column("order_id", Text, nullable=False),
    *fen("paid_fen"),
    *fen("back_fen"),
    PrimaryKeyConstraint("payment_id", "part_no"),
    CheckConstraint("back_fen <= paid_fen", name="back_covered"),
)

# The one lawful change: a pending transfer is posted or voided, once, and nothing else of it moves.
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
UNLAWFUL_LEGS = f"NEW.kind <> 'reversal' AND ({chart.lawful_legs_sql('NEW.')}) IS NOT TRUE"
UNLAWFUL_REVERSAL = (
    "NOT EXISTS (SELECT 1 FROM ledger_transfers AS was WHERE was.id = NEW.reverses AND was.kind = NEW.reverses_kind"
    " AND was.kind <> 'reversal' AND was.state = 'posted' AND NEW.state = 'posted'"
    " AND was.amount_fen = NEW.amount_fen AND was.debit_account_id = NEW.credit_account_id"
    " AND was.credit_account_id = NEW.debit_account_id AND was.order_id IS NOT DISTINCT FROM NEW.order_id"
    " AND was.payment_id IS NOT DISTINCT FROM NEW.payment_id AND was.part_no IS NOT DISTINCT FROM NEW.part_no"
    " AND was.held_in IS NOT DISTINCT FROM NEW.held_in)"
)
protect(transfers, update_when=UNLAWFUL_CHANGE)
refuse_insert(transfers, "legs", when=UNLAWFUL_LEGS)
refuse_insert(transfers, "reversal", when="NEW.kind = 'reversal'", condition=UNLAWFUL_REVERSAL)

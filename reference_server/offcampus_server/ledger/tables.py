"""Tables of the ledger. A transfer is one row with its two accounts, so every posting sums to zero by construction."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Text, UniqueConstraint

from offcampus_server.kernel.append_only import protect
from offcampus_server.kernel.db import BigInt, Day, Instant, fen, table

accounts = table(
    "ledger_accounts",
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("institution_id", Text, nullable=False),
    *fen("debits_pending"),
    *fen("debits_posted"),
    *fen("credits_pending"),
    *fen("credits_posted"),
    UniqueConstraint("kind", "owner_id"),
    CheckConstraint("kind IN ('custody', 'escrow')", name="kind"),
    # What left or is about to leave never exceeds what came in: at every commit, under every interleaving.
    CheckConstraint("kind <> 'escrow' OR debits_posted + debits_pending <= credits_posted", name="escrow_covered"),
    CheckConstraint("kind <> 'custody' OR credits_posted + credits_pending <= debits_posted", name="custody_covered"),
)

transfers = table(
    "ledger_transfers",
    Column("seq", BigInt, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("debit_account_id", Text, ForeignKey("ledger_accounts.id"), nullable=False),
    Column("credit_account_id", Text, ForeignKey("ledger_accounts.id"), nullable=False),
    *fen("amount_fen"),
    Column("order_id", Text, nullable=False, index=True),
    Column("payment_id", Text),
    Column("part_no", Integer),
    Column("instruction_id", Text, unique=True),
    Column("movement_id", Text, unique=True),
    Column("reverses", Text, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("value_on", Day),
    CheckConstraint("kind IN ('receipt', 'release', 'refund', 'reversal')", name="kind"),
    CheckConstraint("state IN ('pending', 'posted', 'voided')", name="state"),
    CheckConstraint("amount_fen > 0", name="amount_positive"),
    CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
    CheckConstraint("(state = 'pending') = (resolved_at IS NULL)", name="resolved"),
    Index("ux_ledger_receipt", "payment_id", "part_no", "kind", unique=True,
          sqlite_where=Column("kind", Text) == "receipt", postgresql_where=Column("kind", Text) == "receipt"),
)  # fmt: skip

# The one lawful change: a pending transfer is posted or voided, once, and nothing else of it moves.
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
protect(transfers, update_when=UNLAWFUL_CHANGE)

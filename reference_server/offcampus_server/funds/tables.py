"""Tables of accounts, instructions, releases that wait, movements, statements, balances and differences."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
)

from offcampus_server.kernel.db import BigInt, Day, Instant, Json, fen, resource_columns, table

custody_accounts = table(
    "custody_accounts",
    *resource_columns(),
    Column("bank_id", Text, ForeignKey("parties.id"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    ForeignKeyConstraint(["institution_id"], ["institutions.id"]),
    CheckConstraint("state IN ('open', 'frozen', 'closed')", name="state"),
)

custody_instructions = table(
    "custody_instructions",
    Column("id", Text, primary_key=True),
    Column("bank_id", Text, nullable=False),
    Column("institution_id", Text, nullable=False, index=True),
    Column("region_code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("account_id", Text, ForeignKey("custody_accounts.id"), nullable=False),
    Column("order_id", Text, ForeignKey("orders.id"), index=True),
    Column("refund_id", Text, index=True),
    Column("payment_id", Text),
    Column("part_no", Integer),
    Column("channel", Text),
    *fen("amount_fen"),
    Column("issued_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("bank_reference", Text),
    Column("executed_at", Instant),
    Column("failure", Json),
    Column("retries", Text),
    Column("authority_order", Json),
    Column("late_reference", Text),
    # By what it became certain that a failed one moved nothing, and when: until then its money stays held.
    Column("certain_by", Text),
    Column("certain_at", Instant),
    # The bank's line that booked an executed one back.
    Column("taken_back_by", Text),
    # Another account of the payer, where the channel that paid is closed.
    Column("payee", Json),
    # Of money that was carried over: the part that first paid it, through whose channel it goes back.
    Column("origin", Json),
    CheckConstraint(
        "kind IN ('release', 'refund', 'freeze', 'unfreeze', 'balance', 'reserve_withdrawal')", name="kind"
    ),
    CheckConstraint("(kind IN ('release', 'refund')) = (order_id IS NOT NULL)", name="money_is_of_an_order"),
    CheckConstraint(
        "order_id IS NOT NULL OR amount_fen = 0 OR kind = 'reserve_withdrawal'",
        name="orders_of_departments_move_nothing",
    ),
    CheckConstraint("state IN ('issued', 'accepted', 'executed', 'failed')", name="state"),
    CheckConstraint("(state = 'executed') = (bank_reference IS NOT NULL)", name="executed_has_reference"),
    Index("ix_custody_instructions_work", "bank_id", "state", "id"),
    # A failed instruction is instructed anew at most once.
    Index("ux_custody_instructions_retries", "retries", unique=True),
    Index("ix_custody_instructions_failed", "updated_at", sqlite_where=Column("state", Text) == "failed",
          postgresql_where=Column("state", Text) == "failed"),
)  # fmt: skip

releases_waiting = table(
    "releases_waiting",
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("not_before", Instant, nullable=False, index=True),
    # From when the plan's day lets money leave that waits for a settlement day: no unfreeze brings it forward.
    Column("settles_at", Instant),
)

custody_movements = table(
    "custody_movements",
    *resource_columns(),
    Column("bank_id", Text, nullable=False),
    Column("account_id", Text, ForeignKey("custody_accounts.id"), nullable=False),
    Column("bank_reference", Text, nullable=False),
    Column("value_on", Day, nullable=False),
    *fen("amount_fen"),
    Column("direction", Text, nullable=False),
    Column("instruction_id", Text),
    Column("break_type", Text),
    CheckConstraint("(state = 'matched') = (break_type IS NULL)", name="unmatched_says_why"),
    Index("ux_custody_movements_instruction", "instruction_id", unique=True,
          sqlite_where=Column("state", Text) == "matched", postgresql_where=Column("state", Text) == "matched"),
    Index("ix_custody_movements_instruction", "instruction_id"),
    Index("ix_custody_movements_day", "account_id", "value_on"),
)  # fmt: skip

statements = table(
    "statements",
    Column("account_id", Text, ForeignKey("custody_accounts.id"), nullable=False),
    Column("statement_on", Day, nullable=False),
    Column("id", Text, nullable=False, unique=True),
    Column("bank_id", Text, nullable=False),
    Column("institution_id", Text, nullable=False),
    Column("region_code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    *fen("opening_balance_fen"),
    *fen("closing_balance_fen"),
    Column("document", Json, nullable=False),
    Column("breaks", Json, nullable=False),
    PrimaryKeyConstraint("account_id", "statement_on"),
    CheckConstraint("state IN ('reconciled', 'broken')", name="state"),
)

account_balances = table(
    "account_balances",
    *resource_columns(),
    Column("bank_id", Text, nullable=False),
    Column("account_id", Text, ForeignKey("custody_accounts.id"), nullable=False, index=True),
    Column("instruction_id", Text),
    Column("measured_at", Instant, nullable=False),
    *fen("balance_fen"),
    Column("expected_fen", BigInt, nullable=False),
)

differences = table(
    "differences",
    Column("id", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("bank_id", Text, nullable=False),
    Column("institution_id", Text, nullable=False, index=True),
    Column("region_code", Text, nullable=False),
    Column("account_id", Text, ForeignKey("custody_accounts.id"), nullable=False),
    Column("statement_on", Day),
    Column("movement_id", Text),
    Column("instruction_id", Text),
    Column("bank_reference", Text),
    Column("expected_fen", BigInt),
    Column("got_fen", BigInt),
    Column("settlement", Json),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint("state IN ('open', 'proposed', 'settled', 'cleared')", name="state"),
    CheckConstraint("owner IN ('bank', 'platform', 'institution', 'authority')", name="owner"),
    CheckConstraint("state NOT IN ('proposed', 'settled') OR settlement IS NOT NULL", name="settlement_is_known"),
    # The same difference stands in the list once while nobody has settled it.
    Index("ux_differences_standing", "mark", unique=True,
          sqlite_where=Column("state", Text).in_(("open", "proposed")),
          postgresql_where=Column("state", Text).in_(("open", "proposed"))),
    Index("ix_differences_day", "account_id", "statement_on"),
    Index("ix_differences_work", "owner", "state", "id"),
)  # fmt: skip

"""Refunds. At most one of an order is open at any moment: the database says so."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text

from offcampus_server.kernel.db import Instant, Json, fen, resource_columns, table

OPEN = ("requested", "objected", "agreed", "paying", "failed")

refunds = table(
    "refunds",
    *resource_columns(),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("silence_due_at", Instant, nullable=False),
    Column("due_at", Instant),
    *fen("amount_fen"),
    Column("working", Json, nullable=False),
    Column("objection", Json),
    Column("agreed_by", Text),
    Column("ruling", Json),
    Column("overdue_at", Instant),
    Column("decision_id", Text),
    # Other accounts of the payer, named by the guardian for parts whose channel is closed.
    Column("payees", Json),
    CheckConstraint(
        "state IN ('requested', 'objected', 'agreed', 'paying', 'paid', 'failed', 'rejected')", name="state"
    ),
    Index("ux_refunds_open", "order_id", unique=True,
          sqlite_where=Column("state", Text).in_(OPEN), postgresql_where=Column("state", Text).in_(OPEN)),
    Index("ix_refunds_silence", "state", "silence_due_at"),
    Index("ix_refunds_due", "state", "due_at"),
)  # fmt: skip

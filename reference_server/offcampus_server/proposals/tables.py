"""Money proposals with what became of them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Text

from offcampus_server.kernel.db import Instant, resource_columns, table

proposals = table(
    "money_proposals",
    *resource_columns(),
    Column("kind", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("decision_note", Text),
    Column("instruction_id", Text),
    Column("booked_as", Text),
    CheckConstraint("state IN ('proposed', 'approved', 'rejected', 'expired')", name="state"),
    CheckConstraint("(state IN ('approved', 'rejected')) = (decided_by IS NOT NULL)", name="decided_by_somebody"),
    Index("ix_money_proposals_expiry", "expires_at", sqlite_where=Column("state", Text) == "proposed",
          postgresql_where=Column("state", Text) == "proposed"),
)  # fmt: skip

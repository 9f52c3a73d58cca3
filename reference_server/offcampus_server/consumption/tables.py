"""Consumption records. One live record per lesson and order: the database says so."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Text

from offcampus_server.kernel.db import Instant, resource_columns, table

consumption_records = table(
    "consumption_records",
    *resource_columns(),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False, index=True),
    Column("lesson_id", Text, ForeignKey("lessons.id")),
    Column("type", Text, nullable=False),
    Column("class_hours_centi", Integer, nullable=False),
    Column("occurred_until", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("due_provisional", Integer, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
    Column("dispute_reason", Text),
    Column("dispute_sealed", Text),
    Column("disputed_at", Instant),
    Column("reverses", Text),
    Column("decision_id", Text, nullable=False),
    CheckConstraint("state IN ('reported', 'confirmed', 'disputed', 'void')", name="state"),
    CheckConstraint("class_hours_centi > 0", name="hours_positive"),
    CheckConstraint("(state = 'confirmed') = (confirmed_by IS NOT NULL)", name="confirmed_says_by_whom"),
    Index("ux_consumption_lesson_order", "lesson_id", "order_id", unique=True,
          sqlite_where=Column("state", Text) != "void", postgresql_where=Column("state", Text) != "void"),
    Index("ux_consumption_reverses", "reverses", unique=True),
    Index("ix_consumption_due", "state", "due_at"),
)  # fmt: skip

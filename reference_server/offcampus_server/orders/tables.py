"""Tables of contracts, orders and payments. Hours are counted on the order, with the database as witness."""

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

contracts = table(
    "contracts",
    *resource_columns(),
    Column("pupil_id", Text, ForeignKey("pupils.id"), nullable=False),
    Column("guardian_id", Text, ForeignKey("guardians.id"), nullable=False),
    Column("course_id", Text, ForeignKey("courses.id"), nullable=False),
    ForeignKeyConstraint(["institution_id"], ["institutions.id"]),
)

orders = table(
    "orders",
    *resource_columns(),
    Column("pupil_id", Text, ForeignKey("pupils.id"), nullable=False),
    Column("guardian_id", Text, ForeignKey("guardians.id"), nullable=False),
    Column("course_id", Text, ForeignKey("courses.id"), nullable=False),
    Column("contract_id", Text, ForeignKey("contracts.id"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("signed_on", Day, nullable=False),
    Column("ordered_at", Instant, nullable=False),
    Column("gift_hours_policy", Text, nullable=False),
    *fen("total_fen"),
    Column("class_hours_centi", BigInt, nullable=False),
    Column("gift_hours_centi", BigInt, nullable=False),
    Column("reported_centi", BigInt, nullable=False),
    Column("confirmed_centi", BigInt, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("refund_requested_at", Instant),
    Column("release_plan", Json),
    ForeignKeyConstraint(["institution_id"], ["institutions.id"]),
    CheckConstraint("state IN ('awaiting_payment', 'paid', 'refunding', 'closed', 'cancelled')", name="state"),
    CheckConstraint("reported_centi BETWEEN 0 AND class_hours_centi + gift_hours_centi", name="hours_not_exceeded"),
    CheckConstraint("confirmed_centi BETWEEN 0 AND reported_centi", name="confirmed_were_reported"),
    Index("ix_orders_pupil_subject", "pupil_id", "subject"),
)

payments = table(
    "payments",
    *resource_columns(),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("settled_at", Instant),
    CheckConstraint("state IN ('pending', 'settled', 'failed')", name="state"),
    Index("ux_payments_live", "order_id", unique=True,
          sqlite_where=Column("state", Text) != "failed", postgresql_where=Column("state", Text) != "failed"),
)  # fmt: skip

payment_parts = table(
    "payment_parts",
    Column("payment_id", Text, ForeignKey("payments.id"), nullable=False),
    Column("part_no", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    *fen("amount_fen"),
    Column("captured_at", Instant),
    Column("settled_at", Instant),
    *fen("fee_fen", server_default="0"),
    # Of money that was carried over from another order: the part that first paid it.
    Column("origin", Json),
    PrimaryKeyConstraint("payment_id", "part_no"),
    CheckConstraint("fee_fen < amount_fen", name="fee_below_sum"),
)

"""Subscriptions and where each stands in the outbox."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Text

from offcampus_server.kernel.db import BigInt, Instant, resource_columns, table

subscriptions = table(
    "subscriptions",
    *resource_columns(),
    Column("url", Text, nullable=False),
    Column("position_xid", BigInt, nullable=False),
    Column("position_seq", BigInt, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("first_failed_at", Instant),
    Column("next_attempt_at", Instant),
    Column("leased_until", Instant),
    Column("last_failure", Text),
)

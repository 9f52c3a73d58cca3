"""Table of risk assessments that banks submit."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Text

from offcampus_server.kernel.db import Instant, resource_columns, table

risk_assessments = table(
    "risk_assessments",
    *resource_columns(),
    Column("bank_id", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("assessed_at", Instant, nullable=False),
    CheckConstraint("score BETWEEN 0 AND 1000", name="score"),
)

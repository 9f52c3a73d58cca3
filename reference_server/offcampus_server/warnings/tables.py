"""Table of warnings. `sign` is a rule's id or one of our own names, so that later signs of risk fit the same list."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text

from offcampus_server.kernel.db import Instant, Json, table

warnings = table(
    "warnings",
    Column("id", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sign", Text, nullable=False),
    Column("level", Text),
    Column("severity", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("institution_id", Text, nullable=False, index=True),
    Column("region_code", Text, nullable=False),
    Column("account_id", Text),
    Column("movement_id", Text),
    Column("facts", Json, nullable=False),
    Column("working", Json, nullable=False),
    Column("due_at", Instant),
    Column("handling", Json),
    Column("closing", Json),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint("state IN ('open', 'escalated', 'handled', 'closed')", name="state"),
    CheckConstraint("severity BETWEEN 1 AND 5", name="severity"),
    CheckConstraint("state <> 'closed' OR closing IS NOT NULL", name="closing_is_known"),
    # The same sign of the same institution stands once until somebody has closed it.
    Index("ux_warnings_standing", "mark", unique=True, sqlite_where=Column("state", Text) != "closed",
          postgresql_where=Column("state", Text) != "closed"),
    Index("ix_warnings_due", "due_at", sqlite_where=Column("state", Text) == "open",
          postgresql_where=Column("state", Text) == "open"),
)  # fmt: skip

"""Decisions of the rules, kept with the operation that they decided, to be explained and replayed later."""

from __future__ import annotations

from sqlalchemy import Column, Text

from offcampus_server.kernel.append_only import protect
from offcampus_server.kernel.db import Instant, Json, table

decisions = table(
    "decisions",
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False, index=True),
    Column("institution_id", Text),
    Column("region_code", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("document", Json, nullable=False),
)
protect(decisions)

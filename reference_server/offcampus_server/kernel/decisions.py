"""Decisions of the rules, kept with the operation that they decided, to be explained and replayed later.

A refusal is kept too, under the identifier of the request that it refused: what other rules would have allowed can only
be told from what was refused. The facts are those the rules saw: identifiers, sums, hours and dates, nobody's name.
"""

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
    Column("facts", Json),  # in the one spelling that their digest is made of
)
protect(decisions)

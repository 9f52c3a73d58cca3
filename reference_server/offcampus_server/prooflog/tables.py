"""Tables of the log. Entries and heads are append-only; salts are not, because erasing a person's part destroys one.

`nodes` of an entry are the inner nodes that its leaf completed, lowest first, in hex one after the other: the whole
tree lies in the entries, about one node a row, and nothing is ever written twice.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, UniqueConstraint

from offcampus_server.kernel.append_only import protect
from offcampus_server.kernel.db import BigInt, Instant, table

entries = table(
    "log_entries",
    Column("seq", BigInt, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("row_no", BigInt, nullable=False),
    Column("fact", Text, nullable=False),
    Column("subject", Text),
    Column("subject_no", Integer),
    Column("subject_previous", Text),
    Column("commitment", Text),
    Column("hash_id", Text, nullable=False),
    Column("leaf_hash", Text, nullable=False),
    Column("nodes", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("source", "row_no", "fact"),
    Index("ux_log_entries_subject", "subject", "subject_no", unique=True),
    CheckConstraint("seq >= 0", name="seq"),
    CheckConstraint("(subject IS NULL) = (subject_no IS NULL)", name="chain"),
)
protect(entries)

salts = table(
    "log_salts",
    Column("seq", BigInt, primary_key=True, autoincrement=False),
    Column("salt", Text, nullable=False),
)

heads = table(
    "log_heads",
    Column("size", BigInt, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("hash_id", Text, nullable=False),
    Column("root_hash", Text, nullable=False),
    Column("signed_at", Instant, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", Text, nullable=False),
    CheckConstraint("size > 0", name="size"),
)
protect(heads)

marks = table(
    "log_marks",
    # `size` is the number of entries, whose change makes a sequencer the one writer; the others say up to which row
    # of a source everything is in the log.
    Column("name", Text, primary_key=True),
    Column("value", BigInt, nullable=False),
)

unresolved = table(
    "log_unresolved",
    # Rows whose creation is in the log and whose end is not: what a round looks at again.
    Column("row_no", BigInt, primary_key=True, autoincrement=False),
)

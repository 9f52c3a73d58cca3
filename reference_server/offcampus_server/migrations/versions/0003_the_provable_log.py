"""The provable log: entries, salts, signed heads, and where the sequencer stands"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import append_only, db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "log_entries",
        sa.Column("seq", db.BigInt, autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row_no", db.BigInt, nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("subject_no", sa.Integer(), nullable=True),
        sa.Column("subject_previous", sa.Text(), nullable=True),
        sa.Column("commitment", sa.Text(), nullable=True),
        sa.Column("hash_id", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.Text(), nullable=False),
        sa.Column("nodes", sa.Text(), nullable=False),
        sa.Column("at", db.Instant(), nullable=False),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_log_entries_seq")),
        sa.CheckConstraint("(subject IS NULL) = (subject_no IS NULL)", name=op.f("ck_log_entries_chain")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_entries")),
        sa.UniqueConstraint("source", "row_no", "fact", name=op.f("uq_log_entries_source_row_no_fact")),
        sqlite_strict=True,
    )
    op.create_index("ux_log_entries_subject", "log_entries", ["subject", "subject_no"], unique=True)
    op.create_table(
        "log_salts",
        sa.Column("seq", db.BigInt, autoincrement=False, nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_salts")),
        sqlite_strict=True,
    )
    op.create_table(
        "log_heads",
        sa.Column("size", db.BigInt, autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("hash_id", sa.Text(), nullable=False),
        sa.Column("root_hash", sa.Text(), nullable=False),
        sa.Column("signed_at", db.Instant(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_log_heads_size")),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_heads")),
        sqlite_strict=True,
    )
    marks = op.create_table(
        "log_marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", db.BigInt, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_log_marks")),
        sqlite_strict=True,
    )
    op.create_table(
        "log_unresolved",
        sa.Column("row_no", db.BigInt, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("row_no", name=op.f("pk_log_unresolved")),
        sqlite_strict=True,
    )
    op.bulk_insert(marks, [{"name": name, "value": 0} for name in ("size", "transfer", "audit")])
    dialect = op.get_bind().dialect.name
    for table in ("log_entries", "log_heads"):
        for statement in append_only.statements(table, dialect):
            op.execute(statement.replace("%%", "%"))

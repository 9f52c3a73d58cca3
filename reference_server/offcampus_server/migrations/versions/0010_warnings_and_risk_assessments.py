"""Early warnings, and the risk assessments that banks submit"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STANDING, OPEN = "state != 'closed'", "state = 'open'"


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "warnings",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "mark")),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "institution_id", "region_code")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("account_id", "movement_id")),
        sa.Column("facts", db.Json(), nullable=False),
        sa.Column("working", db.Json(), nullable=False),
        sa.Column("due_at", db.Instant(), nullable=True),
        sa.Column("handling", db.Json(), nullable=True),
        sa.Column("closing", db.Json(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'escalated', 'handled', 'closed')", name=op.f("ck_warnings_state")),
        sa.CheckConstraint("severity BETWEEN 1 AND 5", name=op.f("ck_warnings_severity")),
        sa.CheckConstraint("state <> 'closed' OR closing IS NOT NULL", name=op.f("ck_warnings_closing_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warnings")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_warnings_institution_id"), "warnings", ["institution_id"])
    op.create_index(
        "ux_warnings_standing", "warnings", ["mark"], unique=True, sqlite_where=sa.text(STANDING),
        postgresql_where=sa.text(STANDING),
    )  # fmt: skip
    op.create_index(
        "ix_warnings_due", "warnings", ["due_at"], sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN)
    )
    op.create_table(
        "risk_assessments",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "external_id", "party_id", "institution_id", "region_code")
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("assessed_at", db.Instant(), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 1000", name=op.f("ck_risk_assessments_score")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_assessments")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_risk_assessments_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_risk_assessments_institution_id"), "risk_assessments", ["institution_id"])

"""Money proposals of two officers, and accounts that guardians name for refunds"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PROPOSED = "state = 'proposed'"


def upgrade() -> None:
    """Forward."""
    op.add_column("refunds", sa.Column("payees", db.Json(), nullable=True))
    op.create_table(
        "money_proposals",
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
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("expires_at", db.Instant(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", db.Instant(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("instruction_id", sa.Text(), nullable=True),
        sa.Column("booked_as", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'rejected', 'expired')", name=op.f("ck_money_proposals_state")
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'rejected')) = (decided_by IS NOT NULL)",
            name=op.f("ck_money_proposals_decided_by_somebody"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_proposals")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_money_proposals_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_money_proposals_institution_id"), "money_proposals", ["institution_id"])
    op.create_index(
        "ix_money_proposals_expiry", "money_proposals", ["expires_at"], sqlite_where=sa.text(PROPOSED),
        postgresql_where=sa.text(PROPOSED),
    )  # fmt: skip

"""The first shape of the database"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from offcampus_server.kernel import append_only, db, outbox

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY: tuple[tuple[str, str | None], ...] = (
    ("audit", None),
    ("decisions", None),
    ("events", None),
    (
        "ledger_transfers",
        "NOT (OLD.state = 'pending' AND NEW.state IN ('posted', 'voided') AND OLD.id = NEW.id AND OLD.amount_fen = NEW.amount_fen AND OLD.debit_account_id = NEW.debit_account_id AND OLD.credit_account_id = NEW.credit_account_id AND OLD.kind = NEW.kind AND OLD.order_id = NEW.order_id AND OLD.created_at = NEW.created_at)",
    ),
)
"""Tables whose rows the engine itself keeps from being changed or deleted, and the one change that is lawful."""


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", db.Instant(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("detail", db.Json(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("decided_at", db.Instant(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_decisions_subject"), "decisions", ["subject"], unique=False)
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "xid",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=outbox.current_xid(),
            nullable=False,
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=True),
        sa.Column("at", db.Instant(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_events_xid_seq", "events", ["xid", "seq"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("headers", db.Json(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("party_id", "operation_id", "key", name=op.f("pk_idempotency_keys")),
        sqlite_strict=True,
    )
    op.create_table(
        "institutions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("returned_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('submitted', 'approved', 'returned', 'suspended', 'removed')", name=op.f("ck_institutions_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institutions")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_institutions_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_institutions_institution_id"), "institutions", ["institution_id"], unique=False)
    op.create_index(op.f("ix_institutions_name"), "institutions", ["name"], unique=False)
    op.create_index(op.f("ix_institutions_uscc"), "institutions", ["uscc"], unique=False)
    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("debits_pending", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("debits_posted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credits_pending", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credits_posted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "kind <> 'custody' OR credits_posted + credits_pending <= debits_posted",
            name=op.f("ck_ledger_accounts_custody_covered"),
        ),
        sa.CheckConstraint(
            "kind <> 'escrow' OR debits_posted + debits_pending <= credits_posted",
            name=op.f("ck_ledger_accounts_escrow_covered"),
        ),
        sa.CheckConstraint("kind IN ('custody', 'escrow')", name=op.f("ck_ledger_accounts_kind")),
        sa.CheckConstraint(
            "credits_pending BETWEEN 0 AND 9007199254740991", name=op.f("ck_ledger_accounts_credits_pending_range")
        ),
        sa.CheckConstraint(
            "credits_posted BETWEEN 0 AND 9007199254740991", name=op.f("ck_ledger_accounts_credits_posted_range")
        ),
        sa.CheckConstraint(
            "debits_pending BETWEEN 0 AND 9007199254740991", name=op.f("ck_ledger_accounts_debits_pending_range")
        ),
        sa.CheckConstraint(
            "debits_posted BETWEEN 0 AND 9007199254740991", name=op.f("ck_ledger_accounts_debits_posted_range")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint("kind", "owner_id", name=op.f("uq_ledger_accounts_kind_owner_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "parties",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("jwks", db.Json(), nullable=False),
        sa.Column("disabled_at", db.Instant(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.CheckConstraint(
            "role IN ('institution_system', 'guardian_app', 'bank', 'authority')", name=op.f("ck_parties_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parties")),
        sqlite_strict=True,
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("position_xid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_failed_at", db.Instant(), nullable=True),
        sa.Column("next_attempt_at", db.Instant(), nullable=True),
        sa.Column("leased_until", db.Instant(), nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_subscriptions_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_subscriptions_institution_id"), "subscriptions", ["institution_id"], unique=False)
    op.create_table(
        "used_once",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("kind IN ('nonce', 'jti')", name=op.f("ck_used_once_kind")),
        sa.PrimaryKeyConstraint("kind", "owner", "value", name=op.f("pk_used_once")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_used_once_expires_at"), "used_once", ["expires_at"], unique=False)
    op.create_table(
        "campuses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_campuses_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campuses")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_campuses_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_campuses_institution_id"), "campuses", ["institution_id"], unique=False)
    op.create_table(
        "courses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("returned_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('filed', 'on_sale', 'returned', 'withdrawn')", name=op.f("ck_courses_state")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_courses_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_courses_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_courses_institution_id"), "courses", ["institution_id"], unique=False)
    op.create_table(
        "custody_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'frozen', 'closed')", name=op.f("ck_custody_accounts_state")),
        sa.ForeignKeyConstraint(["bank_id"], ["parties.id"], name=op.f("fk_custody_accounts_bank_id")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_custody_accounts_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_accounts")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_custody_accounts_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_custody_accounts_bank_id"), "custody_accounts", ["bank_id"], unique=False)
    op.create_index(op.f("ix_custody_accounts_institution_id"), "custody_accounts", ["institution_id"], unique=False)
    op.create_table(
        "ledger_transfers",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("debit_account_id", sa.Text(), nullable=False),
        sa.Column("credit_account_id", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("part_no", sa.Integer(), nullable=True),
        sa.Column("instruction_id", sa.Text(), nullable=True),
        sa.Column("movement_id", sa.Text(), nullable=True),
        sa.Column("reverses", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("resolved_at", db.Instant(), nullable=True),
        sa.Column("value_on", db.Day(), nullable=True),
        sa.CheckConstraint("(state = 'pending') = (resolved_at IS NULL)", name=op.f("ck_ledger_transfers_resolved")),
        sa.CheckConstraint(
            "kind IN ('receipt', 'release', 'refund', 'reversal')", name=op.f("ck_ledger_transfers_kind")
        ),
        sa.CheckConstraint("state IN ('pending', 'posted', 'voided')", name=op.f("ck_ledger_transfers_state")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_ledger_transfers_amount_positive")),
        sa.CheckConstraint(
            "amount_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_ledger_transfers_amount_fen_range")
        ),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("ck_ledger_transfers_two_accounts")),
        sa.ForeignKeyConstraint(
            ["credit_account_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_transfers_credit_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["debit_account_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_transfers_debit_account_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_transfers")),
        sa.UniqueConstraint("id", name=op.f("uq_ledger_transfers_id")),
        sa.UniqueConstraint("instruction_id", name=op.f("uq_ledger_transfers_instruction_id")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_ledger_transfers_movement_id")),
        sa.UniqueConstraint("reverses", name=op.f("uq_ledger_transfers_reverses")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_ledger_transfers_order_id"), "ledger_transfers", ["order_id"], unique=False)
    op.create_index(
        "ux_ledger_receipt",
        "ledger_transfers",
        ["payment_id", "part_no", "kind"],
        unique=True,
        sqlite_where=sa.text("kind = 'receipt'"),
        postgresql_where=sa.text("kind = 'receipt'"),
    )
    op.create_table(
        "materials",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_materials_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_materials")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_materials_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_materials_institution_id"), "materials", ["institution_id"], unique=False)
    op.create_table(
        "party_institutions",
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("granted_at", db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name=op.f("fk_party_institutions_party_id")),
        sa.PrimaryKeyConstraint("party_id", "institution_id", name=op.f("pk_party_institutions")),
        sqlite_strict=True,
    )
    op.create_table(
        "pupils",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("id_number_blind", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_pupils_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupils")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_pupils_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_pupils_institution_id"), "pupils", ["institution_id"], unique=False)
    op.create_index("ux_pupils_institution_number", "pupils", ["institution_id", "id_number_blind"], unique=True)
    op.create_table(
        "staff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("id_number_blind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_staff_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("institution_id", "id_number_blind", name=op.f("uq_staff_institution_id_id_number_blind")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_staff_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_staff_institution_id"), "staff", ["institution_id"], unique=False)
    op.create_table(
        "classes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("course_id", sa.Text(), nullable=False),
        sa.Column("teacher_ids", db.Json(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_classes_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classes")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_classes_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_classes_course_id"), "classes", ["course_id"], unique=False)
    op.create_index(op.f("ix_classes_institution_id"), "classes", ["institution_id"], unique=False)
    op.create_table(
        "custody_movements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=False),
        sa.Column("value_on", db.Day(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("instruction_id", sa.Text(), nullable=True),
        sa.Column("break_type", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'matched') = (break_type IS NULL)", name=op.f("ck_custody_movements_unmatched_says_why")
        ),
        sa.CheckConstraint(
            "amount_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_custody_movements_amount_fen_range")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["custody_accounts.id"], name=op.f("fk_custody_movements_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_movements")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_custody_movements_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_custody_movements_day", "custody_movements", ["account_id", "value_on"], unique=False)
    op.create_index(op.f("ix_custody_movements_institution_id"), "custody_movements", ["institution_id"], unique=False)
    op.create_index(
        "ux_custody_movements_instruction",
        "custody_movements",
        ["instruction_id"],
        unique=True,
        sqlite_where=sa.text("state = 'matched'"),
        postgresql_where=sa.text("state = 'matched'"),
    )
    op.create_table(
        "guardians",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pupil_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_guardians_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guardians")),
        sa.UniqueConstraint("pupil_id", "external_id", name=op.f("uq_guardians_pupil_id_external_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "statements",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("statement_on", db.Day(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("opening_balance_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("closing_balance_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("breaks", db.Json(), nullable=False),
        sa.CheckConstraint("state IN ('reconciled', 'broken')", name=op.f("ck_statements_state")),
        sa.CheckConstraint(
            "closing_balance_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_statements_closing_balance_fen_range")
        ),
        sa.CheckConstraint(
            "opening_balance_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_statements_opening_balance_fen_range")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["custody_accounts.id"], name=op.f("fk_statements_account_id")),
        sa.PrimaryKeyConstraint("account_id", "statement_on", name=op.f("pk_statements")),
        sa.UniqueConstraint("id", name=op.f("uq_statements_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "contracts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("pupil_id", sa.Text(), nullable=False),
        sa.Column("guardian_id", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_contracts_course_id")),
        sa.ForeignKeyConstraint(["guardian_id"], ["guardians.id"], name=op.f("fk_contracts_guardian_id")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_contracts_institution_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_contracts_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_contracts_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_contracts_institution_id"), "contracts", ["institution_id"], unique=False)
    op.create_table(
        "lessons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("class_id", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Text(), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("room_key", sa.Text(), nullable=True),
        sa.Column("starts_at", db.Instant(), nullable=False),
        sa.Column("ends_at", db.Instant(), nullable=False),
        sa.CheckConstraint("state IN ('scheduled', 'cancelled')", name=op.f("ck_lessons_state")),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_lessons_class_id")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_lessons_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_lessons_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lessons_class_id"), "lessons", ["class_id"], unique=False)
    op.create_index(op.f("ix_lessons_institution_id"), "lessons", ["institution_id"], unique=False)
    op.create_index("ix_lessons_room", "lessons", ["room_key", "starts_at"], unique=False)
    op.create_index("ix_lessons_teacher", "lessons", ["teacher_id", "starts_at"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("pupil_id", sa.Text(), nullable=False),
        sa.Column("guardian_id", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("signed_on", db.Day(), nullable=False),
        sa.Column("ordered_at", db.Instant(), nullable=False),
        sa.Column("gift_hours_policy", sa.Text(), nullable=False),
        sa.Column("total_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("class_hours_centi", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("gift_hours_centi", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reported_centi", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("confirmed_centi", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("refund_requested_at", db.Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('awaiting_payment', 'paid', 'refunding', 'closed', 'cancelled')", name=op.f("ck_orders_state")
        ),
        sa.CheckConstraint(
            "confirmed_centi BETWEEN 0 AND reported_centi", name=op.f("ck_orders_confirmed_were_reported")
        ),
        sa.CheckConstraint(
            "reported_centi BETWEEN 0 AND class_hours_centi + gift_hours_centi",
            name=op.f("ck_orders_hours_not_exceeded"),
        ),
        sa.CheckConstraint("total_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_orders_total_fen_range")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_orders_contract_id")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_orders_course_id")),
        sa.ForeignKeyConstraint(["guardian_id"], ["guardians.id"], name=op.f("fk_orders_guardian_id")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_orders_institution_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_orders_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_orders_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_orders_institution_id"), "orders", ["institution_id"], unique=False)
    op.create_index("ix_orders_pupil_subject", "orders", ["pupil_id", "subject"], unique=False)
    op.create_table(
        "consumption_records",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("lesson_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("class_hours_centi", sa.Integer(), nullable=False),
        sa.Column("occurred_until", db.Instant(), nullable=False),
        sa.Column("due_at", db.Instant(), nullable=False),
        sa.Column("due_provisional", sa.Integer(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", db.Instant(), nullable=True),
        sa.Column("dispute_reason", sa.Text(), nullable=True),
        sa.Column("dispute_sealed", sa.Text(), nullable=True),
        sa.Column("disputed_at", db.Instant(), nullable=True),
        sa.Column("reverses", sa.Text(), nullable=True),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state = 'confirmed') = (confirmed_by IS NOT NULL)",
            name=op.f("ck_consumption_records_confirmed_says_by_whom"),
        ),
        sa.CheckConstraint(
            "state IN ('reported', 'confirmed', 'disputed', 'void')", name=op.f("ck_consumption_records_state")
        ),
        sa.CheckConstraint("class_hours_centi > 0", name=op.f("ck_consumption_records_hours_positive")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_consumption_records_lesson_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_consumption_records_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consumption_records")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_consumption_records_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_consumption_due", "consumption_records", ["state", "due_at"], unique=False)
    op.create_index(
        op.f("ix_consumption_records_institution_id"), "consumption_records", ["institution_id"], unique=False
    )
    op.create_index(op.f("ix_consumption_records_order_id"), "consumption_records", ["order_id"], unique=False)
    op.create_index(
        "ux_consumption_lesson_order",
        "consumption_records",
        ["lesson_id", "order_id"],
        unique=True,
        sqlite_where=sa.text("state != 'void'"),
        postgresql_where=sa.text("state != 'void'"),
    )
    op.create_index("ux_consumption_reverses", "consumption_records", ["reverses"], unique=True)
    op.create_table(
        "custody_instructions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("refund_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("part_no", sa.Integer(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issued_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=True),
        sa.Column("executed_at", db.Instant(), nullable=True),
        sa.Column("failure", db.Json(), nullable=True),
        sa.CheckConstraint(
            "(state = 'executed') = (bank_reference IS NOT NULL)",
            name=op.f("ck_custody_instructions_executed_has_reference"),
        ),
        sa.CheckConstraint("kind IN ('release', 'refund')", name=op.f("ck_custody_instructions_kind")),
        sa.CheckConstraint(
            "state IN ('issued', 'accepted', 'executed', 'failed')", name=op.f("ck_custody_instructions_state")
        ),
        sa.CheckConstraint(
            "amount_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_custody_instructions_amount_fen_range")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["custody_accounts.id"], name=op.f("fk_custody_instructions_account_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_custody_instructions_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_instructions")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_custody_instructions_institution_id"), "custody_instructions", ["institution_id"], unique=False
    )
    op.create_index(op.f("ix_custody_instructions_order_id"), "custody_instructions", ["order_id"], unique=False)
    op.create_index(op.f("ix_custody_instructions_refund_id"), "custody_instructions", ["refund_id"], unique=False)
    op.create_index("ix_custody_instructions_work", "custody_instructions", ["bank_id", "state", "id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("settled_at", db.Instant(), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'settled', 'failed')", name=op.f("ck_payments_state")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_payments_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payments_institution_id"), "payments", ["institution_id"], unique=False)
    op.create_index(
        "ux_payments_live",
        "payments",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("state != 'failed'"),
        postgresql_where=sa.text("state != 'failed'"),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("created_at", db.Instant(), nullable=False),
        sa.Column("updated_at", db.Instant(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("requested_at", db.Instant(), nullable=False),
        sa.Column("silence_due_at", db.Instant(), nullable=False),
        sa.Column("due_at", db.Instant(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("working", db.Json(), nullable=False),
        sa.Column("objection", db.Json(), nullable=True),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'objected', 'agreed', 'paying', 'paid', 'failed')", name=op.f("ck_refunds_state")
        ),
        sa.CheckConstraint("amount_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_refunds_amount_fen_range")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("party_id", "external_id", name=op.f("uq_refunds_party_id_external_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_refunds_institution_id"), "refunds", ["institution_id"], unique=False)
    op.create_index("ix_refunds_silence", "refunds", ["state", "silence_due_at"], unique=False)
    op.create_index(
        "ux_refunds_open",
        "refunds",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('requested', 'objected', 'agreed', 'paying', 'failed')"),
        postgresql_where=sa.text("state IN ('requested', 'objected', 'agreed', 'paying', 'failed')"),
    )
    op.create_table(
        "payment_parts",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("part_no", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("settled_at", db.Instant(), nullable=True),
        sa.CheckConstraint("amount_fen BETWEEN 0 AND 9007199254740991", name=op.f("ck_payment_parts_amount_fen_range")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_parts_payment_id")),
        sa.PrimaryKeyConstraint("payment_id", "part_no", name=op.f("pk_payment_parts")),
        sqlite_strict=True,
    )

    dialect = op.get_bind().dialect.name
    for table, update_when in APPEND_ONLY:
        for statement in append_only.statements(table, dialect, update_when=update_when):
            op.execute(statement.replace("%%", "%"))

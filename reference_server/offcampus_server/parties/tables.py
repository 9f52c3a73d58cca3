"""Tables of the parties, and what was used once."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, PrimaryKeyConstraint, Text

from offcampus_server.kernel.db import BigInt, Instant, Json, table

parties = table(
    "parties",
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("region_code", Text, nullable=False),
    Column("jwks", Json, nullable=False),
    Column("disabled_at", Instant),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("role IN ('institution_system', 'guardian_app', 'bank', 'authority')", name="role"),
)

party_institutions = table(
    "party_institutions",
    Column("party_id", Text, ForeignKey("parties.id"), nullable=False),
    Column("institution_id", Text, nullable=False),
    Column("granted_at", Instant, nullable=False),
    PrimaryKeyConstraint("party_id", "institution_id"),
)

used_once = table(
    "used_once",
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("expires_at", BigInt, nullable=False, index=True),
    PrimaryKeyConstraint("kind", "owner", "value"),
    CheckConstraint("kind IN ('nonce', 'jti')", name="kind"),
)

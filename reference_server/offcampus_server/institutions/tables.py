"""Tables of the institution file. Personal members are kept sealed; `document` holds only what is not personal."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Text, UniqueConstraint

from offcampus_server.kernel.db import resource_columns, table

institutions = table(
    "institutions",
    *resource_columns(),
    Column("name", Text, nullable=False, index=True),
    Column("uscc", Text, nullable=False, index=True),
    Column("delivery", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("returned_reason", Text),
    CheckConstraint("state IN ('submitted', 'approved', 'returned', 'suspended', 'removed')", name="state"),
)

campuses = table("campuses", *resource_columns(), ForeignKeyConstraint(["institution_id"], ["institutions.id"]))

staff = table(
    "staff",
    *resource_columns(),
    Column("sealed", Text, nullable=False),
    Column("id_number_blind", Text, nullable=False),
    ForeignKeyConstraint(["institution_id"], ["institutions.id"]),
    UniqueConstraint("institution_id", "id_number_blind"),
)

materials = table("materials", *resource_columns(), ForeignKeyConstraint(["institution_id"], ["institutions.id"]))

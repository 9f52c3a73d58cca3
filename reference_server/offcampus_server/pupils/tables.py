"""Pupils and guardians; names, numbers, phones and days of birth only inside `sealed`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Text, UniqueConstraint

from offcampus_server.kernel.db import Json, resource_columns, table

pupils = table(
    "pupils",
    *resource_columns(),
    Column("sealed", Text, nullable=False),
    Column("id_number_blind", Text),
    ForeignKeyConstraint(["institution_id"], ["institutions.id"]),
    Index("ux_pupils_institution_number", "institution_id", "id_number_blind", unique=True),
)

guardians = table(
    "guardians",
    Column("id", Text, primary_key=True),
    Column("pupil_id", Text, ForeignKey("pupils.id"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("document", Json, nullable=False),
    UniqueConstraint("pupil_id", "external_id"),
)

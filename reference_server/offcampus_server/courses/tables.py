"""Tables of courses, classes and lessons. Columns are what decisions need; the rest stays in the document."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Text

from offcampus_server.kernel.db import Instant, Json, resource_columns, table

courses = table(
    "courses",
    *resource_columns(),
    Column("decision_id", Text, nullable=False),
    Column("returned_reason", Text),
    ForeignKeyConstraint(["institution_id"], ["institutions.id"]),
    CheckConstraint("state IN ('filed', 'on_sale', 'returned', 'withdrawn')", name="state"),
)

classes = table(
    "classes",
    *resource_columns(),
    Column("course_id", Text, ForeignKey("courses.id"), nullable=False, index=True),
    Column("teacher_ids", Json, nullable=False),
)

lessons = table(
    "lessons",
    *resource_columns(),
    Column("class_id", Text, ForeignKey("classes.id"), nullable=False, index=True),
    Column("course_id", Text, ForeignKey("courses.id"), nullable=False),
    Column("teacher_id", Text, nullable=False),
    Column("room_key", Text),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    CheckConstraint("state IN ('scheduled', 'cancelled')", name="state"),
    Index("ix_lessons_teacher", "teacher_id", "starts_at"),
    Index("ix_lessons_room", "room_key", "starts_at"),
)

"""What is decided about courses and lessons without looking anything up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from offcampus_rules import CourseFiling, LessonPlan, Scope

STAGES_STRICTEST_FIRST = ("preschool_3_6", "compulsory", "senior_high", "secondary_vocational")


@dataclass(frozen=True)
class Slot:
    """A lesson's place on the timetable; half-open."""

    lesson_id: str
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Slot) -> bool:
        """Two slots that share an instant; one that ends as the other starts does not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def clash(slot: Slot, others: Iterable[Slot]) -> Slot | None:
    """The first of the others that overlaps the slot."""
    return next((other for other in others if other.lesson_id != slot.lesson_id and slot.overlaps(other)), None)


def scope_of(course: Mapping[str, Any], region_code: str) -> Scope:
    """The rules' scope of a course. Where it serves several stages, that of the youngest children governs."""
    stage = next(name for name in STAGES_STRICTEST_FIRST if name in course["stages"])
    return Scope(region_code, course["sector"], stage, course["delivery"])  # type: ignore[arg-type]


def filing(course: Mapping[str, Any], region_code: str, filed_on: date, lease_until: date | None) -> CourseFiling:
    """The facts that the rules judge a course by."""
    return CourseFiling(
        scope=scope_of(course, region_code),
        subject=course["subject"],
        filed_on=filed_on,
        starts_on=date.fromisoformat(course["starts_on"]),
        ends_on=date.fromisoformat(course["ends_on"]),
        class_hours_centi=course["class_hours_centi"],
        gift_hours_centi=course["gift_hours_centi"],
        minutes_per_class_hour=course["minutes_per_class_hour"],
        lesson_minutes=course["lesson_minutes"],
        total_fen=sum(line["amount_fen"] for line in course["price_lines"]),
        charge_method=course["charge_method"],
        class_size_max=course["class_size_max"],
        venue_lease_until=lease_until,
    )


def plan(course: Mapping[str, Any], region_code: str, starts_at: datetime, ends_at: datetime) -> LessonPlan:
    """The facts that the rules judge a lesson by."""
    return LessonPlan(scope_of(course, region_code), course["subject"], starts_at, ends_at)

"""From the standard's documents to the facts that rules judge, and from their findings back to places in a document.

The platform and a product that checks before it sends read the same document the same way: they share these functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from offcampus_rules.calendar import SHANGHAI
from offcampus_rules.context import Charge, CourseFiling, LessonPlan, OpenOrder, Scope
from offcampus_rules.decision import Violation

STAGES_STRICTEST_FIRST = ("preschool_3_6", "compulsory", "senior_high", "secondary_vocational")
Document = Mapping[str, Any]


def scope_of(course: Document, region_code: str) -> Scope:
    """The rules' scope of a course. Where it serves several stages, that of the youngest children governs."""
    stage = next(name for name in STAGES_STRICTEST_FIRST if name in course["stages"])
    return Scope(region_code, course["sector"], stage, course["delivery"])  # type: ignore[arg-type]


def charge(
    order: Document, course: Document, region_code: str, signed_on: date, others: Sequence[OpenOrder],
    lease_until: date | None,
) -> Charge:  # fmt: skip
    """The facts that the pre-charge rules judge an order of a course by; every charge is paid into custody.

    Args:
        others: the pupil's other open orders of the subject at the institution.
        lease_until: until when the campus of the course is leased.
    """
    return Charge(
        scope=scope_of(course, region_code),
        subject=course["subject"],
        signed_on=signed_on,
        ordered_at=_instant(order["ordered_at"]),
        class_hours_centi=order["class_hours_centi"],
        gift_hours_centi=order["gift_hours_centi"],
        total_fen=order["total_fen"],
        service_from=date.fromisoformat(order["service_from"]),
        service_until=date.fromisoformat(order["service_until"]),
        charge_method=order["charge_method"],
        discount_fen=order["discount_fen"],
        renewal=order["renewal"],
        training_loan=order["training_loan"],
        open_orders=tuple(others),
        venue_lease_until=lease_until,
        class_size=course["class_size_max"],
        minutes_per_class_hour=course["minutes_per_class_hour"],
        payee_is_custody_account=True,
    )


def course_filing(course: Document, region_code: str, filed_on: date, lease_until: date | None) -> CourseFiling:
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


def lesson_plan(lesson: Document, course: Document, region_code: str) -> LessonPlan:
    """The facts that the rules judge a lesson by."""
    starts_at, ends_at = _instant(lesson["starts_at"]), _instant(lesson["ends_at"])
    return LessonPlan(scope_of(course, region_code), course["subject"], starts_at, ends_at)


def violation_of(entry: Violation) -> dict[str, Any]:
    """A violation of a rule as a violation of a problem: the fact becomes the place."""
    body = entry.to_json()
    fact = body.pop("fact")
    for name in ("source", "level", "region"):
        body.pop(name, None)
    return {"pointer": "/" + str(fact).replace(".", "/"), **body}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(SHANGHAI)

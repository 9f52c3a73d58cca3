"""What is decided about a consumption record from facts already loaded. Pure; raises the problem that refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from offcampus_rules import Consumption
from offcampus_spec import coherence

from offcampus_server.courses.service import Course, Lesson
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.problems import Problem, missing_reference, require_coherent, violation
from offcampus_server.orders.service import Order

WITH_LESSON = frozenset({"lesson", "make_up", "absence"})


def check_times(record: Mapping[str, Any], order: Order, now: datetime) -> None:
    """From before until, over before it is reported, and after the purchase."""
    starts, ends = parse(record["occurred_from"]), parse(record["occurred_until"])
    require_coherent(coherence.consumption_times(record))
    if ends > now or parse(record["notified_at"]) > now:
        raise _refused("consumption.in_future", "/occurred_until", record["occurred_until"])
    if starts < order.ordered_at:
        allowed = order.ordered_at.isoformat()
        raise _refused("consumption.before_purchase", "/occurred_from", record["occurred_from"], allowed)


def check_order(record: Mapping[str, Any], order: Order | None, institution_ids: frozenset[str]) -> Order:
    """The order exists, is of the reporting institution, and is open for consumption at that time."""
    institution_id = record["institution_id"]
    if institution_id not in institution_ids:
        raise missing_reference("/institution_id", institution_id)
    if order is None or order.institution_id != institution_id:
        raise missing_reference("/order_id", record["order_id"])
    before_request = (
        order.state == "refunding"
        and order.refund_requested_at is not None
        and parse(record["occurred_until"]) <= order.refund_requested_at
    )
    if order.state != "paid" and not before_request:
        raise _refused("consumption.order_not_payable", "/order_id", order.state, "paid")
    return order


def check_lesson(record: Mapping[str, Any], lesson: Lesson | None, order: Order) -> None:
    """The lesson exists, takes place, belongs to the order's course, on that day, with at least those hours."""
    if record["type"] not in WITH_LESSON:
        return
    if lesson is None or lesson.institution_id != order.institution_id or lesson.course_id != order.course_id:
        raise missing_reference("/lesson_id", record.get("lesson_id"))
    if lesson.state != "scheduled":
        raise _refused("resource.state", "/lesson_id", lesson.state, "scheduled")
    if record["class_hours_centi"] > lesson.class_hours_centi:
        given, most = record["class_hours_centi"], lesson.class_hours_centi
        raise _refused("consumption.exceeds_lesson", "/class_hours_centi", given, most)
    if parse(record["occurred_from"]).date() != lesson.starts_at.date():
        allowed = lesson.starts_at.date().isoformat()
        raise _refused("consumption.time_mismatch", "/occurred_from", record["occurred_from"], allowed)


def check_balance(record: Mapping[str, Any], left_centi: int) -> None:
    """Not more hours than are left."""
    if record["class_hours_centi"] > left_centi:
        raise _refused("consumption.exceeds_balance", "/class_hours_centi", record["class_hours_centi"], left_centi)


def check_teacher(record: Mapping[str, Any], employers: Mapping[str, str], campuses: Mapping[str, str]) -> None:
    """Who taught works at the institution, and where is one of its campuses."""
    institution_id = record["institution_id"]
    if "teacher_id" in record and employers.get(record["teacher_id"]) != institution_id:
        raise missing_reference("/teacher_id", record["teacher_id"])
    campus = record.get("place", {}).get("campus_id")
    if campus is not None and campuses.get(campus) != institution_id:
        raise missing_reference("/place/campus_id", campus)


def facts(record: Mapping[str, Any], order: Order, course: Course, left_centi: int, now: datetime) -> Consumption:
    """The facts that the rules judge a record by."""
    return Consumption(
        scope=course.scope,
        subject=course.subject,
        type=record["type"],
        signed_on=order.signed_on,
        purchased_at=order.ordered_at,
        occurred_from=parse(record["occurred_from"]),
        occurred_until=parse(record["occurred_until"]),
        reported_at=now,
        class_hours_centi=record["class_hours_centi"],
        balance_centi=left_centi,
        minutes_per_class_hour=course.minutes_per_class_hour,
        proof_kind=record["proof"]["kind"],
        has_teacher="teacher_id" in record,
        has_lesson="lesson_id" in record,
    )


def _refused(code: str, pointer: str, given: Any, allowed: Any = None) -> Problem:
    return Problem(code, violations=[violation(code, pointer, given=given, allowed=allowed)])

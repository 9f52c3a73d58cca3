"""Facts of a lesson on the timetable, of a consumption record, of a person who teaches."""

from __future__ import annotations

from datetime import timedelta

from offcampus_rules.calendar import classify, shanghai_date
from offcampus_rules.context import Consumption, LessonPlan
from offcampus_rules.facts.vocabulary import Fact, end_second, minutes, told, vocabulary


def _day_doubt(case: LessonPlan | Consumption) -> tuple[str, str] | None:
    """Beyond the last year with a holiday notice only weekends can be told."""
    day = shanghai_date(case.starts_at if isinstance(case, LessonPlan) else case.occurred_from)
    if classify(day).known:
        return None
    return (
        f"{day.year} 年放假安排未载入，仅按周末判断",
        f"no holiday notice for {day.year} is loaded: only weekends are judged",
    )


def _taught_centi(case: Consumption) -> int:
    """Hours the time taught amounts to; a fraction of a hundredth is cut off, never rounded up."""
    seconds = (case.occurred_until - case.occurred_from) // timedelta(seconds=1)
    return seconds * 100 // (60 * case.minutes_per_class_hour)


LESSON = vocabulary(
    {
        "day_kind": "/starts_at",
        "lesson_on": "/starts_at",
        "starts_at_second": "/starts_at",
        "ends_at_second": "/ends_at",
        "lesson_minutes": "/ends_at",
        "break_minutes": "/starts_at",
        "clashes_with_school": "/starts_at",
        "in_vacation": "/starts_at",
        "teacher_elsewhere": "/teacher_id",
    },
    Fact("day_kind", "option", lambda case: classify(shanghai_date(case.starts_at)).kind, doubt=_day_doubt),
    Fact("lesson_on", "date", lambda case: shanghai_date(case.starts_at)),
    Fact("starts_at_second", "second_of_day", lambda case: end_second(case.starts_at, case.starts_at)),
    Fact("ends_at_second", "second_of_day", lambda case: end_second(case.starts_at, case.ends_at)),
    Fact("lesson_minutes", "minutes", lambda case: minutes(case.starts_at, case.ends_at)),
    Fact("break_minutes", "minutes", lambda case: case.break_before_minutes),
    told("clashes_with_school", "flag"),
    told("in_vacation", "flag"),
    told("teacher_elsewhere", "flag"),
    told("room_taken", "flag"),
    told("class_size", "count"),
    told("teachers_present", "count"),
    told("area_per_pupil_centi_m2", "centi_m2"),
)

CONSUMPTION = vocabulary(
    {
        "type": "/type",
        "proof_kind": "/proof/kind",
        "hours_centi": "/class_hours_centi",
        "started_at": "/occurred_from",
        "ended_at": "/occurred_until",
        "is_purchased": "/order_id",
        "has_teacher": "/teacher_id",
        "has_lesson": "/lesson_id",
        "day_kind": "/occurred_from",
        "lesson_on": "/occurred_from",
        "ends_at_second": "/occurred_until",
        "lesson_minutes": "/occurred_until",
        "clashes_with_school": "/occurred_from",
        "in_vacation": "/occurred_from",
        "teacher_elsewhere": "/teacher_id",
        "venue_closed": "/occurred_from",
    },
    Fact("type", "option", lambda case: case.type),
    Fact("proof_kind", "option", lambda case: case.proof_kind),
    Fact("hours_centi", "centi_hours", lambda case: case.class_hours_centi),
    Fact("smallest_centi", "centi_hours", lambda _: 1),
    Fact("balance_centi", "centi_hours", lambda case: case.balance_centi),
    Fact("taught_centi", "centi_hours", _taught_centi),
    Fact("started_at", "instant", lambda case: case.occurred_from),
    Fact("ended_at", "instant", lambda case: case.occurred_until),
    Fact("reported_at", "instant", lambda case: case.reported_at),
    Fact("purchased_at", "instant", lambda case: case.purchased_at),
    Fact("is_purchased", "flag", lambda case: case.purchased_at is not None),
    Fact("has_teacher", "flag", lambda case: case.has_teacher),
    Fact("has_lesson", "flag", lambda case: case.has_lesson),
    Fact("day_kind", "option", lambda case: classify(shanghai_date(case.occurred_from)).kind, doubt=_day_doubt),
    Fact("lesson_on", "date", lambda case: shanghai_date(case.occurred_from)),
    Fact("reported_on", "date", lambda case: shanghai_date(case.reported_at)),
    Fact("ends_at_second", "second_of_day", lambda case: end_second(case.occurred_from, case.occurred_until)),
    Fact("lesson_minutes", "minutes", lambda case: minutes(case.occurred_from, case.occurred_until)),
    told("clashes_with_school", "flag"),
    told("in_vacation", "flag"),
    told("teacher_elsewhere", "flag"),
    told("venue_closed", "flag"),
)

STAFF = vocabulary(
    {
        "role": "/role",
        "asked_on": "/clearance/checked_on",
        "cleared_on": "/clearance/checked_on",
        "is_cleared": "/clearance",
        "clearance_hit": "/clearance/result",
    },
    Fact("role", "option", lambda case: case.role),
    told("qualification", "option"),
    Fact("asked_on", "date", lambda case: case.asked_on),
    Fact("hired_on", "date", lambda case: case.hired_on),
    Fact("is_hired", "flag", lambda case: case.hired_on is not None),
    Fact("cleared_on", "date", lambda case: case.cleared_on),
    Fact("is_cleared", "flag", lambda case: case.cleared_on is not None),
    told("clearance_hit", "flag"),
    told("blacklisted", "flag"),
    told("barred_by_record", "flag"),
    told("in_service_teacher", "flag"),
    told("foreigner_abroad", "flag"),
    told("consented_to_query", "flag"),
    told("made_public", "flag"),
    told("fulltime_share_ppm", "ppm"),
    told("fulltime_per_pupil_ppm", "ppm"),
    told("training_hours_centi", "centi_hours"),
    told("experience_years", "count"),
)

"""The vocabulary of rules: every fact a rule file may name, per gate, with its unit.

A fact is read from a context by a pure function. None means that the fact does not arise (owned premises have no
lease): a rule about it is then not applicable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from offcampus_rules.calendar import SHANGHAI, classify, shanghai_date
from offcampus_rules.context import Charge, Consumption, CourseFiling, LessonPlan, Release
from offcampus_rules.units import FactUnit, FactValue


@dataclass(frozen=True, slots=True)
class Fact:
    """A name a rule may use. `unit` decides which parameters it can be compared with.

    `pointer` is the member of the request that a sender would change (a JSON pointer in the standard's resource);
    None: the fact stands in another resource. `doubt` answers (zh, en) when the fact is less than certain in a case.
    """

    name: str
    unit: FactUnit
    read: Callable[[Any], FactValue]
    pointer: str | None = None
    doubt: Callable[[Any], tuple[str, str] | None] | None = None


def _named(pointers: Mapping[str, str], *facts: tuple[str, FactUnit, Callable[[Any], FactValue]]) -> Mapping[str, Fact]:
    common: tuple[tuple[str, FactUnit, Callable[[Any], FactValue]], ...] = (
        ("sector", "option", lambda case: case.scope.sector),
        ("stage", "option", lambda case: case.scope.stage),
        ("delivery", "option", lambda case: case.scope.delivery),
    )
    return {
        name: Fact(name, unit, read, pointers.get(name), _DOUBTS.get(name)) for name, unit, read in (*common, *facts)
    }


def _day_doubt(case: LessonPlan | Consumption) -> tuple[str, str] | None:
    """Beyond the last year with a holiday notice only weekends can be told."""
    day = shanghai_date(case.starts_at if isinstance(case, LessonPlan) else case.occurred_from)
    if classify(day).known:
        return None
    return (
        f"{day.year} 年放假安排未载入，仅按周末判断",
        f"no holiday notice for {day.year} is loaded: only weekends are judged",
    )


_DOUBTS: Mapping[str, Callable[[Any], tuple[str, str] | None]] = {"day_kind": _day_doubt}


def _new_hours(case: Charge) -> int:
    return case.class_hours_centi + case.gift_hours_centi


def _subject_hours(case: Charge) -> int:
    """This charge's hours, gift hours included, and what earlier orders of the subject have left.

    A renewal adds to an order that has begun: whether it comes too early is a rule of its own (hours left), so what
    the renewed order has left is not counted twice. An order that has not begun is a split contract and is counted.
    """
    others = sum(
        order.remaining_centi
        for order in case.open_orders
        if order.subject == case.subject and not (case.renewal and order.consumed_centi > 0)
    )
    return _new_hours(case) + others


def _subject_left(case: Charge) -> int:
    return sum(order.remaining_centi for order in case.open_orders if order.subject == case.subject)


def _end_second(starts_at: datetime, ends_at: datetime) -> int:
    """Seconds from midnight of the day the lesson STARTS: one that ends after midnight ends late, not early."""
    start = starts_at.astimezone(SHANGHAI)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    span = ends_at - midnight
    return -(-span // timedelta(seconds=1))


def _minutes(starts_at: datetime, ends_at: datetime) -> int:
    """Whole minutes, a begun minute counted (the limit is inclusive)."""
    return -(-(ends_at - starts_at) // timedelta(minutes=1))


def _taught_centi(case: Consumption) -> int:
    """Hours the time taught amounts to; a fraction of a hundredth is cut off, never rounded up."""
    seconds = (case.occurred_until - case.occurred_from) // timedelta(seconds=1)
    return seconds * 100 // (60 * case.minutes_per_class_hour)


def _earned_fen(case: Release) -> int:
    """The share of the price that confirmed hours have earned, cut to whole fen; gifts taught last earn no more."""
    confirmed = min(case.confirmed_centi, case.total_centi)
    return case.paid_fen * confirmed // case.total_centi if case.total_centi else 0


CHARGE = _named(
    {
        "amount_fen": "/total_fen",
        "charge_hours_centi": "/class_hours_centi",
        "subject_hours_centi": "/class_hours_centi",
        "subject_left_centi": "/renewal",
        "charge_method": "/charge_method",
        "renewal": "/renewal",
        "training_loan": "/training_loan",
        "ordered_on": "/ordered_at",
        "service_from": "/service_from",
        "service_until": "/service_until",
        "last_service_on": "/service_until",
        "sector": "/course_id",
        "stage": "/course_id",
        "delivery": "/course_id",
        "signed_on": "/contract_id",
    },
    ("amount_fen", "fen", lambda case: case.total_fen),
    ("charge_hours_centi", "centi_hours", _new_hours),
    ("subject_hours_centi", "centi_hours", _subject_hours),
    ("subject_left_centi", "centi_hours", _subject_left),
    ("charge_method", "option", lambda case: case.charge_method),
    ("renewal", "flag", lambda case: case.renewal),
    ("training_loan", "flag", lambda case: case.training_loan),
    ("paid_in_cash", "flag", lambda case: case.paid_in_cash),
    ("signed_on", "date", lambda case: case.signed_on),
    ("ordered_on", "date", lambda case: shanghai_date(case.ordered_at)),
    ("service_from", "date", lambda case: case.service_from),
    ("service_until", "date", lambda case: case.service_until),
    ("last_service_on", "date", lambda case: case.service_until - timedelta(days=1)),
    ("venue_lease_until", "date", lambda case: case.venue_lease_until),
)

COURSE = _named(
    {
        "amount_fen": "/price_lines",
        "charge_hours_centi": "/class_hours_centi",
        "charge_method": "/charge_method",
        "class_size": "/class_size_max",
        "lesson_minutes": "/lesson_minutes",
        "minutes_per_class_hour": "/minutes_per_class_hour",
        "service_from": "/starts_on",
        "last_service_on": "/ends_on",
        "sector": "/sector",
        "stage": "/stages",
        "delivery": "/delivery",
    },
    ("amount_fen", "fen", lambda case: case.total_fen),
    ("charge_hours_centi", "centi_hours", lambda case: case.class_hours_centi + case.gift_hours_centi),
    ("charge_method", "option", lambda case: case.charge_method),
    ("class_size", "count", lambda case: case.class_size_max),
    ("lesson_minutes", "minutes", lambda case: case.lesson_minutes),
    ("minutes_per_class_hour", "minutes", lambda case: case.minutes_per_class_hour),
    ("service_from", "date", lambda case: case.starts_on),
    ("last_service_on", "date", lambda case: case.ends_on),
    ("venue_lease_until", "date", lambda case: case.venue_lease_until),
)

LESSON = _named(
    {
        "day_kind": "/starts_at",
        "ends_at_second": "/ends_at",
        "lesson_minutes": "/ends_at",
        "break_minutes": "/starts_at",
    },
    ("day_kind", "option", lambda case: classify(shanghai_date(case.starts_at)).kind),
    ("ends_at_second", "second_of_day", lambda case: _end_second(case.starts_at, case.ends_at)),
    ("lesson_minutes", "minutes", lambda case: _minutes(case.starts_at, case.ends_at)),
    ("break_minutes", "minutes", lambda case: case.break_before_minutes),
)

CONSUMPTION = _named(
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
        "ends_at_second": "/occurred_until",
        "lesson_minutes": "/occurred_until",
    },
    ("type", "option", lambda case: case.type),
    ("proof_kind", "option", lambda case: case.proof_kind),
    ("hours_centi", "centi_hours", lambda case: case.class_hours_centi),
    ("smallest_centi", "centi_hours", lambda _: 1),
    ("balance_centi", "centi_hours", lambda case: case.balance_centi),
    ("taught_centi", "centi_hours", _taught_centi),
    ("started_at", "instant", lambda case: case.occurred_from),
    ("ended_at", "instant", lambda case: case.occurred_until),
    ("reported_at", "instant", lambda case: case.reported_at),
    ("purchased_at", "instant", lambda case: case.purchased_at),
    ("is_purchased", "flag", lambda case: case.purchased_at is not None),
    ("has_teacher", "flag", lambda case: case.has_teacher),
    ("has_lesson", "flag", lambda case: case.has_lesson),
    ("day_kind", "option", lambda case: classify(shanghai_date(case.occurred_from)).kind),
    ("ends_at_second", "second_of_day", lambda case: _end_second(case.occurred_from, case.occurred_until)),
    ("lesson_minutes", "minutes", lambda case: _minutes(case.occurred_from, case.occurred_until)),
)

RELEASE = _named(
    {},
    ("amount_fen", "fen", lambda case: case.amount_fen),
    ("released_after_fen", "fen", lambda case: case.released_fen + case.amount_fen),
    ("earned_fen", "fen", _earned_fen),
    ("mode", "option", lambda case: case.mode),
)

VOCABULARY: Mapping[str, Mapping[str, Fact]] = {
    "charge": CHARGE,
    "course": COURSE,
    "lesson": LESSON,
    "consumption": CONSUMPTION,
    "release": RELEASE,
}

CONTEXTS: Mapping[str, type] = {
    "charge": Charge,
    "course": CourseFiling,
    "lesson": LessonPlan,
    "consumption": Consumption,
    "release": Release,
}

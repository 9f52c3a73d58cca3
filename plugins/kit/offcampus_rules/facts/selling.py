"""Facts of a pre-charge and of a course filing."""

from __future__ import annotations

from datetime import date, timedelta

from offcampus_rules.calendar import shanghai_date
from offcampus_rules.context import Charge, CourseFiling
from offcampus_rules.facts.vocabulary import Fact, told, vocabulary


def _new_hours(case: Charge) -> int:
    return case.class_hours_centi + case.gift_hours_centi


def _subject_hours(case: Charge) -> int:
    """This charge's hours, gift hours included, and what earlier orders of the subject have left.

    A renewal adds to an order that has begun: whether it comes too early is a rule of its own (hours left), so what
    the renewed order has left is not counted twice. An order that has not begun is a split contract and is counted.
    """
    if not case.open_orders:
        return _new_hours(case)
    others = sum(
        order.remaining_centi
        for order in case.open_orders
        if order.subject == case.subject and not (case.renewal and order.consumed_centi > 0)
    )
    return _new_hours(case) + others


def _subject_left(case: Charge) -> int:
    return sum(order.remaining_centi for order in case.open_orders if order.subject == case.subject)


def _own_county(case: Charge) -> bool | None:
    return None if case.account_region is None else case.account_region == case.scope.region


def _minutes_centi(case: Charge) -> int | None:
    """Hundredths of the minutes that are paid for; gift hours are no reason to charge more."""
    minutes = case.minutes_per_class_hour
    return None if minutes is None else case.class_hours_centi * minutes


CHARGE = vocabulary(
    {
        "amount_fen": "/total_fen",
        "charge_hours_centi": "/class_hours_centi",
        "subject_hours_centi": "/class_hours_centi",
        "subject_left_centi": "/renewal",
        "gift_hours_centi": "/gift_hours_centi",
        "filed_price_fen": "/discount_fen",
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
    Fact("amount_fen", "fen", lambda case: case.total_fen),
    Fact("filed_price_fen", "fen", lambda case: case.total_fen + case.discount_fen),
    Fact("charge_hours_centi", "centi_hours", _new_hours),
    Fact("subject_hours_centi", "centi_hours", _subject_hours),
    Fact("subject_left_centi", "centi_hours", _subject_left),
    Fact("gift_hours_centi", "centi_hours", lambda case: case.gift_hours_centi),
    Fact("charge_method", "option", lambda case: case.charge_method),
    Fact("renewal", "flag", lambda case: case.renewal),
    Fact("training_loan", "flag", lambda case: case.training_loan),
    Fact("paid_in_cash", "flag", lambda case: case.paid_in_cash),
    Fact("pay_after_class", "flag", lambda case: case.pay_after_class),
    Fact("prepaid", "flag", lambda case: not case.pay_after_class),
    Fact("signed_on", "date", lambda case: case.signed_on),
    Fact("ordered_on", "date", lambda case: shanghai_date(case.ordered_at)),
    Fact("service_from", "date", lambda case: case.service_from),
    Fact("service_until", "date", lambda case: case.service_until),
    Fact("last_service_on", "date", lambda case: case.service_until - timedelta(days=1)),
    Fact("venue_lease_until", "date", lambda case: case.venue_lease_until),
    Fact("account_in_own_county", "flag", _own_county, may_be_untold=True),
    told("area", "option"),
    told("class_size", "count"),
    told("minutes_per_class_hour", "minutes"),
    Fact("minutes_centi", "centi_minutes", _minutes_centi, may_be_untold=True),
    told("list_status", "option"),
    told("payee_is_custody_account", "flag"),
    told("payee_gives_the_lessons", "flag"),
    told("holds_postpay_exemption", "flag"),
    told("sale_suspended", "flag"),
    told("fund_location", "option"),
)


def _lease_over(case: CourseFiling) -> date | None:
    """The first day without the lease: a term of years counted from a day ends there."""
    return None if case.venue_lease_until is None else case.venue_lease_until + timedelta(days=1)


COURSE = vocabulary(
    {
        "amount_fen": "/price_lines",
        "charge_hours_centi": "/class_hours_centi",
        "gift_hours_centi": "/gift_hours_centi",
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
    Fact("amount_fen", "fen", lambda case: case.total_fen),
    Fact("charge_hours_centi", "centi_hours", lambda case: case.class_hours_centi + case.gift_hours_centi),
    Fact("gift_hours_centi", "centi_hours", lambda case: case.gift_hours_centi),
    Fact("charge_method", "option", lambda case: case.charge_method),
    Fact("class_size", "count", lambda case: case.class_size_max),
    Fact("lesson_minutes", "minutes", lambda case: case.lesson_minutes),
    Fact("minutes_per_class_hour", "minutes", lambda case: case.minutes_per_class_hour),
    Fact("minutes_centi", "centi_minutes", lambda case: case.class_hours_centi * case.minutes_per_class_hour),
    Fact("filed_on", "date", lambda case: case.filed_on),
    Fact("service_from", "date", lambda case: case.starts_on),
    Fact("last_service_on", "date", lambda case: case.ends_on),
    Fact("venue_lease_until", "date", lambda case: case.venue_lease_until),
    Fact("venue_lease_over_on", "date", _lease_over),
    told("area", "option"),
    told("list_status", "option"),
    told("day_form", "option"),
    told("area_per_pupil_centi_m2", "centi_m2"),
    told("site_area_centi_m2", "centi_m2"),
    told("teaching_area_ppm", "ppm"),
    told("site_floor", "count"),
    told("teachers_per_class", "count"),
    told("material_filed", "flag"),
    told("sale_suspended", "flag"),
)

"""Every hook, each with something that data cannot say: a share of two facts, a division with a rest, a step of states.

Each speaks only where its parameter is set (the synthetic city 991200), so that the cases of the data stay undisturbed.
"""

from __future__ import annotations

from datetime import time, timedelta, timezone

from offcampus_rules.context import (
    Charge,
    Confirmation,
    Consumption,
    CourseFiling,
    InstitutionWindow,
    InstitutionYear,
    LessonPlan,
    ListChange,
    ListReview,
    PriceRequest,
    RefundRefusal,
    RefundRequest,
    Release,
    ReleasePlanRequest,
    ReserveCase,
    StaffRecord,
)
from offcampus_rules.hookspecs import (
    Case,
    CreditFactor,
    FieldSpec,
    Finding,
    Findings,
    Indicator,
    LastDay,
    ListProposal,
    PlanProposal,
    PlanStep,
    RefundProposal,
    Sum,
    WarningLevel,
    hookimpl,
)

_SHANGHAI = timezone(timedelta(hours=8))
_MILLION = 1_000_000


@hookimpl
def check_charge(case: Case[Charge]) -> Findings:
    """Gift hours may not exceed a share of the hours that are paid for."""
    share, given = case.value("hooked.gift_share_ppm").value, case.facts.gift_hours_centi
    most = case.facts.class_hours_centi * share // _MILLION if isinstance(share, int) else given
    if given <= most:
        return ()
    return (
        Finding(
            "SYN-HKC-001", "stress.too_many_gifts", "M-07.3",
            "gift_hours_centi", given, most, "centi_hours", "at_most", "hooked.gift_share_ppm",
        ),
    )  # fmt: skip


@hookimpl
def check_course(case: Case[CourseFiling]) -> Findings:
    """An hour costs whole fen, so that releases by lesson leave no remainder."""
    hours, rest = divmod(case.facts.class_hours_centi, 100)
    given = case.facts.total_fen
    if case.value("hooked.whole_fen_an_hour").value is not True or rest or not hours or given % hours == 0:
        return ()
    return (
        Finding(
            "SYN-HKC-002", "stress.hour_has_fractions", "M-07.4",
            "amount_fen", given, given // hours * hours, "fen", "at_most", "hooked.whole_fen_an_hour",
        ),
    )  # fmt: skip


@hookimpl
def check_lesson(case: Case[LessonPlan]) -> Findings:
    """The part of a lesson after six in the evening is short; the part before does not count."""
    most = case.value("hooked.evening_minutes_max").value
    start = case.facts.starts_at.astimezone(_SHANGHAI)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    given = -(-(case.facts.ends_at - midnight) // timedelta(seconds=1))
    if not isinstance(most, int):
        return ()
    counted_from = max((start - midnight) // timedelta(seconds=1), 18 * 3600)
    if given <= counted_from + most * 60:
        return ()
    return (
        Finding(
            "SYN-HKL-001", "stress.evening_too_long", "M-07.4",
            "ends_at_second", given, counted_from + most * 60, "second_of_day", "at_most", "hooked.evening_minutes_max",
        ),
    )  # fmt: skip


@hookimpl
def check_staff(case: Case[StaffRecord]) -> Findings:
    """Who teaches without a certificate has taught for years."""
    years, given = case.value("hooked.years_without_certificate").value, case.facts.experience_years
    if not isinstance(years, int) or (case.facts.role, case.facts.qualification) != ("teaching", "none"):
        return ()
    if given is None or given >= years:
        return ()
    return (
        Finding(
            "SYN-HKS-001", "stress.too_little_experience", "M-07.1",
            "experience_years", given, years, "count", "at_least", "hooked.years_without_certificate",
        ),
    )  # fmt: skip


@hookimpl
def check_consumption(case: Case[Consumption]) -> Findings:
    """At night nobody teaches: a lesson reported then without teacher and timetable is a clearing of old balances."""
    begins, facts = case.value("hooked.night_begins").value, case.facts
    if not isinstance(begins, str) or facts.type != "lesson" or facts.has_teacher or facts.has_lesson:
        return ()
    if time(6) <= facts.occurred_from.astimezone(_SHANGHAI).time() < time.fromisoformat(begins):
        return ()
    return (
        Finding(
            "SYN-HKC-003", "stress.taught_at_night", "M-07.2",
            "type", facts.type, ("forfeit",), "option", "one_of", "hooked.night_begins",
        ),
    )  # fmt: skip


@hookimpl
def check_release(case: Case[Release]) -> Findings:
    """After a release the account keeps more than what is unconsumed, by a share."""
    share = case.value("hooked.cash_after_share_ppm").value
    left, owed = case.facts.custody_after_fen, case.facts.unconsumed_after_fen
    if not isinstance(share, int) or left is None or owed is None or left >= -(-owed * share // _MILLION):
        return ()
    return (
        Finding(
            "SYN-HKR-001", "stress.too_little_stays", "M-18.1",
            "custody_after_fen", left, -(-owed * share // _MILLION), "fen", "at_least", "hooked.cash_after_share_ppm",
        ),
    )  # fmt: skip


@hookimpl
def check_refund_refusal(case: Case[RefundRefusal]) -> Findings:
    """Some grounds count only when the institution shows what was taught."""
    grounds, facts = case.value("hooked.grounds_refused").value, case.facts
    if not isinstance(grounds, tuple) or facts.ground not in grounds or facts.hours_proof:
        return ()
    return (
        Finding(
            "SYN-HKF-001", "stress.ground_not_accepted", "M-18.2",
            "ground", facts.ground, grounds, "option", "none_of", "hooked.grounds_refused",
        ),
    )  # fmt: skip


@hookimpl
def check_list_change(case: Case[ListChange]) -> Findings:
    """From the black list nobody goes straight to the white one."""
    way = case.value("hooked.steps_back_to_white").value
    if way != "through_removed" or (case.facts.before, case.facts.to) != ("black", "white"):
        return ()
    return (
        Finding(
            "SYN-HKN-001", "stress.list_step_skipped", "M-12.1",
            "to", case.facts.to, ("removed", "black"), "option", "one_of", "hooked.steps_back_to_white",
        ),
    )  # fmt: skip


@hookimpl
def confirmation_due(case: Case[Confirmation]) -> tuple[LastDay, ...]:
    """Silence never confirms sooner than some natural days after the notice."""
    days, notified = case.value("hooked.confirm_after").value, case.facts.notified_at
    if not isinstance(days, int) or notified is None:
        return ()
    return (LastDay(notified.astimezone(_SHANGHAI).date() + timedelta(days=days), "hooked.confirm_after"),)


@hookimpl
def release_plan(case: Case[ReleasePlanRequest]) -> tuple[PlanProposal, ...]:
    """3:3:4 over three equal parts of the term."""
    if case.value("hooked.plan_in_thirds").value is not True:
        return ()
    start, days = case.facts.service_from, (case.facts.service_until - case.facts.service_from).days
    steps = ((0, 300_000), (-(-days // 3), 600_000), (-(-2 * days // 3), _MILLION))
    return (
        PlanProposal(
            tuple(PlanStep(start + timedelta(days=day), share) for day, share in steps), "hooked.plan_in_thirds"
        ),
    )


@hookimpl
def refund_terms(case: Case[RefundRequest]) -> tuple[RefundProposal, ...]:
    """Refunds for which the institution is at fault are paid within days."""
    days = case.value("hooked.refund_within").value
    if not isinstance(days, int) or case.facts.reason not in ("institution_fault", "institution_closed"):
        return ()
    last = case.facts.requested_at.astimezone(_SHANGHAI).date() + timedelta(days=days)
    return (RefundProposal("hooked.refund_within", last_day=last),)


@hookimpl
def price_limit(case: Case[PriceRequest]) -> tuple[Sum, ...]:
    """Small classes cost at most so much an hour, whatever the table says."""
    price = case.value("hooked.hour_price_fen").value
    if not isinstance(price, int) or case.facts.class_size > 5:
        return ()
    return (Sum(case.facts.class_hours_centi * price // 100, "hooked.hour_price_fen"),)


@hookimpl
def reserve_required(case: Case[ReserveCase]) -> tuple[Sum, ...]:
    """A share of what is unconsumed, and all of what was taken before supervision began."""
    share, facts = case.value("hooked.reserve_share_ppm").value, case.facts
    if not isinstance(share, int):
        return ()
    kept = -(-facts.unconsumed_fen * share // _MILLION)
    return (Sum(kept + facts.legacy_unconsumed_fen, "hooked.reserve_share_ppm"),)


@hookimpl
def risk_indicators(case: Case[InstitutionWindow]) -> tuple[Indicator, ...]:
    """The account holds less than a share of what is unconsumed; the less, the graver."""
    share = case.value("hooked.balance_share_ppm").value
    held, owed = case.facts.custody_balance_fen, case.facts.unconsumed_fen
    if not isinstance(share, int) or held is None or owed is None:
        return ()
    least = -(-owed * share // _MILLION)
    if held >= least:
        return ()
    severity = 5 if held * 2 < least else 3
    return (Indicator("SYN-HKK-001", "custody_balance_fen", held, least, "fen", severity, "hooked.balance_share_ppm"),)


@hookimpl
def credit_factors(case: Case[InstitutionYear]) -> tuple[CreditFactor, ...]:
    """A veto of the year takes the points of every factor."""
    points = case.value("hooked.veto_points_ppm").value
    if not isinstance(points, int) or not case.facts.vetoes:
        return ()
    return tuple(CreditFactor(score.factor, points, "hooked.veto_points_ppm") for score in case.facts.scores)


@hookimpl
def list_transitions(case: Case[ListReview]) -> tuple[ListProposal, ...]:
    """Off the white list for too long without having put things right: somebody should look at the black list."""
    months, facts = case.value("hooked.months_to_rectify").value, case.facts
    if not isinstance(months, int) or facts.removed_on is None or facts.rectified:
        return ()
    elapsed = (facts.asked_on.year - facts.removed_on.year) * 12 + facts.asked_on.month - facts.removed_on.month
    if (elapsed, facts.asked_on.day) <= (months, facts.removed_on.day):
        return ()
    return (ListProposal("black", "hooked.months_to_rectify"),)


@hookimpl
def disclosure_fields() -> tuple[FieldSpec, ...]:
    """What the synthetic province publishes beside the national file."""
    policy = {
        "type": "string",
        "pattern": "^[0-9A-Z]{8,20}$",
        "title": "Policy",
        "x-title-zh": "保单号",
        "x-published": True,
    }
    return (FieldSpec("x-stress", "insurance_policy", policy),)


@hookimpl
def warning_levels() -> tuple[WarningLevel, ...]:
    """Three levels, each from more points than the one before."""
    return (
        WarningLevel("blue", 1, 2, "蓝色预警", "Blue warning", "hooked.balance_share_ppm"),
        WarningLevel("yellow", 2, 5, "黄色预警", "Yellow warning", "hooked.balance_share_ppm"),
        WarningLevel("red", 3, 8, "红色预警", "Red warning", "hooked.balance_share_ppm"),
    )

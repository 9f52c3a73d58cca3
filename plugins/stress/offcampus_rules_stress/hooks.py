"""Every hook, each with something that data cannot say: a ratio of two facts, a sum of several, a step between states.

Each speaks only where its parameter is set (the synthetic city 991200), so that the cases of the data stay undisturbed.
"""

from __future__ import annotations

from datetime import time, timedelta

from offcampus_rules.calendar import SHANGHAI
from offcampus_rules.context import (
    Charge,
    Consumption,
    CourseFiling,
    LessonPlan,
    ListChange,
    RefundRefusal,
    Release,
    StaffRecord,
)
from offcampus_rules.hookspecs import Case, Finding, Findings, hookimpl

_MILLION = 1_000_000


@hookimpl
def check_charge(case: Case[Charge]) -> Findings:
    """Gift hours may not exceed a share of the hours that are paid for."""
    share = case.value("hooked.gift_share_ppm").value
    most = case.facts.class_hours_centi * share // _MILLION if isinstance(share, int) else None
    if most is None or case.facts.gift_hours_centi <= most:
        return ()
    return (
        Finding(
            rule="SYN-HKC-001",
            code="stress.too_many_gifts",
            requirement="M-07.3",
            fact="gift_hours_centi",
            given=case.facts.gift_hours_centi,
            allowed=most,
            unit="centi_hours",
            must_be="at_most",
            parameter="hooked.gift_share_ppm",
        ),
    )


@hookimpl
def check_course(case: Case[CourseFiling]) -> Findings:
    """An hour costs whole fen, so that releases by lesson leave no remainder."""
    hours, rest = divmod(case.facts.class_hours_centi, 100)
    if case.value("hooked.whole_fen_an_hour").value is not True or rest or not hours:
        return ()
    if case.facts.total_fen % hours == 0:
        return ()
    return (
        Finding(
            rule="SYN-HKC-002",
            code="stress.hour_has_fractions",
            requirement="M-07.4",
            fact="amount_fen",
            given=case.facts.total_fen,
            allowed=case.facts.total_fen // hours * hours,
            unit="fen",
            must_be="at_most",
            parameter="hooked.whole_fen_an_hour",
        ),
    )


@hookimpl
def check_lesson(case: Case[LessonPlan]) -> Findings:
    """The part of a lesson after six in the evening is short."""
    most = case.value("hooked.evening_minutes_max").value
    start = case.facts.starts_at.astimezone(SHANGHAI)
    six = start.replace(hour=18, minute=0, second=0, microsecond=0)
    minutes = -(-(case.facts.ends_at - max(start, six)) // timedelta(minutes=1))
    if not isinstance(most, int) or minutes <= most:
        return ()
    return (
        Finding(
            rule="SYN-HKL-001",
            code="stress.evening_too_long",
            requirement="M-07.4",
            fact="lesson_minutes",
            given=minutes,
            allowed=most,
            unit="minutes",
            must_be="at_most",
            parameter="hooked.evening_minutes_max",
        ),
    )


@hookimpl
def check_staff(case: Case[StaffRecord]) -> Findings:
    """Who teaches without a certificate has taught for years."""
    years = case.value("hooked.years_without_certificate").value
    facts = case.facts
    if not isinstance(years, int) or facts.role != "teaching" or facts.qualification != "none":
        return ()
    if facts.experience_years is None or facts.experience_years >= years:
        return ()
    return (
        Finding(
            rule="SYN-HKS-001",
            code="stress.too_little_experience",
            requirement="M-07.1",
            fact="experience_years",
            given=facts.experience_years,
            allowed=years,
            unit="count",
            must_be="at_least",
            parameter="hooked.years_without_certificate",
        ),
    )


@hookimpl
def check_consumption(case: Case[Consumption]) -> Findings:
    """At night nobody teaches: a lesson reported then without teacher and timetable is a clearing of old balances."""
    begins = case.value("hooked.night_begins").value
    facts = case.facts
    if not isinstance(begins, str) or facts.type != "lesson" or facts.has_teacher or facts.has_lesson:
        return ()
    started = facts.occurred_from.astimezone(SHANGHAI).time()
    if time(6) <= started < time.fromisoformat(begins):
        return ()
    return (
        Finding(
            rule="SYN-HKC-003",
            code="stress.taught_at_night",
            requirement="M-07.2",
            fact="type",
            given=facts.type,
            allowed=("forfeit",),
            unit="option",
            must_be="one_of",
            parameter="hooked.night_begins",
        ),
    )


@hookimpl
def check_release(case: Case[Release]) -> Findings:
    """After a release the account keeps more than what is unconsumed, by a share."""
    share = case.value("hooked.cash_after_share_ppm").value
    left, owed = case.facts.custody_after_fen, case.facts.unconsumed_after_fen
    if not isinstance(share, int) or left is None or owed is None:
        return ()
    least = -(-owed * share // _MILLION)
    if left >= least:
        return ()
    return (
        Finding(
            rule="SYN-HKR-001",
            code="stress.too_little_stays",
            requirement="M-18.1",
            fact="custody_after_fen",
            given=left,
            allowed=least,
            unit="fen",
            must_be="at_least",
            parameter="hooked.cash_after_share_ppm",
        ),
    )


@hookimpl
def check_refund_refusal(case: Case[RefundRefusal]) -> Findings:
    """Some grounds count only when the institution shows what was taught."""
    grounds = case.value("hooked.grounds_refused").value
    facts = case.facts
    if not isinstance(grounds, tuple) or facts.ground not in grounds or facts.hours_proof:
        return ()
    return (
        Finding(
            rule="SYN-HKF-001",
            code="stress.ground_not_accepted",
            requirement="M-18.2",
            fact="ground",
            given=facts.ground,
            allowed=grounds,
            unit="option",
            must_be="none_of",
            parameter="hooked.grounds_refused",
        ),
    )


@hookimpl
def check_list_change(case: Case[ListChange]) -> Findings:
    """From the black list nobody goes straight to the white one."""
    way = case.value("hooked.steps_back_to_white").value
    if way != "through_removed" or (case.facts.before, case.facts.to) != ("black", "white"):
        return ()
    return (
        Finding(
            rule="SYN-HKN-001",
            code="stress.list_step_skipped",
            requirement="M-12.1",
            fact="to",
            given=case.facts.to,
            allowed=("removed", "black"),
            unit="option",
            must_be="one_of",
            parameter="hooked.steps_back_to_white",
        ),
    )

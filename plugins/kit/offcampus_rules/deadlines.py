"""Deadlines with their working: a lesson's silent confirmation, a refund's consent by silence and its payment.

Both clocks are half-open: `due_at` is 00:00 of the day after the last day, a step at 23:59:59 of the last day counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from offcampus_rules import calendar, units
from offcampus_rules.calendar import run_out, shanghai_date
from offcampus_rules.context import Confirmation, RefundRequest
from offcampus_rules.decision import Deadline, RefundTerms, Value
from offcampus_rules.findings import LastDay, RefundProposal

AUTO_CONFIRM = "confirmation.auto_confirm"
REFUND_SILENCE = "refund.silence"
REFUND_BEFORE_START = "refund.deadline_before_start"
REFUND_AFTER_START = "refund.deadline_after_start"
COOLING_OFF = "refund.cooling_off"

Lookup = Callable[[str, date], Value]
"""A parameter's effective value on a date, at the request's place."""


@dataclass(frozen=True, slots=True)
class Working:
    """The steps of a computation in both languages, one line each."""

    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()

    def then(self, en: str, zh: str) -> Working:
        return Working((*self.en, en), (*self.zh, zh))

    def __add__(self, other: Working) -> Working:
        return Working(self.en + other.en, self.zh + other.zh)


@dataclass(frozen=True, slots=True)
class _Run:
    """A period that was counted: its end, or None where nothing is regulated."""

    due_at: datetime | None
    provisional: bool
    working: Working


def confirmation_due(case: Confirmation, lookup: Lookup) -> Deadline:
    """When a lesson counts as confirmed because the guardian said nothing; never without proof of notice."""
    if case.notified_at is None:
        value = lookup(AUTO_CONFIRM, date.max)
        stopped = Working().then(
            "no proof that the guardian was told: the clock has not started", "无已告知监护人的凭证：默示确认期限未起算"
        )
        return Deadline(None, provisional=False, working=stopped.en, value=value, working_zh=stopped.zh)
    told = shanghai_date(case.notified_at)
    value = lookup(AUTO_CONFIRM, told)
    run = _count(told, value, "the guardian was told", "告知监护人")
    return Deadline(run.due_at, run.provisional, run.working.en, value, run.working.zh)


def refund_terms(case: RefundRequest, lookup: Lookup) -> RefundTerms:
    """When silence means consent, by when the money must be paid, and whether all of it goes back."""
    asked = shanghai_date(case.requested_at)
    silence = lookup(REFUND_SILENCE, case.date_for("event_date"))
    name = REFUND_BEFORE_START if case.before_start else REFUND_AFTER_START
    payment = lookup(name, case.date_for("contract_date"))
    agreed = _count(asked, silence, "the refund was asked for", "提出退费")
    paid = _count(asked, payment, "the refund was asked for", "提出退费")
    full, values, why = _full(case, lookup)
    working = why + agreed.working + paid.working
    return RefundTerms(
        due_at=paid.due_at,
        silence_due_at=agreed.due_at,
        full=full,
        provisional=agreed.provisional or paid.provisional,
        working=working.en,
        values=(silence, payment, *values),
        working_zh=working.zh,
    )


def with_sum(terms: RefundTerms, amount_fen: int | None, working: Working, values: tuple[Value, ...]) -> RefundTerms:
    """The terms with what goes back."""
    return replace(
        terms,
        amount_fen=amount_fen,
        working=terms.working + working.en,
        working_zh=terms.working_zh + working.zh,
        values=tuple(dict.fromkeys((*terms.values, *values))),
    )


def postponed(deadline: Deadline, proposed: Iterable[tuple[LastDay, Value]]) -> Deadline:
    """The latest of the deadline and the proposals; a clock that stands still is not started by one."""
    for item, value in proposed:
        due = run_out(item.day)
        if deadline.due_at is not None and due > deadline.due_at:
            deadline = replace(
                deadline,
                due_at=due,
                working=(
                    *deadline.working,
                    f"postponed to {item.day} by {value.parameter} ({value.source})",
                ),
                working_zh=(*deadline.working_zh, f"依 {value.parameter} 顺延至 {item.day}（{value.source}）"),
            )
    return deadline


def bettered(terms: RefundTerms, proposed: Iterable[tuple[RefundProposal, Value]]) -> RefundTerms:
    """The most money and the earliest day of the terms and the proposals."""
    for item, value in proposed:
        due = run_out(item.last_day) if item.last_day is not None else None
        amounts = [amount for amount in (terms.amount_fen, item.amount_fen) if amount is not None]
        days = [day for day in (terms.due_at, due) if day is not None]
        terms = replace(
            terms,
            amount_fen=max(amounts, default=None),
            due_at=min(days, default=None),
            values=tuple(dict.fromkeys((*terms.values, value))),
            working=(*terms.working, f"met with what {value.parameter} gives ({value.source})"),
            working_zh=(*terms.working_zh, f"与 {value.parameter} 所得结果取优（{value.source}）"),
        )
    return terms


def _full(case: RefundRequest, lookup: Lookup) -> tuple[bool, tuple[Value, ...], Working]:
    if case.before_start:
        reason = Working().then(
            "asked before the start: nothing is consumed, all is refunded", "开课前提出：未消费，全额退费"
        )
        return True, (), reason
    return _cooling_off(case, lookup)


def _cooling_off(case: RefundRequest, lookup: Lookup) -> tuple[bool, tuple[Value, ...], Working]:
    """The principal back within days of payment. How hours already taught count is not in the text we have seen."""
    if case.paid_at is None or case.had_same_service:
        return False, (), Working()
    paid = shanghai_date(case.paid_at)
    value = lookup(COOLING_OFF, paid)
    if not isinstance(value.value, int):
        return False, (), Working()
    end = run_out(units.last_day(paid, value.value, value.unit).day)
    if case.requested_at >= end:
        return (
            False,
            (value,),
            Working().then(
                f"asked after the cooling-off days, which ended at {_at(end)}", f"已过冷静期（{_at(end)} 届满）"
            ),
        )
    if case.consumed_centi or case.released_fen:
        return (
            False,
            (value,),
            Working().then(
                "within the cooling-off days, but hours were taught: how these count is not regulated in the text seen",
                "处于冷静期内但已有课时消耗：已消耗部分如何处理，所见文本未作规定",
            ),
        )
    return (
        True,
        (value,),
        Working().then(
            f"within the cooling-off days, which end at {_at(end)} ({value.source}): the principal is refunded in full",
            f"在冷静期内提出（{_at(end)} 届满；{value.source}）：预付本金全额退还",
        ),
    )


def _count(start: date, value: Value, event_en: str, event_zh: str) -> _Run:
    if not isinstance(value.value, int):
        silent = Working().then(
            f"{value.parameter}: not regulated here ({value.reason_if_none})",
            f"{value.parameter}：此处未作规定（{value.reason_if_none_zh}）",
        )
        return _Run(None, provisional=False, working=silent)
    last = units.last_day(start, value.value, value.unit)
    due = run_out(last.day)
    length_en, length_zh = (units.readable(value.value, value.unit, language) for language in ("en", "zh"))
    working = (
        Working()
        .then(f"{event_en} on {start}; that day is not counted", f"{start} {event_zh}，当日不计入")
        .then(f"{length_en} ({value.source})", f"{length_zh}（{value.source}）")
    )
    if value.unit == "working_days":
        working = _skipped(working, start, last.day)
    if last.provisional:
        working = working.then(
            f"provisional: no holiday notice for {last.day.year} is loaded, only weekends were taken out",
            f"暂定：{last.day.year} 年放假安排未载入，仅扣除周末",
        )
    working = working.then(
        f"the last day is {last.day}; at {_at(due)} the time has run out", f"末日为 {last.day}，{_at(due)} 届满"
    )
    return _Run(due, last.provisional, working)


def _skipped(working: Working, start: date, last: date) -> Working:
    """Names what a reader would count differently: holidays on weekdays, and weekends that were worked."""
    span = [start + calendar.ONE_DAY * n for n in range(1, (last - start).days + 1)]
    holidays = [day for day in span if day.weekday() < 5 and not calendar.is_workday(day)]
    shifted = [day for day in span if day.weekday() >= 5 and calendar.is_workday(day)]
    if holidays:
        days = ", ".join(str(day) for day in holidays)
        working = working.then(f"not working days: {days}", f"非工作日：{days}")
    if shifted:
        days = ", ".join(str(day) for day in shifted)
        working = working.then(f"weekend days worked by the year's notice: {days}", f"调休上班日：{days}")
    return working


def _at(instant: datetime) -> str:
    return instant.isoformat(timespec="minutes")

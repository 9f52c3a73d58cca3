"""Sums, plans and standings worked out from parameters alone: what a province without Python gets.

Each answers with its result, the working in both languages and the values it rests on. Where a parameter is null the
result says null, and the working says that this is not regulated here; nothing is assumed in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from offcampus_rules import calendar, units
from offcampus_rules.context import (
    InstitutionYear,
    ListReview,
    PriceRequest,
    RefundRequest,
    ReleasePlanRequest,
    ReserveCase,
)
from offcampus_rules.deadlines import Working
from offcampus_rules.decision import Value
from offcampus_rules.findings import PlanStep
from offcampus_rules.schedules import WHOLE, Schedule, Step
from offcampus_rules.tables import Table

Look = Callable[[str], Value]
"""A parameter's effective value for the case; one that nobody defines is not regulated."""


@dataclass(frozen=True, slots=True)
class Worked:
    """A result (None: not regulated here), how it came about, and what it rests on."""

    result: Any
    working: Working
    values: tuple[Value, ...]


def _silent(value: Value) -> Working:
    return Working().then(
        f"{value.parameter}: not regulated here ({value.reason_if_none})",
        f"{value.parameter}：此处未作规定（{value.reason_if_none_zh}）",
    )


def _ends(*values: Value) -> Worked | None:
    """The answer "not regulated here", when one of the values is null."""
    open_ = next((value for value in values if value.value is None), None)
    return Worked(None, _silent(open_), values) if open_ is not None else None


def price_limit(case: PriceRequest, look: Look) -> Worked:
    """What the hours may cost in all: the table's price of a standard hour, the float, the hours converted."""
    table, minutes = look("price.standard_hour_fen_max"), look("course.standard_hour_minutes")
    if (ended := _ends(table, minutes)) is not None:
        return ended
    cell = _cell(table, case)
    if (ended := _ends(cell)) is not None:
        return ended
    up = look("price.up_max_ppm")
    taught = case.class_hours_centi * case.minutes_per_class_hour
    float_ppm = up.value if isinstance(up.value, int) else 0
    total = int(cell.value) * taught * (WHOLE + float_ppm) // (100 * int(minutes.value) * WHOLE)  # type: ignore[arg-type]
    hours = f"{taught / (100 * int(minutes.value)):.2f}"  # type: ignore[arg-type]
    price = {language: units.readable(cell.value, "fen", language) for language in ("zh", "en")}  # type: ignore[arg-type]
    working = Working().then(
        f"{hours} standard hours of {minutes.value} minutes at {price['en']} ({cell.source})",
        f"折合标准课时 {hours}（每课时 {minutes.value} 分钟），单价 {price['zh']}（{cell.source}）",
    )
    if float_ppm:
        working = working.then(
            f"up to {units.readable(float_ppm, 'ppm', 'en')} more ({up.source})",
            f"上浮不超过 {units.readable(float_ppm, 'ppm', 'zh')}（{up.source}）",
        )
    return Worked(total, working, (cell, minutes, up))


def _cell(table: Value, case: PriceRequest) -> Value:
    """The table's cell for class size and area; an area nobody told is looked for under `all` only."""
    known = {"class_size": case.class_size, "area": case.area or "all"}
    axes = table.value.axes if isinstance(table.value, Table) else ()
    place = {name: known[name] for name in axes if name in known}
    found = table.at(**place)
    if found.value is None and case.area is not None and "area" in place:
        return table.at(**{**place, "area": "all"})
    return found


class Planned(NamedTuple):
    """How money leaves custody: with each lesson (no steps), by days and shares, or by shares of what is taught."""

    mode: str
    steps: tuple[PlanStep, ...] = ()
    taught: tuple[Step, ...] = ()


def release_plan(case: ReleasePlanRequest, look: Look) -> Worked:
    """How the money leaves custody. A schedule over the teaching has no days: nobody knows yet when it is taught."""
    modes, schedule, waits = look("release.modes"), look("release.schedule"), look("release.waits_for_last_lesson")
    used = (modes, schedule, waits)
    if isinstance(schedule.value, Schedule) and schedule.measured_by == "taught":
        by = _by(schedule, "a schedule over what is taught", "按已授课时分段划拨")
        return Worked(Planned("schedule", taught=schedule.value.steps), by, used)
    if isinstance(schedule.value, Schedule):
        days = (case.service_until - case.service_from).days
        steps = tuple(
            PlanStep(case.service_from + timedelta(days=-(-days * after // WHOLE)), share)
            for after, share in schedule.value.steps
        )
        return Worked(
            Planned("schedule", steps), _by(schedule, "a schedule over the course", "按课程进度分段划拨"), used
        )
    if waits.value is True or case.mode == "after_last_lesson":
        steps = (PlanStep(case.service_until, WHOLE),)
        return Worked(
            Planned("after_last_lesson", steps), _by(waits, "all after the last lesson", "全部课程结束后划拨"), used
        )
    if modes.value is None:
        principle = look("release.proportional")
        if principle.value is not True:
            return Worked(None, _silent(modes), used)
        return Worked(Planned("proportional"), _by(principle, "in step with teaching", "与授课进度同步同比例"), used)
    offered = modes.value if isinstance(modes.value, tuple) else (str(modes.value),)
    mode = case.mode if case.mode in offered else offered[0] if len(offered) == 1 else None
    if mode is None:
        named = ", ".join(offered)
        return Worked(None, Working().then(f"one of {named} has to be chosen", f"须从 {named} 中选定一种"), used)
    steps = _monthly(case) if mode == "per_month" else ()
    return Worked(Planned(mode, steps), _by(modes, mode.replace("_", " "), f"划拨方式 {mode}"), used)


def _monthly(case: ReleasePlanRequest) -> tuple[PlanStep, ...]:
    """The elapsed share of the period at the end of each month of service."""
    span, steps, month = (case.service_until - case.service_from).days, list[PlanStep](), 0
    while not steps or steps[-1].day < case.service_until:
        month += 1
        day = min(calendar.months_after(case.service_from, month, "last_day_excluded"), case.service_until)
        steps.append(PlanStep(day, (day - case.service_from).days * WHOLE // span))
    return tuple(steps)


def _by(value: Value, en: str, zh: str) -> Working:
    return Working().then(f"{en} ({value.source})", f"{zh}（{value.source}）")


def reserve_required(case: ReserveCase, look: Look) -> Worked:
    """The most of what the locality asks for: a share of what is unconsumed, the fees of one charging period."""
    share, formula = look("reserve.share_ppm"), look("reserve.floor_formula")
    sums: list[int] = []
    working = Working()
    if isinstance(share.value, int):
        sums.append(-(-(case.unconsumed_fen + case.legacy_unconsumed_fen) * share.value // WHOLE))
        working += _by(share, f"{units.readable(share.value, 'ppm', 'en')} of what is unconsumed", "未消课金额的比例")
    if formula.value == "one_charging_period_of_all_pupils":
        sums.append(case.period_fees_fen)
        working += _by(formula, "all pupils' fees of one charging period", "全部学员一个收费周期费用")
    if not sums:
        return Worked(None, _silent(share) + _silent(formula), (share, formula))
    return Worked(max(sums), working, (share, formula))


def refund_sum(case: RefundRequest, full: bool, look: Look) -> Worked | None:
    """What goes back: the price less what was taught, at the price the law names. None: the hours were not told."""
    if case.class_hours_centi is None:
        return None
    if full:
        return Worked(case.total_fen, Working(), ())
    at_fault = case.reason in ("institution_fault", "institution_closed")
    basis = look("refund.unit_price_basis_at_fault" if at_fault else "refund.unit_price_basis")
    filed = case.filed_price_fen if case.filed_price_fen is not None else case.total_fen
    if case.gift_hours_centi:
        en, zh = "how gift hours count in a refund is not regulated here", "赠送课时如何计入退费，此处未作规定"
        return Worked(None, Working().then(en, zh), (basis,))
    if basis.value is None and filed != case.total_fen:
        return Worked(None, _silent(basis), (basis,))
    price = filed if basis.value == "list_price" else case.total_fen
    hours = case.class_hours_centi
    taught = price * min(case.consumed_centi, hours) // hours if hours else 0
    amount = max(0, case.total_fen - taught)
    en, zh = units.readable(taught, "fen", "en"), units.readable(taught, "fen", "zh")
    working = Working().then(f"taught hours cost {en}", f"已消课时计 {zh}")
    return Worked(amount, working, (basis,))


def warning_level(indicators: int, look: Look) -> Worked:
    """The level a number of signs amounts to, by the locality's table over its levels (lowest first)."""
    levels, table = look("warning.levels"), look("warning.level_by_indicators")
    if not indicators:
        return Worked(None, Working().then("no sign of risk", "无风险指标触发"), (levels,))
    return _ranked(levels, table, "indicators", indicators)


def credit_grade(case: InstitutionYear, scores: dict[str, int], look: Look) -> Worked:
    """Points over the weighted factors, the grade they give, and what a veto leaves of it."""
    weights, grades = look("credit.weights"), look("credit.grades")
    table, vetoes, best = look("credit.grade_by_points"), look("credit.vetoes"), look("credit.grade_with_veto")
    if (ended := _ends(weights, grades, table)) is not None:
        return ended
    parts = {name: weights.at(factor=name).value for name in scores}
    unknown = sorted(name for name, weight in parts.items() if weight is None)
    if unknown:
        why = Working().then(f"no weight for {', '.join(unknown)}", f"因素 {'、'.join(unknown)} 无权重")
        return Worked(None, why, (weights,))
    points = sum(scores[name] * weight for name, weight in parts.items() if isinstance(weight, int)) // WHOLE
    ranked = _ranked(grades, table, "points", points)
    working = Working().then(f"{points} points", f"得分 {points}") + ranked.working
    barred = sorted(set(case.vetoes) & set(vetoes.value)) if isinstance(vetoes.value, tuple) else []
    grade = ranked.result
    if barred and isinstance(best.value, int) and isinstance(grades.value, tuple) and grade is not None:
        grade = grades.value[max(grades.value.index(grade), best.value - 1)]
        working += _by(vetoes, f"barred by {', '.join(barred)}", f"否决项：{'、'.join(barred)}")
    return Worked((points, grade), working, (weights, grades, table, vetoes, best))


def _ranked(names: Value, table: Value, axis: str, number: int) -> Worked:
    """The name that a table's cell (1 for the first) points to."""
    if (ended := _ends(names, table)) is not None:
        return ended
    cell = table.at(**{axis: number})
    listed = names.value if isinstance(names.value, tuple) else ()
    if not isinstance(cell.value, int) or not 1 <= cell.value <= len(listed):
        return Worked(None, _silent(cell), (names, cell))
    name = listed[cell.value - 1]
    return Worked(name, _by(table, f"{number} {axis}: {name}", f"{axis} {number}：{name}"), (names, cell))


def list_transitions(case: ListReview, look: Look) -> Worked:
    """Where an institution that left the white list should go: back when rectified, on when the time has run out."""
    within, after = look("lists.rectified_within"), look("lists.after_overdue")
    if case.status != "removed":
        return Worked((), Working().then("only who left the white list is looked at", "仅评估移出白名单者"), ())
    if case.rectified:
        return Worked(("white",), Working().then("rectified: back to the white list", "已整改：可恢复白名单"), ())
    if (ended := _ends(within)) is not None or case.removed_on is None:
        return ended or Worked(None, Working().then("nobody told since when", "未提供移出日期"), (within,))
    last = units.last_day(case.removed_on, int(within.value), within.unit).day  # type: ignore[arg-type]
    if case.asked_on <= last:
        return Worked((), _by(within, f"it has until {last} to rectify", f"整改期至 {last}"), (within,))
    overdue = _by(within, f"overdue since {last}", f"{last} 整改期届满")
    if after.value is None:
        return Worked(None, overdue + _silent(after), (within, after))
    return Worked((str(after.value),), overdue, (within, after))

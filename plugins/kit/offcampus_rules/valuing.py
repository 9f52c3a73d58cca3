"""The value questions: what data says, met with what the plugins' Python proposes, with the working of both.

A plugin that is out or fails follows its hook's policy: a plan is withheld, a sum stands as data has it, a sign of risk
or a factor is left out; in each case an alarm names the plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from offcampus_rules import declarations, figures, proposals, screening, units
from offcampus_rules.context import (
    Facts,
    InstitutionWindow,
    InstitutionYear,
    ListReview,
    PriceRequest,
    ReleasePlanRequest,
    ReserveCase,
)
from offcampus_rules.deadlines import Working
from offcampus_rules.decision import Alarm, Figure, Value
from offcampus_rules.declarations import LevelHere
from offcampus_rules.figures import Look, Planned, Worked
from offcampus_rules.findings import PlanStep
from offcampus_rules.hook_answers import HookAnswers
from offcampus_rules.plans import Plan

Absent = tuple[Alarm, ...]


class Valuing:
    """Answers value questions for a rule set; `look_at` gives a case's values, `hooks` the plugins' Python."""

    def __init__(
        self, hooks: HookAnswers, look_at: Callable[[Facts], Look], absent: Callable[[str, str], Absent]
    ) -> None:
        self._hooks = hooks
        self._look_at = look_at
        self._absent = absent

    def price(self, case: PriceRequest) -> Figure:
        return self._sum("price", "price_limit", case, figures.price_limit(case, self._look_at(case)), min)

    def reserve(self, case: ReserveCase) -> Figure:
        return self._sum("reserve", "reserve_required", case, figures.reserve_required(case, self._look_at(case)), max)

    def plan(self, case: ReleasePlanRequest) -> Figure:
        worked = figures.release_plan(case, self._look_at(case))
        proposed, alarms = self._gather("release_plan", case)
        if alarms:
            return _figure("release_plan", None, worked, (), alarms)
        own: Planned | None = worked.result
        if own is None and not proposed:
            return _figure("release_plan", None, worked, (), ())
        mode, steps, taught = own if own is not None else (None, (), ())
        if proposed:
            steps = proposals.slowest(steps, (item for item, _ in proposed))
        result = {"mode": mode, "steps": _steps(steps)}
        if taught:  # beside the days, if any: what may leave is the less of both
            result["taught_steps"] = [{"after_ppm": step.after_ppm, "share_ppm": step.released_ppm} for step in taught]
        return _figure("release_plan", result, worked, _cited(proposed), ())

    def warning(self, case: InstitutionWindow, plan: Plan, levels: Sequence[LevelHere]) -> Figure:
        """Broken limits of the rules for risk, and the signs the plugins' Python sees; of one id the gravest.

        The level is the graver of what the parameters' table gives and what the signs' severities add up to.
        """
        found = screening.judge(plan, case)
        proposed, alarms = self._gather("risk_indicators", case)
        signs = {item.rule: 1 for item in found.violations}
        for item, _ in proposed:
            signs[item.id] = max(signs.get(item.id, 1), item.severity)
        worked = figures.warning_level(len(signs), self._look_at(case))
        points = sum(signs.values())
        level = declarations.gravest(levels, worked.result, points) if signs else None
        reached = next((item for item in levels if item.id == level and item.from_points is not None), None)
        if level != worked.result and reached is not None:
            worked = _by_points(worked, reached, points)
        result = {
            "level": level,
            "indicators": [{"id": name, "severity": signs[name]} for name in sorted(signs)],
        }
        working = Working()
        for violation in found.violations:
            working = working.then(
                f"{violation.rule}: {violation.message_en} ({violation.citation})",
                f"{violation.rule}：{violation.message_zh}（{violation.citation}）",
            )
        for note in found.not_evaluated:
            working = working.then(f"{note.rule}: {note.reason_en}", f"{note.rule}：{note.reason_zh}")
        shown = Worked(result, working + worked.working, (*found.values, *worked.values))
        return _figure("warning", result, shown, _cited(proposed), alarms)

    def credit(self, case: InstitutionYear) -> Figure:
        """Points and grade; a factor that the plugins' Python also scores counts with the fewest points."""
        proposed, alarms = self._gather("credit_factors", case)
        scores = {item.factor: item.score_ppm for item in case.scores}
        for item, _ in proposed:
            scores[item.id] = min(scores.get(item.id, item.score_ppm), item.score_ppm)
        worked = figures.credit_grade(case, scores, self._look_at(case))
        points, grade = worked.result or (None, None)
        return _figure("credit", {"points": points, "grade": grade}, worked, _cited(proposed), alarms)

    def lists(self, case: ListReview) -> Figure:
        """Statuses somebody should look at; nothing changes by itself."""
        worked = figures.list_transitions(case, self._look_at(case))
        proposed, alarms = self._gather("list_transitions", case)
        named = {*(worked.result or ()), *(item.to for item, _ in proposed)}
        result = None if worked.result is None and not named else {"to": sorted(named)}
        return _figure("list_transitions", result, worked, _cited(proposed), alarms)

    def _sum(self, question: str, hook: str, case: Facts, worked: Worked, choose: Callable[..., int]) -> Figure:
        proposed, alarms = self._gather(hook, case)
        amount = proposals.strictest(worked.result, (item.amount_fen for item, _ in proposed), choose)
        return _figure(question, None if amount is None else {"amount_fen": amount}, worked, _cited(proposed), alarms)

    def _gather(self, hook: str, case: Facts) -> proposals.Proposed:
        proposed, alarms = proposals.gather(self._hooks, hook, case)
        return proposed, (*self._absent(case.scope.region, hook), *alarms)


def _figure(
    question: str, result: dict[str, Any] | None, worked: Worked, cited: tuple[Value, ...], alarms: Absent
) -> Figure:
    working = worked.working
    for value in cited:
        shown = {language: units.plain(value.value, value.unit) for language in ("zh", "en")}  # type: ignore[arg-type]
        working = working.then(
            f"a plugin's own working by {value.parameter} = {shown['en']} ({value.source})",
            f"插件依 {value.parameter} = {shown['zh']} 计算（{value.source}）",
        )
    values = tuple(dict.fromkeys((*worked.values, *cited)))
    return Figure(question, result, working.en, working.zh, values, alarms)


def _by_points(worked: Worked, level: LevelHere, points: int) -> Worked:
    value = level.rests_on
    working = worked.working.then(
        f"{points} points, {level.from_points} or more are {level.id}, {level.title_en} ({value.source})",
        f"{points} 分，{level.from_points} 分以上为 {level.id}（{level.title_zh}；{value.source}）",
    )
    return Worked(level.id, working, (*worked.values, value))


def _cited(proposed: Iterable[tuple[Any, Value]]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(value for _, value in proposed))


def _steps(steps: Iterable[PlanStep]) -> list[dict[str, Any]]:
    return [{"day": step.day.isoformat(), "share_ppm": step.share_ppm} for step in steps]

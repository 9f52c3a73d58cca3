"""Meets what the plugins' Python proposes with what data says; a proposal can only go the way the table allows.

postpone a confirmation · slow a release · raise or hasten a refund · lower a price · raise a reserve

A proposal has to cite a parameter that is regulated at the place and date; one that does not is an alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from offcampus_rules.context import Facts
from offcampus_rules.decision import Alarm, Value
from offcampus_rules.findings import PlanProposal, PlanStep
from offcampus_rules.hook_answers import HookAnswers
from offcampus_rules.schedules import WHOLE

Proposed = tuple[tuple[tuple[Any, Value], ...], tuple[Alarm, ...]]


def gather(hooks: HookAnswers, hook: str, case: Facts) -> Proposed:
    """Every plugin's proposals with the value each cites, and the alarms of those that failed."""
    found: list[tuple[Any, Value]] = []
    alarms: list[Alarm] = []
    lookup = hooks.lookup(case)
    for plugin in hooks.having(hook, case.scope.region):
        [answer] = hooks.ask(plugin, hook, [case])
        if isinstance(answer, Alarm):
            alarms.append(answer)
            continue
        cited = [(item, lookup(item.parameter)) for item in answer]
        founded = [(item, value) for item, value in cited if value is not None and value.value is not None]
        if len(founded) < len(cited):
            alarms.append(Alarm(plugin.info.distribution, hook, "returned a proposal that rests on nothing regulated"))
        else:
            found.extend(founded)
    return tuple(found), tuple(alarms)


def strictest(own: int | None, proposed: Iterable[int], choose: Callable[..., int]) -> int | None:
    """The lower or higher of data's figure and the proposals; null is no figure."""
    figures = [*proposed, *([own] if own is not None else [])]
    return choose(figures) if figures else None


def slowest(own: Sequence[PlanStep] | None, proposed: Iterable[PlanProposal]) -> tuple[PlanStep, ...]:
    """Day by day the least that any plan lets go. `own` None or without steps: with each lesson, as it is taught."""
    plans = [plan for plan in (own, *(item.steps for item in proposed)) if plan]
    days = sorted({step.day for plan in plans for step in plan})
    steps: list[PlanStep] = []
    for day in days:
        share = min(_released(plan, day) for plan in plans)
        if share > (steps[-1].share_ppm if steps else 0):
            steps.append(PlanStep(day, share))
    return tuple(steps)


def _released(plan: Sequence[PlanStep], day: date) -> int:
    return min(WHOLE, max((step.share_ppm for step in plan if step.day <= day), default=0))

"""How the money of an order leaves custody, fixed when it is sold: by the rules in force on the contract's date.

- The mode is the locality's; where it leaves a choice, the one that the contract names. It never changes for an order.
- Money follows the teaching (`follows_teaching`), or a schedule where the rules of that date let it run ahead.
- Where no mode is regulated or chosen, money leaves with each confirmed lesson: in step with teaching and no faster.

Pure, but for `fixed`, which asks the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from offcampus_rules import ReleasePlanRequest, RuleSet

from offcampus_server.kernel.clock import SHANGHAI
from offcampus_server.kernel.problems import Problem, mismatch
from offcampus_server.kernel.rulings import heard

WHOLE = 1_000_000
BY_THE_CALENDAR = ("per_month", "weekly", "schedule", "after_last_lesson")
PROPORTIONAL = "release.proportional"


@dataclass(frozen=True)
class Step:
    """From this day on, this much of the price may have left, in millionths."""

    day: date
    share_ppm: int


@dataclass(frozen=True)
class TaughtStep:
    """Once this share of the hours is confirmed, this much of the price may have left, in millionths."""

    after_ppm: int
    share_ppm: int


@dataclass(frozen=True)
class Plan:
    """A mode with its days, and its shares of the teaching. `mode` None: nothing is regulated or chosen."""

    mode: str | None = None
    steps: tuple[Step, ...] = ()
    follows_teaching: bool = True
    service_from: date = date.min
    service_until: date = date.max
    taught_steps: tuple[TaughtStep, ...] = ()


@dataclass(frozen=True)
class Standing:
    """What a release is measured by. Money in fen. `disputed_fen` is the price of the hours in open disputes.

    `earned_fen` belongs to confirmed hours. `all_taught`: every hour is confirmed. `leaving`: a refund was asked for.
    `ended`: money has gone back, no lesson follows. `taught_ppm`: the share of the hours that is confirmed.
    """

    price_fen: int
    earned_fen: int
    disputed_fen: int
    undecided: bool
    all_taught: bool
    leaving: bool
    ended: bool
    taught_ppm: int = 0


def fixed(rules: RuleSet, case: ReleasePlanRequest, pointer: str) -> dict[str, Any]:
    """The plan that an order is sold under, as it is stored and shown, with its working.

    Raises `rules.unavailable` while a plugin is out, `reference.mismatch` for a way of release not on offer.
    """
    figure = heard(rules.release_plan(case), case.scope.region)
    if figure.alarms:
        raise Problem("rules.unavailable", headers={"Retry-After": "60"}, retry_after_s=60)
    result = figure.result or {"mode": None, "steps": []}
    if case.mode is not None and case.mode != result["mode"]:
        raise mismatch(pointer, f"release by {case.mode} is not on offer: {'; '.join(figure.working)}")
    return {
        "mode": result["mode"],
        "steps": [{"starts_on": step["day"], "share_ppm": step["share_ppm"]} for step in result["steps"]],
        **({"taught_steps": result["taught_steps"]} if "taught_steps" in result else {}),
        "follows_teaching": result["mode"] != "schedule" or _follows(rules, case),
        "working": [
            {"text_en": en[:300], "text_zh": zh[:300]}
            for en, zh in zip(figure.working, figure.working_zh, strict=False)
        ],
    }


def plan_of(stored: Mapping[str, Any] | None, service_from: date, service_until: date) -> Plan:
    """A stored plan; None for an order that was sold before plans were kept: with each lesson."""
    if stored is None:
        return Plan(service_from=service_from, service_until=service_until)
    steps = tuple(Step(date.fromisoformat(step["starts_on"]), step["share_ppm"]) for step in stored["steps"])
    taught = tuple(TaughtStep(step["after_ppm"], step["share_ppm"]) for step in stored.get("taught_steps", ()))
    return Plan(stored["mode"], steps, stored["follows_teaching"], service_from, service_until, taught)


def most(plan: Plan, standing: Standing, today: date) -> int:
    """How much of the price may have left by now, cumulative: what is earned, or by the schedule, never more."""
    if plan.mode == "schedule" and not standing.ended:
        planned = _planned(plan, standing.price_fen, standing.taught_ppm, today)
        planned = min(planned, standing.price_fen - standing.disputed_fen)
        return min(planned, standing.earned_fen) if plan.follows_teaching or standing.leaving else planned
    if plan.mode == "after_last_lesson" and not last_lesson_done(plan, standing, today):
        return 0
    return standing.earned_fen


def ceiling(plan: Plan, price_fen: int, earned_fen: int, taught: int, today: date) -> int:
    """What can lawfully have left by now, whatever happened since: for the verification of the books."""
    if plan.mode == "schedule" and not plan.follows_teaching:
        return max(_planned(plan, price_fen, taught, today), earned_fen)
    return earned_fen


def last_lesson_done(plan: Plan, standing: Standing, today: date) -> bool:
    """No lesson follows, and none is undecided: a dispute moves the day."""
    over = standing.all_taught or standing.ended or today >= plan.service_until
    return over and not standing.undecided


def waits_for_settlement(plan: Plan, standing: Standing) -> bool:
    """Is money settled on certain days only? When a refund has ended the order, what is earned leaves at once."""
    return plan.mode in ("per_month", "weekly") and not standing.ended


def next_day(plan: Plan, now: datetime) -> datetime | None:
    """When the plan lets something leave next, after now; None when nothing more is to come by the calendar."""
    today = now.date()
    days = [step.day for step in plan.steps if step.day > today]
    if plan.mode == "weekly" and today < plan.service_until:
        weeks = max((today - plan.service_from).days // 7 + 1, 1)
        days = [min(plan.service_from + timedelta(days=7 * weeks), plan.service_until)]
    return datetime.combine(min(days), time.min, SHANGHAI) if days else None


def taught_ppm(confirmed_centi: int, hours_centi: int) -> int:
    """The share of an order's hours that is confirmed; a begun millionth does not count."""
    return confirmed_centi * WHOLE // hours_centi if hours_centi else 0


def _planned(plan: Plan, price_fen: int, taught: int, today: date) -> int:
    """By days, by what is taught, or the less of both."""
    by_day = max((step.share_ppm for step in plan.steps if step.day <= today), default=0)
    by_teaching = max((step.share_ppm for step in plan.taught_steps if step.after_ppm <= taught), default=0)
    shares = [*([by_day] if plan.steps or not plan.taught_steps else []), *([by_teaching] if plan.taught_steps else [])]
    return price_fen * min(shares) // WHOLE


def _follows(rules: RuleSet, case: ReleasePlanRequest) -> bool:
    try:
        return rules.value(PROPORTIONAL, case.scope, case.signed_on).value is True
    except KeyError:  # nobody defines the principle: then the schedule alone rules
        return False

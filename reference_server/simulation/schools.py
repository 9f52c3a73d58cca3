"""Where the schools are, and by what rules of the place money is released there.

Three places have what their own texts say. The others are cities that only this simulation knows, beneath the national
floor, so that every mode of the standard is played.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from offcampus_rules import ReleasePlanRequest, RuleSet
from offcampus_rules.decision import Figure


@dataclass(frozen=True)
class School:
    """A school; `mode` is what its contracts choose."""

    name: str
    region: str
    mode: str | None = None
    sector: str = "art_culture"
    subject: str = "fine_arts"


SCHOOLS = (
    School("each lesson", "110105"),
    School("each month", "110105", "per_month", "sci_tech", "programming"),
    School("in proportion", "440304", "proportional"),
    School("each lesson, unregulated", "420106"),
    School("each week", "420107", "weekly"),
    School("by a schedule", "420111", "schedule"),
    School("in batches", "420112", "batch_above_unconsumed"),
    School("at the end", "420113", "after_last_lesson"),
)
INVENTED = {school.region: school.mode for school in SCHOOLS[4:]}
THIRDS = (300_000, 600_000, 1_000_000)


def with_invented_cities(told: Callable[[RuleSet, ReleasePlanRequest], Figure]) -> Callable[..., Figure]:
    """The release plans of a rule set, and those of the cities that it does not know."""

    def release_plan(rules: RuleSet, case: ReleasePlanRequest) -> Figure:
        mode = INVENTED.get(case.scope.region)
        if mode is None:
            return told(rules, case)
        steps = []
        if mode == "schedule":
            steps = [(case.service_from + timedelta(days=27 * number), share) for number, share in enumerate(THIRDS)]
        elif mode == "after_last_lesson":
            steps = [(case.service_until + timedelta(days=15), THIRDS[-1])]
        days = [{"day": day.isoformat(), "share_ppm": share} for day, share in steps]
        return Figure("release_plan", {"mode": mode, "steps": days}, ("a city's rule",), ("某市规定",), ())

    return release_plan

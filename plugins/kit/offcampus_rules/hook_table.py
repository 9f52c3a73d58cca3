"""The one table of hooks: what each is asked, how answers combine, what a failure means, which date governs, its time.

The README renders this table and a test compares the two. Nothing else decides these things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from offcampus_rules import context
from offcampus_rules.decision import Outcome

Family = Literal["gate", "value", "advisory", "declaration"]
Combination = Literal[
    "union", "latest", "earliest_and_most", "slowest", "lowest", "highest", "set_by_id", "set", "no_conflict"
]
OnFailure = Literal["refuse", "hold", "floor", "skip", "not_loaded"]


@dataclass(frozen=True, slots=True)
class HookRow:
    """One hook. `budget_ms` is the time one call may take before its worker is killed."""

    name: str
    family: Family
    case: type[Any] | None
    combination: Combination
    on_failure: OnFailure
    governing: str
    budget_ms: int
    meaning: str


_ROWS = (
    HookRow("check_charge", "gate", context.Charge, "union", "refuse", "contract", 50,
            "the charge is not taken, and may be repeated"),
    HookRow("check_course", "gate", context.CourseFiling, "union", "refuse", "filing", 50,
            "the course is not put on sale, and may be filed again"),
    HookRow("check_lesson", "gate", context.LessonPlan, "union", "refuse", "lesson", 50,
            "the lesson does not enter the timetable"),
    HookRow("check_staff", "gate", context.StaffRecord, "union", "refuse", "day asked about", 50,
            "the person is not admitted"),
    HookRow("check_consumption", "gate", context.Consumption, "union", "hold", "lesson", 50,
            "kept, and judged again"),
    HookRow("check_release", "gate", context.Release, "union", "hold", "contract", 50,
            "the money stays"),
    HookRow("check_refund_refusal", "gate", context.RefundRefusal, "union", "floor", "refund request", 50,
            "the institution's refusal is not accepted"),
    HookRow("check_list_change", "gate", context.ListChange, "union", "hold", "day of the change", 50,
            "the list stays as it is"),
    HookRow("confirmation_due", "value", context.Confirmation, "latest", "hold", "notice", 50,
            "silence does not confirm"),
    HookRow("release_plan", "value", context.ReleasePlanRequest, "slowest", "hold", "contract", 50,
            "there is no plan, so nothing is released by it"),
    HookRow("refund_terms", "value", context.RefundRequest, "earliest_and_most", "floor", "contract and request", 50,
            "what data says stands; a refund is never in a plugin's way"),
    HookRow("price_limit", "value", context.PriceRequest, "lowest", "floor", "day asked about", 50,
            "what data says stands"),
    HookRow("reserve_required", "value", context.ReserveCase, "highest", "floor", "day", 50,
            "what data says stands"),
    HookRow("risk_indicators", "advisory", context.InstitutionWindow, "set_by_id", "skip", "end of the window", 500,
            "left out, with an alarm"),
    HookRow("credit_factors", "advisory", context.InstitutionYear, "set_by_id", "skip", "end of the year", 500,
            "left out, with an alarm"),
    HookRow("list_transitions", "advisory", context.ListReview, "set", "skip", "day", 500,
            "left out, with an alarm"),
    HookRow("disclosure_fields", "declaration", None, "no_conflict", "not_loaded", "read at load", 500,
            "the plugin is not loaded"),
    HookRow("warning_levels", "declaration", None, "no_conflict", "not_loaded", "read at load", 500,
            "the plugin is not loaded"),
)  # fmt: skip

HOOK_TABLE: Mapping[str, HookRow] = {row.name: row for row in _ROWS}
HOOKS: tuple[str, ...] = tuple(HOOK_TABLE)

OUTCOME_ON_FAILURE: Mapping[OnFailure, Outcome] = {"refuse": "error", "hold": "hold", "floor": "error"}
"""What a gate answers when a plugin of the region fails and nothing else is wrong: never `allow`."""


def rendered() -> str:
    """The table as the README has it."""
    head = "| hook | asks about | answers combine | when it fails | governing date | budget |"
    return "\n".join((head, "|---|---|---|---|---|---|", *map(_line, _ROWS)))


def _line(row: HookRow) -> str:
    asked = f"`{row.case.__name__}`" if row.case else "–"
    combine, policy = row.combination.replace("_", " "), row.on_failure.replace("_", " ")
    return (
        f"| `{row.name}` | {asked} | {combine} | **{policy}**: {row.meaning} | {row.governing} | {row.budget_ms} ms |"
    )

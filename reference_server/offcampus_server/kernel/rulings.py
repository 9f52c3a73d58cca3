"""What an answer of the rules means for a use case: go on, refuse with every reason, or say that nobody can tell.

Every capability asks the rules this way: `decided` for what they let pass or refuse, `heard` for what they work out.
Every decision is kept with the facts it judged: one that let something pass with what it let pass, a refusal by itself,
since the rest is rolled back. Alarms of plugins are told in the log, whatever the answer.
"""

from __future__ import annotations

from typing import TypeVar

from offcampus_rules import Decision
from offcampus_rules.decision import Deadline, Figure, RefundTerms
from offcampus_rules.documents import violation_of

from offcampus_server.kernel import observe
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work

Worked = TypeVar("Worked", Deadline, Figure, RefundTerms)


def decided(work: Work, decision: Decision, subject: str, institution_id: str) -> str:
    """Keep what the rules let pass, for `subject`; returns the decision's identifier. Raises as `require_allowed`."""
    require_allowed(work, decision, institution_id)
    return work.record(decision, subject, institution_id)


def require_allowed(work: Work, decision: Decision, institution_id: str) -> None:
    """Raises `rules.refused` with each violation, or `rules.unavailable` when a plugin failed.

    The refusal is kept under the identifier of the request that it refused.
    """
    problem = problem_of(decision, work.request_id, institution_id)
    if problem is not None:
        raise problem


def problem_of(decision: Decision, subject: str, institution_id: str) -> Problem | None:
    """The problem that a decision stands for, if any; it remembers the decision for `subject`."""
    if decision.outcome == "allow":
        return None

    def remember(work: Work) -> None:
        work.record(decision, subject, institution_id)

    if decision.outcome == "refuse":
        rules = ", ".join(violation.rule for violation in decision.violations)
        entries = [violation_of(entry) for entry in decision.violations]
        return Problem("rules.refused", f"refused by {rules}", entries, remember=remember)
    return Problem("rules.unavailable", headers={"Retry-After": "60"}, retry_after_s=60, remember=remember)


def heard(answer: Worked, region_code: str) -> Worked:
    """What the rules worked out, once the alarms beside it are told."""
    observe.alarms(answer.alarms, region_code)
    return answer

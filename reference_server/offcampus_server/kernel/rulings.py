"""What a decision of the rules means for a use case: go on, refuse with every reason, or say that nobody can tell."""

from __future__ import annotations

from offcampus_rules import Decision
from offcampus_rules.documents import violation_of

from offcampus_server.kernel.problems import Problem


def require_allowed(decision: Decision) -> None:
    """Raises `rules.refused` with each violation, or `rules.unavailable` when a plugin failed."""
    problem = problem_of(decision)
    if problem is not None:
        raise problem


def problem_of(decision: Decision) -> Problem | None:
    """The problem that a decision stands for, if any."""
    if decision.outcome == "allow":
        return None
    if decision.outcome == "refuse":
        rules = ", ".join(violation.rule for violation in decision.violations)
        entries = [violation_of(entry) for entry in decision.violations]
        return Problem("rules.refused", f"refused by {rules}", entries, decision=decision)
    return Problem("rules.unavailable", headers={"Retry-After": "60"}, retry_after_s=60, decision=decision)

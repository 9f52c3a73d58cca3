"""What a decision of the rules means for a use case: go on, refuse with every reason, or say that nobody can tell."""

from __future__ import annotations

from typing import Any

from offcampus_rules import Decision, Violation

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
        entries = [shown(entry) for entry in decision.violations]
        return Problem("rules.refused", f"refused by {rules}", entries, decision=decision)
    return Problem("rules.unavailable", headers={"Retry-After": "60"}, retry_after_s=60, decision=decision)


def shown(entry: Violation) -> dict[str, Any]:
    """A violation of the rules as a violation of a problem: the fact becomes the place."""
    body = entry.to_json()
    fact = body.pop("fact")
    for name in ("source", "level", "region"):
        body.pop(name, None)
    return {"pointer": "/" + str(fact).replace(".", "/"), **body}

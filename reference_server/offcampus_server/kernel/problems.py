"""Problems: the one exception that a use case raises to refuse, and how it becomes an answer (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offcampus_spec.coherence import Incoherence
from offcampus_spec.problems import ProblemType, problems
from offcampus_spec.violations import MOST_VIOLATIONS as MOST_VIOLATIONS
from offcampus_spec.violations import JsonObject as JsonObject
from offcampus_spec.violations import violation as violation

PROBLEM_BASE = "https://spec.offcampus.example/v1/problems/"


@dataclass(eq=False)
class Problem(Exception):
    """A refusal with a code of the catalogue. Raising it changes nothing: the transaction is rolled back.

    Attributes:
        detail: what was wrong in this request, without personal data.
        violations: places and reasons, as in the schema `problem`.
        headers: what the answer carries beside the body, for one Retry-After.
        remember: what must be known from now on although the request is refused; done in a transaction of its own.
    """

    code: str
    detail: str = ""
    violations: Sequence[JsonObject] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after_s: int | None = None
    remember: Callable[[Any], None] | None = None

    def __post_init__(self) -> None:
        self.type: ProblemType = problems()[self.code]
        super().__init__(f"{self.code}: {self.detail}")

    @property
    def status(self) -> int:
        """The HTTP status of this code."""
        return self.type.status

    def to_json(self, *, request_id: str, language: str) -> JsonObject:
        """The problem document in a language (`zh…` or English)."""
        body: JsonObject = {
            "type": PROBLEM_BASE + self.code,
            "title": self.type.title(language),
            "status": self.status,
            "detail": self.detail or self.type.title(language),
            "code": self.code,
            "request_id": request_id,
            "remedy": self.type.remedy(language),
            "violations": list(self.violations[:MOST_VIOLATIONS]),
            "retry": {"safe": self.type.retry_safe},
        }
        if self.retry_after_s is not None:
            body["retry"]["after_s"] = self.retry_after_s
        return body


def require_coherent(found: Incoherence | None) -> None:
    """Refuse what does not agree with itself."""
    if found is not None:
        raise Problem(found.code, found.detail, found.violations)


def not_found() -> Problem:
    """The same answer for what does not exist and for what is not the caller's."""
    return Problem("resource.not_found")


def wrong_state(state: str | None, *allowed: str) -> Problem:
    """A transition that the state does not allow."""
    detail = f"the state is {state}; this is possible from {', '.join(allowed)}"
    return Problem(
        "resource.state", detail, [violation("resource.state", "/state", given=state, allowed=list(allowed))]
    )


def missing_reference(pointer: str, given: str | None = None) -> Problem:
    """A referenced resource that is missing or not the caller's."""
    detail = f"{pointer} refers to nothing of yours"
    return Problem("reference.not_found", detail, [violation("reference.not_found", pointer, given=given)])


def mismatch(pointer: str, detail: str) -> Problem:
    """Referenced resources that do not belong together."""
    return Problem("reference.mismatch", detail, [violation("reference.mismatch", pointer)])

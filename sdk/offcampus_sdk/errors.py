"""Errors by whose fault they are: the request's, a rule's, the caller's standing, the server's, the wire's.

Printed, an error shows code, request id, and for each violation the place, what is allowed, the requirement and what
to do; never what was sent, which may be personal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OffcampusError(Exception):
    """The base of all errors of this SDK."""


class TransportTrouble(OffcampusError):
    """No answer came in time. What was asked may have happened: repeat with the same key, or look."""


class UnexpectedAnswer(OffcampusError):
    """The platform answered success with a body that is not of the contract's shape."""


class ProblemError(OffcampusError):
    """The platform refused, with a problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.retry_after_s = retry_after_s
        self.code = str(problem.get("code", "unknown"))
        self.request_id = str(problem.get("request_id", ""))
        self.violations: list[Mapping[str, Any]] = list(problem.get("violations", []))
        self.problem = problem
        super().__init__(self._text())

    def _text(self) -> str:
        title, detail = self.problem.get("title", ""), self.problem.get("detail", "")
        lines = [f"{self.status} {self.code}: {title} ({detail}) [request {self.request_id}]"]
        for violation in self.violations:
            message = violation.get("message_en") or violation.get("code")
            where, allowed = violation.get("pointer", ""), violation.get("allowed")
            limit = f"; allowed: {allowed}" if allowed is not None else ""
            basis = f" [{violation['requirement']}; {violation['citation']}]" if violation.get("citation") else ""
            lines.append(f"  {where} {message}{limit}{basis}")
        if remedy := self.problem.get("remedy"):
            lines.append(f"  mend: {remedy}")
        return "\n".join(lines)


class RequestProblem(ProblemError):
    """The request itself is wrong: mend it before sending it again."""


class AuthProblem(ProblemError):
    """Token, signature, role or region: the caller's standing."""


class NotFound(ProblemError):
    """There is no such resource, or it is not yours."""


class Conflict(ProblemError):
    """The state, the version or an earlier request stands against it: read again."""


class RuleRefused(ProblemError):
    """A rule in force refuses; the violations say which, on what basis, and what is allowed."""


class ServerTrouble(ProblemError):
    """The platform failed or is busy: the same request may be repeated."""


def problem_error(status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> ProblemError:
    """The error for an answer. `retry_after_s` is the platform's Retry-After, in seconds."""
    if problem.get("code") == "rules.refused":
        return RuleRefused(status, problem)
    if problem.get("code") == "idempotency.in_progress":
        return ServerTrouble(status, problem, retry_after_s)
    kinds: dict[int, type[ProblemError]] = {
        401: AuthProblem, 403: AuthProblem, 404: NotFound, 409: Conflict, 410: Conflict, 412: Conflict,
        428: RequestProblem, 429: ServerTrouble,
    }  # fmt: skip
    default = ServerTrouble if status >= 500 else RequestProblem
    return kinds.get(status, default)(status, problem, retry_after_s)

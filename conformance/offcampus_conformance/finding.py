"""What a check says when it does not pass: requirement, expected, got, where, how to reproduce, how to mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn

from offcampus_conformance.record import Exchange

MOST_TEXT = 400


class Verdict(StrEnum):
    """The outcome of one check. Only `pass` and `skip` are green, and `skip` only where nothing was claimed.

    `blocked`: something that it needs did not pass. `not_exercised`: it never met its object. `untestable`: what would
    prove it could not be brought about in this run. `error`: the suite's own fault.
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"
    BLOCKED = "blocked"
    NOT_EXERCISED = "not_exercised"
    UNTESTABLE = "untestable"
    ERROR = "error"


class Sure(StrEnum):
    """How the suite knows what a finding says."""

    OBSERVED = "observed"
    SILENCE = "inferred_from_silence"
    TOLD = "told_by_the_target"
    ATTESTED = "attested"


@dataclass(eq=False)
class Deviation(Exception):
    """The target deviates from the standard. Raised by checks, with what was expected and what came."""

    expected: str
    got: str
    where: str = ""
    exchanges: tuple[Exchange, ...] = field(default=())
    sure: Sure = Sure.OBSERVED

    def __str__(self) -> str:
        return f"expected {self.expected}; got {self.got}"


def deviate(expected: str, got: Any, *exchanges: Exchange, where: str = "", sure: Sure = Sure.OBSERVED) -> NoReturn:
    """Raise a `Deviation`. `got` is shown as it is, shortened to 400 characters."""
    text = (got if isinstance(got, str) else repr(got)) or "nothing"
    raise Deviation(expected, text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…", where, exchanges, sure)

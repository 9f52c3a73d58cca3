"""What a check says when it does not pass: requirement, expected, got, where, how to reproduce, how to mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn

from offcampus_conformance.record import Exchange


class Verdict(StrEnum):
    """The outcome of one check. Only `pass` and `skip` are green, and `skip` only where nothing was claimed."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"
    BLOCKED = "blocked"
    NOT_EXERCISED = "not_exercised"
    ERROR = "error"


@dataclass(eq=False)
class Deviation(Exception):
    """The target deviates from the standard. Raised by checks, with what was expected and what came."""

    expected: str
    got: str
    where: str = ""
    exchanges: tuple[Exchange, ...] = field(default=())

    def __str__(self) -> str:
        return f"expected {self.expected}; got {self.got}"


def deviate(expected: str, got: Any, *exchanges: Exchange, where: str = "") -> NoReturn:
    """Raise a `Deviation`. `got` is shown as it is, shortened to 400 characters."""
    text = got if isinstance(got, str) else repr(got)
    raise Deviation(expected, text if len(text) <= 400 else text[:397] + "…", where, exchanges)

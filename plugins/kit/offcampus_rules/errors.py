"""What is wrong with a rule file: where, what was found, what is allowed, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class RuleKitError(Exception):
    """Base of everything the kit raises."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing wrong in one file. `code` is stable (`R-…`), so that tools can filter."""

    file: Path
    position: Position
    code: str
    message_en: str
    message_zh: str
    severity: str = "error"
    hint: str = ""
    """What to write instead, ready to be pasted."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.position.line}:{self.position.column}"
        return f"{where}: {self.code} {self.message_en} / {self.message_zh}"


class RuleSetError(RuleKitError):
    """No rule set can be built: there is no national plugin, or it does not fit (`problems` says where)."""

    def __init__(self, text: str, problems: tuple[FileProblem, ...] = ()) -> None:
        self.problems = problems
        super().__init__(text)


class RuleFileError(RuleKitError):
    """A file cannot be used; `problems` lists everything found, in file order."""

    def __init__(self, problems: tuple[FileProblem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

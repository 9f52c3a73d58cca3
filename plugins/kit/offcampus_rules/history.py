"""A history of cases to replay rules over: one JSON object a line (schema `rule-history`), read without guessing.

Facts at their default are left out where they are stored, and what a context learnt later defaults to "not told"; any
other fact that is absent is missing (`Row.missing`) and never guessed. A fact of the wrong type makes the row
unreadable. Whoever replays counts both.

Most lines are complete cases of a gate: these are only skimmed (`Skimmed`), which takes a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Union, get_args

import msgspec

from offcampus_rules import digests, plain
from offcampus_rules.asking import QUESTIONS, Answer
from offcampus_rules.calendar import shanghai_date
from offcampus_rules.context import GovernedBy, Scope
from offcampus_rules.plain import FactsError
from offcampus_rules.rules import Gate
from offcampus_rules.twins import twin


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One line as written."""

    question: str
    facts: dict[str, Any]
    case: str = ""
    institution: str = ""
    decided_at: datetime | None = None
    known_at: datetime | None = None
    outcome: str | None = None
    ruleset_digest: str | None = None
    answer_digest: str | None = None


class Row(msgspec.Struct, frozen=True):
    """One case: `case` is a context of its question; facts that are `missing` cannot be read from it."""

    number: int
    line: Line
    case: Any
    missing: tuple[str, ...]

    @property
    def region(self) -> str:
        return str(self.case.scope.region)

    @property
    def fen(self) -> int:
        """The money the case is about; 0 where it is about none."""
        amount = self.line.facts.get("total_fen", self.line.facts.get("amount_fen", 0))
        return amount if isinstance(amount, int) else 0

    @property
    def known_on(self) -> date | None:
        """The day by which a text had to be published to be known."""
        instant = self.line.known_at or self.line.decided_at
        return None if instant is None else shanghai_date(instant)


class Unreadable(msgspec.Struct, frozen=True):
    """A line that is no case, and why."""

    number: int
    reason: str


def read(lines: bytes, first: int = 1) -> Iterator[Row | Unreadable]:
    """The rows of a piece of a history whose first line has the number `first`; empty lines are passed over."""
    for number, text in enumerate(lines.splitlines(), first):
        if text.strip():
            try:
                yield _row(number, text)
            except (msgspec.ValidationError, msgspec.DecodeError, FactsError) as error:
                yield Unreadable(number, str(error))


class Skimmed(msgspec.Struct, frozen=True, gc=False):
    """A complete case of a gate, read no further than judging in columns needs; `case` is the context's twin."""

    number: int
    text: bytes
    gate: Gate
    case: Any
    institution: str
    known_on: date | None

    def whole(self) -> Row:
        """The row."""
        return _row(self.number, self.text)


def skim(lines: bytes, first: int = 1) -> Iterator[Skimmed | Row | Unreadable]:
    """The same rows as `read`, most of them only skimmed."""
    scopes: set[Any] = set()
    for number, text in enumerate(lines.splitlines(), first):
        try:
            line = _SKIMMER.decode(text)
            case = line.facts
            if case.scope not in scopes:
                Scope(*msgspec.structs.astuple(case.scope))
                scopes.add(case.scope)
        except (msgspec.ValidationError, msgspec.DecodeError, ValueError):
            yield from read(text, number)
        else:
            known = line.known_at or line.decided_at
            day = None if known is None else shanghai_date(known)
            yield Skimmed(number, text, line.gate, case, line.institution, day)


def pieces(file: Path, size: int) -> Iterator[tuple[int, int]]:
    """Byte ranges of about `size` that end where lines end."""
    end = file.stat().st_size
    with file.open("rb") as source:
        start = 0
        while start < end:
            source.seek(min(start + size, end))
            source.readline()
            stop = min(source.tell(), end)
            yield start, stop
            start = stop


def answer_digest(answer: Answer) -> str:
    """The digest that is stored with an answer: of the standard's spelling, or of all its members."""
    to_json = getattr(answer, "to_json", None)
    return digests.digest(answer if to_json is None else to_json())


_DECODER = msgspec.json.Decoder(Line)


def _skimmer() -> msgspec.json.Decoder[Any]:
    """Reads a line of any gate, with the twin of its context."""
    rest = [(item.name, item.type, item.default) for item in msgspec.structs.fields(Line) if not item.required]
    kinds = [
        msgspec.defstruct(
            f"Line_{gate}",
            [("facts", twin(QUESTIONS[gate])), *rest],
            namespace={"gate": gate},
            tag_field="question",
            tag=gate,
            forbid_unknown_fields=True,
            gc=False,
        )
        for gate in get_args(Gate)
        if gate in QUESTIONS
    ]
    return msgspec.json.Decoder(Union[tuple(kinds)])  # noqa: UP007 - a tuple of types


_SKIMMER = _skimmer()


def _row(number: int, text: bytes) -> Row:
    line = _DECODER.decode(text)
    kind = QUESTIONS.get(line.question)
    if kind is None:
        raise FactsError(f"nothing is called {line.question}; known: {', '.join(QUESTIONS)}")
    facts = line.facts
    needed, known = plain.needed(kind)
    if needed <= facts.keys() <= known and len(facts["scope"]) == _SCOPE_MEMBERS:
        return Row(number, line, msgspec.convert(facts, kind), ())
    case, missing = plain.partial(kind, facts)
    _require(case)
    return Row(number, line, case if missing else plain.context(kind, facts), missing)


_SCOPE_MEMBERS = len(plain.needed(Scope)[1])


def _require(case: Any) -> None:
    """A case says where it is and which dates govern it."""
    try:
        _ = case.scope, *(case.date_for(clock) for clock in get_args(GovernedBy) if hasattr(case, "date_for"))
    except AttributeError as error:
        raise FactsError(f"{error.name} is missing: without it nobody can say which rules apply") from error

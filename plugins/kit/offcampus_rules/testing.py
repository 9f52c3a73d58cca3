"""The one runner of case files, for pytest and `offcampus-rules check` alike: facts in, expected answer out.

    cases:
      - name: 60 class hours pass
        ask: charge
        facts: {class_hours_centi: 6000}
        expect: {outcome: allow, violated: []}

`facts:` beside `cases:` are shared; a case's own facts are laid over them (and its `scope` over the shared scope).
What `expect` lists as `violated`, `codes`, `levels`, `obliged` or `undecided` is the complete set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from offcampus_rules import yaml12
from offcampus_rules.asking import Answer, ask
from offcampus_rules.decision import Deadline, Decision, Figure, RefundTerms, Value, plain_raw
from offcampus_rules.errors import Position, RuleFileError
from offcampus_rules.explaining import tree
from offcampus_rules.plain import FactsError
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.validation import valid_shape

_MISSING = object()


@dataclass(frozen=True)
class RuleCase:
    """One case of a file: what is asked with which facts, and what must be answered."""

    name: str
    question: str
    facts: Mapping[str, Any]
    expect: Mapping[str, Any]
    file: Path
    position: Position
    scenario: str = ""

    def __str__(self) -> str:
        return f"{self.file.stem}: {self.name}"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What was expected and what came, with the explanation of what came."""

    case: RuleCase
    differences: tuple[str, ...]
    explanation: str

    def __str__(self) -> str:
        where = f"{self.case.file}:{self.case.position.line}: {self.case.name}"
        return "\n".join((where, *(f"  {line}" for line in self.differences), self.explanation))


def load_cases(root: Path) -> tuple[RuleCase, ...]:
    """All cases of a plugin's folder. Raises RuleFileError for a file that has not the shape of one."""
    return tuple(case for file in sorted((root / "cases").rglob("*.yaml")) for case in _read(file))


def _read(file: Path) -> Iterator[RuleCase]:
    document = yaml12.load(file)
    if problems := valid_shape(document, "cases"):
        raise RuleFileError(problems)
    content = cast("dict[str, Any]", document.content)
    shared = content.get("facts", {})
    for index, item in enumerate(content["cases"]):
        yield RuleCase(
            name=item["name"],
            question=item["ask"],
            facts=_overlay(shared, item["facts"]),
            expect=item["expect"],
            file=file,
            position=document.position(("cases", index)),
            scenario=item.get("scenario", ""),
        )


def _overlay(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**shared, **own}
    if isinstance(shared.get("scope"), dict) and isinstance(own.get("scope"), dict):
        merged["scope"] = {**shared["scope"], **own["scope"]}
    return merged


def run_case(ruleset: RuleSet, case: RuleCase) -> Mismatch | None:
    """Ask, compare; None when the answer is the expected one."""
    try:
        answer = ask(ruleset, case.question, case.facts)
    except FactsError as error:
        return Mismatch(case, (str(error),), "")
    found = tuple(differences(answer, case.expect))
    return Mismatch(case, found, tree(answer, "en")) if found else None


def differences(answer: Answer, expect: Mapping[str, Any]) -> Iterator[str]:
    """What of an answer is not as expected, one line each."""
    seen = observed(answer)
    for name, wanted in expect.items():
        if name not in ("message_contains", "values") and not _same(wanted, seen.get(name, _MISSING)):
            yield f"{name}: expected {wanted!r}, got {seen.get(name, 'nothing of that name')!r}"
    if texts := expect.get("message_contains", []):
        yield from _missing_texts(answer, texts)
    yield from _wrong_values(seen, expect.get("values", {}))


def observed(answer: Answer) -> dict[str, Any]:
    """An answer in the terms of `expect`."""
    if isinstance(answer, Decision):
        return {
            "outcome": answer.outcome,
            "violated": sorted({item.rule for item in answer.violations}),
            "codes": sorted({item.code for item in answer.violations}),
            "levels": sorted({item.level for item in answer.violations}),
            "obliged": sorted({item.rule for item in answer.obligations}),
            "exceptions": [item.id for item in answer.exceptions_applied],
            "undecided": sorted({item.rule for item in answer.not_evaluated}),
            "values": {item.parameter: _plain(item) for item in answer.values},
            "due_at": _at(min((item.due_at for item in answer.obligations if item.due_at), default=None)),
        }
    if isinstance(answer, Deadline):
        return {"due_at": _at(answer.due_at), "provisional": answer.provisional, "value": _plain(answer.value)}
    if isinstance(answer, RefundTerms):
        return {
            "due_at": _at(answer.due_at),
            "silence_due_at": _at(answer.silence_due_at),
            "full": answer.full,
            "amount_fen": answer.amount_fen,
            "provisional": answer.provisional,
            "values": {item.parameter: _plain(item) for item in answer.values},
        }
    if isinstance(answer, Figure):
        return {"result": answer.result, "values": {item.parameter: _plain(item) for item in answer.values}}
    return {"value": _plain(answer), "level": answer.level}


def _plain(value: Value) -> Any:
    return plain_raw(value.value)


def _at(instant: Any) -> str | None:
    return instant.isoformat() if instant is not None else None


def _same(wanted: Any, seen: Any) -> bool:
    if isinstance(wanted, list) and isinstance(seen, list):
        return sorted(wanted) == sorted(seen)
    return type(wanted) is type(seen) and bool(wanted == seen)


def _missing_texts(answer: Answer, wanted: list[str]) -> Iterator[str]:
    shown = tree(answer, "zh") + tree(answer, "en")
    return (f"message_contains: {text!r} is not in the explanation" for text in wanted if text not in shown)


def _wrong_values(seen: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    got = seen.get("values", {})
    return (
        f"value {name}: expected {value!r}, got {got.get(name, 'no such value')!r}"
        for name, value in wanted.items()
        if not _same(value, got.get(name, _MISSING))
    )

"""The platform's verdict before anything is sent: the same schemas, the same agreements, the same rules.

    verdict = check("createOrder", order)
    if not verdict.fine:
        for violation in verdict.violations:
            print(violation.pointer, violation.message_zh)

What needs the platform's own knowledge (a balance, a double booking) only the platform can say. The rules of a region
are judged by `offcampus_sdk.rules` with the extra `offcampus-sdk[rules]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from offcampus_spec import schemas
from offcampus_spec.coherence import incoherences
from offcampus_spec.operations import operations
from offcampus_spec.violations import code_of, violations

from offcampus_sdk.models import ProblemViolation


@dataclass(frozen=True)
class Verdict:
    """What the platform would answer: the problem's code (empty: nothing speaks against it) and its violations."""

    code: str = ""
    violations: tuple[ProblemViolation, ...] = ()

    @property
    def fine(self) -> bool:
        """Nothing that can be known here speaks against it."""
        return not self.code


def check(operation_id: str, record: msgspec.Struct | Mapping[str, Any]) -> Verdict:
    """Judge one record by its schema and by what it must agree with in itself.

    Args:
        operation_id: the operation that reports it; for a batch, the record is one item.

    Raises KeyError for an operation that the contract has not, ValueError for one without a body.
    """
    operation = operations()[operation_id]
    schema = operation.item_schema or operation.request_schema
    if schema is None or operation.patch:
        raise ValueError(f"{operation_id} sends no whole record that could be judged")
    document = msgspec.to_builtins(record)
    if _has_float(document):
        return Verdict("json.number")
    validator = schemas.validator(schema)
    if not validator.is_valid(document):
        found = violations(validator.iter_errors(document))
        return verdict(code_of(found), found)
    for incoherence in incoherences(schema, document):
        return verdict(incoherence.code, incoherence.violations)
    return Verdict()


def _has_float(value: Any) -> bool:
    """The platform takes no fractions at all: money is fen, hours are hundredths."""
    if isinstance(value, Mapping):
        return any(_has_float(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_has_float(inner) for inner in value)
    return isinstance(value, float)


def verdict(code: str, found: Iterable[Mapping[str, Any]]) -> Verdict:
    """A verdict of violations as the standard writes them."""
    return Verdict(code, tuple(msgspec.convert(dict(entry), type=ProblemViolation) for entry in found))

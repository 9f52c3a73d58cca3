"""From a record to verdicts, and from verdicts to an exit code. Pure.

The rules (each is a test in `tests/test_verdict.py`):
- a deviation from a SHOULD or MAY is `warn`, from a MUST `fail`;
- a check whose needs did not pass, or whose step was not carried out, is `blocked`, never `fail`;
- a pass that looked at no exchange is `not_exercised`;
- anything else that a check raises is `error`: the suite's own fault, which dominates the run;
- a run that judged nothing is no run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum

from offcampus_conformance.check import Check
from offcampus_conformance.finding import Deviation, Verdict
from offcampus_conformance.record import Exchange, Record, StepMissing, View


class Exit(IntEnum):
    """What the command's exit code means."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    NOTHING_JUDGED = 2
    SUITE_ERROR = 3
    UNREACHABLE = 4


@dataclass(frozen=True)
class Result:
    """The verdict of one check, with what a reader needs to act on it."""

    check: Check
    verdict: Verdict
    deviation: Deviation | None = None
    note: str = ""
    met: tuple[Exchange, ...] = ()


def judge(record: Record, checks: Sequence[Check], claims: Set[str] = frozenset()) -> list[Result]:
    """Judge every check over one record. A check is judged after those that it needs."""
    done: dict[str, Result] = {}
    for check in _in_order_of_need(checks):
        done[check.id] = _judge_one(check, record, done, claims)
    return [done[check.id] for check in checks]


def exit_code(results: Iterable[Result]) -> Exit:
    """The run's exit code: the suite's own errors first, then what is not green, then nothing judged."""
    verdicts = [result.verdict for result in results]
    if Verdict.ERROR in verdicts:
        return Exit.SUITE_ERROR
    if any(verdict in (Verdict.FAIL, Verdict.BLOCKED, Verdict.NOT_EXERCISED) for verdict in verdicts):
        return Exit.NOT_CONFORMANT
    return Exit.CONFORMANT if Verdict.PASS in verdicts else Exit.NOTHING_JUDGED


def _judge_one(check: Check, record: Record, done: Mapping[str, Result], claims: Set[str]) -> Result:
    if check.claims is not None and check.claims not in claims:
        return Result(check, Verdict.SKIP, note=f"the target does not claim {check.claims!r}")
    unmet = [need for need in check.needs if need in done and done[need].verdict not in (Verdict.PASS, Verdict.WARN)]
    if unmet:
        return Result(check, Verdict.BLOCKED, note=f"needs {', '.join(unmet)}, which did not pass")
    view = View(record)
    try:
        check.judge(view)
    except StepMissing as missing:
        return Result(check, Verdict.BLOCKED, note=str(missing), met=tuple(view.met.values()))
    except Deviation as deviation:
        verdict = Verdict.FAIL if check.level == "MUST" else Verdict.WARN
        return Result(check, verdict, deviation, met=deviation.exchanges or tuple(view.met.values()))
    except Exception as fault:  # noqa: BLE001 - whatever a check raises is the suite's fault, and must be shown as such
        return Result(check, Verdict.ERROR, note=f"{type(fault).__name__}: {fault}", met=tuple(view.met.values()))
    if not view.met:
        return Result(check, Verdict.NOT_EXERCISED, note="nothing was exchanged that this check is about")
    return Result(check, Verdict.PASS, met=tuple(view.met.values()))


def _in_order_of_need(checks: Sequence[Check]) -> list[Check]:
    by_id = {check.id: check for check in checks}
    ordered: dict[str, Check] = {}

    def visit(check: Check, above: tuple[str, ...]) -> None:
        if check.id in above:
            raise ValueError(f"checks need each other in a circle: {' -> '.join((*above, check.id))}")
        for need in check.needs:
            if need in by_id:
                visit(by_id[need], (*above, check.id))
        ordered.setdefault(check.id, check)

    for check in checks:
        visit(check, ())
    return list(ordered.values())

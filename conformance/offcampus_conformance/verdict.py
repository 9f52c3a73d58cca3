"""From a record to verdicts, and from verdicts to an exit code. Pure.

The rules (each is a test in `tests/test_verdict.py`):
- a deviation from a SHOULD or MAY, or found by an advisory check, is `warn`, from a MUST `fail`;
- a check whose needs did not pass, whose step was not carried out, or whose lawful control was refused is `blocked`,
  never `fail`; it names the root: the failures that everything hangs on;
- a pass that looked at no exchange, or not at all that it declares (`meets`), is `not_exercised`;
- `untestable` where the check says that its proof could not be brought about;
- `skip` only where a capability is not claimed; when the traffic shows it nevertheless, that is a `warn`;
- anything else that a check raises is `error`: the suite's own fault, which dominates the run; so does a message of
  the suite that breaks the contract without being meant to;
- green are `pass` and `skip` alone; a run that judged nothing is no run;
- a verdict rests on its weakest evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase

from offcampus_conformance.check import Check
from offcampus_conformance.finding import Deviation, Verdict
from offcampus_conformance.record import (
    ControlRefused,
    EvidenceClass,
    Exchange,
    NotMet,
    Record,
    StepMissing,
    Untestable,
    View,
)

GREEN = frozenset({Verdict.PASS, Verdict.SKIP})
JUDGED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WARN})
SATISFIED = frozenset({Verdict.PASS, Verdict.WARN})
SHAPE_FAULTS = (AttributeError, TypeError, KeyError, IndexError, UnicodeEncodeError)
WEAKNESS: Mapping[EvidenceClass, int] = {"wire": 0, "observed": 1, "by_hand": 2, "attested": 3}


class Exit(IntEnum):
    """What the command's exit code means."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    NOTHING_JUDGED = 2
    SUITE_ERROR = 3
    UNREACHABLE = 4
    BASELINE_STALE = 5


@dataclass(frozen=True)
class Result:
    """The verdict of one check, with what a reader needs to act on it."""

    check: Check
    verdict: Verdict
    deviation: Deviation | None = None
    note: str = ""
    met: tuple[Exchange, ...] = ()
    controls: tuple[tuple[str, str], ...] = ()
    """Pairs of probe and accepted control, by label."""
    roots: tuple[str, ...] = ()
    """For what is blocked: the checks at the root of it."""
    final: bool = True
    """More traffic cannot change it."""

    @property
    def evidence(self) -> EvidenceClass | None:
        """The weakest class of evidence that the verdict rests on; None when it rests on none."""
        return max((exchange.evidence for exchange in self.met), key=lambda kind: WEAKNESS[kind], default=None)

    @property
    def uncontrolled(self) -> tuple[str, ...]:
        """The refused exchanges that the check looked at without a lawful twin."""
        bound = {probe for probe, _ in self.controls}
        refused = (exchange for exchange in self.met if exchange.status is not None and 400 <= exchange.status < 500)
        return tuple(exchange.label for exchange in refused if exchange.label not in bound)


def judge(record: Record, checks: Sequence[Check], claims: Set[str] = frozenset()) -> list[Result]:
    """Judge every check over one record. A check is judged after those that it needs."""
    done: dict[str, Result] = {}
    for check in _in_order_of_need(checks):
        done[check.id] = _judge_one(check, record, done, claims)
    return [done[check.id] for check in checks]


def exit_code(results: Iterable[Result], excused: Set[str] = frozenset()) -> Exit:
    """The run's exit code: the suite's own errors first, then nothing judged, then what is not green.

    Only scored MUSTs decide whether a target conforms. `excused` are checks whose failure is known or waived.
    """
    found = list(results)
    if any(result.verdict is Verdict.ERROR for result in found):
        return Exit.SUITE_ERROR
    if not any(result.verdict in JUDGED for result in found):
        return Exit.NOTHING_JUDGED
    red = [result for result in found if reddens(result) and result.check.id not in excused]
    return Exit.NOT_CONFORMANT if red else Exit.CONFORMANT


def reddens(result: Result) -> bool:
    """This result alone keeps the target from conforming."""
    return _strict(result.check) and result.verdict not in GREEN | {Verdict.WARN}


def own_faults(record: Iterable[Exchange]) -> list[str]:
    """Messages of the suite itself that break the contract and are not meant to: the suite's own fault."""
    return [
        f"{exchange.label}: {'; '.join(exchange.breaks_contract)}"
        for exchange in record
        if exchange.breaks_contract and exchange.wrong is None
    ]


def _judge_one(check: Check, record: Record, done: Mapping[str, Result], claims: Set[str]) -> Result:
    if check.claims is not None and check.claims not in claims:
        return _unclaimed(check, check.claims, record)
    unmet = [need for need in check.needs if need in done and done[need].verdict not in SATISFIED]
    if unmet:
        roots = tuple(dict.fromkeys(root for need in unmet for root in done[need].roots or (need,)))
        note = f"needs {', '.join(unmet)}, which did not pass"
        return Result(check, Verdict.BLOCKED, note=note, roots=roots, final=all(done[need].final for need in unmet))
    view = View(record)
    verdict, deviation, note, final = _ask(check, view)
    met = tuple(view.met.values())
    if deviation is not None and deviation.exchanges:
        looked = {exchange.label: exchange for exchange in deviation.exchanges}
        met = (*(exchange for exchange in met if exchange.label not in looked), *looked.values())
    return Result(check, verdict, deviation, note, met, tuple(view.controls.items()), final=final)


def _ask(check: Check, view: View) -> tuple[Verdict, Deviation | None, str, bool]:
    """The judgement itself: verdict, deviation, note, and whether more traffic could change it."""
    try:
        check.judge(view)
    except Deviation as deviation:
        return (Verdict.FAIL if _strict(check) else Verdict.WARN), deviation, "", not view.open
    except (StepMissing, ControlRefused) as reason:
        return Verdict.BLOCKED, None, str(reason), isinstance(reason, ControlRefused)
    except NotMet as reason:
        return Verdict.NOT_EXERCISED, None, str(reason), not view.open
    except Untestable as reason:
        return Verdict.UNTESTABLE, None, str(reason), False
    except Exception as fault:  # noqa: BLE001 - whatever a check raises is the suite's fault, and must be shown as such
        odd = next((exchange for exchange in view.met.values() if exchange.answer_breaks), None)
        if odd is not None and isinstance(fault, SHAPE_FAULTS):
            # It stumbled over an answer that the contract does not know: that answer is what is wrong.
            broken = Deviation("an answer of the contract", "; ".join(odd.answer_breaks), odd.answer_breaks[0], (odd,))
            return (Verdict.FAIL if _strict(check) else Verdict.WARN), broken, "", not view.open
        return Verdict.ERROR, None, f"{type(fault).__name__}: {fault}", not view.open
    if not view.met:
        return Verdict.NOT_EXERCISED, None, "nothing was exchanged that this check is about", False
    if missed := view.missed(check.meets):
        return Verdict.NOT_EXERCISED, None, f"it never met {', '.join(missed)}", False
    return Verdict.PASS, None, "", not view.open


def _strict(check: Check) -> bool:
    return check.level == "MUST" and check.lifecycle == "scored"


def _unclaimed(check: Check, claim: str, record: Record) -> Result:
    shown = tuple(
        exchange
        for exchange in record
        if exchange.accepted and any(fnmatchcase(exchange.label, pattern) for pattern in check.shown_by)
    )
    if not shown:
        return Result(check, Verdict.SKIP, note=f"the target does not claim {claim!r}", final=not check.shown_by)
    got = f"{shown[0].label} was answered {shown[0].status}"
    contradiction = Deviation(f"the claim {claim!r}, or an answer that there is no such thing", got, "claims", shown)
    return Result(check, Verdict.WARN, contradiction, met=shown)


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
